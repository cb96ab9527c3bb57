from __future__ import annotations

import pytest

from postdeploy.domain.foreign import console, plain


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x1b[2J\x00", "\\x1b[2J\\x00"),
        ("a\rb", "a\\rb"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("한글 ::error::", "한글 ::error::"),
    ],
    ids=["line ends", "terminal", "return", "direction", "half a pair", "fit"],
)
def test_plain(text: str, fit: str) -> None:
    """What steers a terminal or the order of writing shows as an escape, and the rest stays."""
    assert plain(text) == fit


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("::error::x", "\\x3a\\x3aerror::x"),
        ("a\n \t::set-output", "a\n \t\\x3a\\x3aset-output"),
        ("test_a.py::test_b", "test_a.py::test_b"),
        ("a ##[error]x", "a #\\x23[error]x"),
        ("just text", "just text"),
    ],
)
def test_no_line_is_a_command(text: str, fit: str) -> None:
    """Text in a build log is no command to the runner that reads it."""
    assert console(text) == fit


@pytest.mark.parametrize(
    ("text", "logged", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b]9;4;1;5\x1b\\", "\\x1b]9;4;1;5\\x1b\\", "\x1b]9;4;1;5\x1b\\"),
        ("\x1b[2J\r\n", "\\x1b[2J\n", "\\x1b[2J\n"),
        ("\x1b[31m::error", "\\x1b[31m::error", "\x1b[31m\\x3a\\x3aerror"),
    ],
    ids=["colours", "progress", "clearing", "a command in colour"],
)
def test_colours_stay_on_a_terminal(text: str, logged: str, shown: str) -> None:
    """Colours and progress reach a terminal, nothing else that steers does, and a log gets none of it."""
    assert console(text) == logged
    assert console(text, terminal=True) == shown
