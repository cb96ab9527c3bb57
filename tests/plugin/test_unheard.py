"""Nobody listens any more: a pipe whose reader is gone, a stream that is closed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, TextIO

import pytest

from postdeploy.plugin.unheard import listen_to_nobody, silence


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A stream into a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    yield stream
    with contextlib.suppress(OSError):
        stream.close()


def _listening(stream: TextIO) -> Any:
    """The stream of pytest's terminal after nobody has to listen."""
    writer = SimpleNamespace(_file=stream)
    plugins = SimpleNamespace(get_plugin=lambda _name: SimpleNamespace(_tw=writer))
    config: Any = SimpleNamespace(pluginmanager=plugins)
    listen_to_nobody(config)
    return writer._file


def test_what_nobody_reads_is_written_without_an_error(unread: TextIO) -> None:
    """Neither more than a buffer holds, nor what is flushed, nor what comes after it raises."""
    file = _listening(unread)
    assert file.write("x" * 100_000) == 100_000
    file.flush()
    assert file.write("more") == 4
    file.flush()


def test_a_flush_that_fails_is_the_last(unread: TextIO) -> None:
    """What fits into the buffer is noticed when it is flushed."""
    file = _listening(unread)
    file.write("x")
    file.flush()
    assert file._gone


def test_who_listens_is_told_everything() -> None:
    """Nothing is lost where there is a reader, and the stream is otherwise what it was."""
    stream = io.StringIO()
    file = _listening(stream)
    assert file.write("said") == 4
    file.flush()
    assert stream.getvalue() == "said"
    assert file.isatty() is False


def test_a_run_without_a_terminal_has_nothing_to_forgive() -> None:
    """``-p no:terminal``."""
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda _name: None))
    listen_to_nobody(config)


def test_what_is_left_in_a_buffer_does_not_change_the_exit_status(
    unread: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python flushes at its end, and exits with 120 where that fails; then it must not fail."""
    unread.write("left over")
    monkeypatch.setattr(sys, "stdout", unread)
    silence()
    unread.flush()


def test_streams_that_are_closed_or_none_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """``>&-`` leaves no stream at all."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    monkeypatch.setattr(sys, "stderr", None)
    silence()
