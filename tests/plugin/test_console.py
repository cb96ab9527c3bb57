from __future__ import annotations

import io
import sys

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.plugin.console import Console

TOKEN = "tok-5f3a9c77b1"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture(params=[io.StringIO, Terminal], ids=["file", "terminal"])
def out(request: pytest.FixtureRequest) -> io.StringIO:
    """What becomes standard output."""
    stream: io.StringIO = request.param()
    return stream


def opened(out: io.StringIO, redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console that has taken over this stream; not in the fixture, after which pytest sets its own one."""
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", None)
    console = Console(redactor)
    console.open()
    return console


def test_a_secret_is_masked_however_it_is_cut_into_pieces(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to write it letter by letter comes to the mask, and what is around it stays."""
    console = opened(out, Redactor([Secret("token", TOKEN)]), monkeypatch)
    for letter in f"before {TOKEN} after\n":
        sys.stdout.write(letter)
    sys.stdout.writelines([TOKEN[:5], TOKEN[5:], "\n"])
    console.close()
    assert out.getvalue() == "before *** after\n***\n"


def test_what_was_held_is_written_at_the_end(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning of a secret that never came is no secret; then the stream is as it was."""
    console = opened(out, Redactor([Secret("token", TOKEN)]), monkeypatch)
    sys.stdout.write(TOKEN[:6])
    assert out.getvalue() == ""
    console.close()
    console.close()
    sys.stdout.write(TOKEN)
    assert out.getvalue() == TOKEN[:6] + TOKEN


def test_foreign_text_steers_nothing(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow command that comes in pieces, and an escape that is no colour, are written as escapes."""
    console = opened(out, Redactor(), monkeypatch)
    for piece in ("::", "error::pwned\n", ":", ":error::pwned\n", "#", "#[error]x\n", "\x1b", "]0;title\x07\n"):
        sys.stdout.write(piece)
    console.close()
    lines = out.getvalue().splitlines()
    assert not any(line.startswith("::") or "##[" in line or "\x1b" in line or "\x07" in line for line in lines)
    assert "pwned" in out.getvalue()


def test_pytest_may_begin_a_line_again_on_a_terminal(out: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A carriage return at the beginning of a piece is pytest's own there, and is foreign in a file."""
    console = opened(out, Redactor(), monkeypatch)
    sys.stdout.write("\rcollecting ...")
    console.close()
    assert out.getvalue().startswith("\r") is isinstance(out, Terminal)
