"""Where the values of ``${…}`` come from: the environment, and for secrets also a file or a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from postdeploy.config.scalars import hidden

__all__ = ["SECRET_KINDS", "MissingValueError", "Sources"]

SECRET_KINDS: Final = ("file", "cmd")
"""Kinds of references that stand under ``secrets`` only."""

_LONGEST: Final = 64 * 1024
_PATIENCE: Final = 15.0


class MissingValueError(Exception):
    """A reference has no value; the message never holds what a file or a command said."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


class Sources(NamedTuple):
    """What references may name.

    Args:
        environment: the variables.
        folder: what files are relative to, and where commands run.
        handed: values of secrets by name that another process has read already.
    """

    environment: Mapping[str, str]
    folder: Path
    handed: Mapping[str, str] = {}  # never changed

    def value(self, kind: str, argument: str) -> str:
        """The value of ``${kind:argument}``. Raises MissingValueError."""
        return _KINDS[kind](self, argument)


def _variable(sources: Sources, name: str) -> str:
    value = sources.environment.get(name, "")
    if not value:
        state = "is empty" if name in sources.environment else "is not set"
        raise MissingValueError(f"variable '{name}' {state}", "set it in the environment of this run")
    return value


def _file(sources: Sources, name: str) -> str:
    path = sources.folder / name
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "paths are relative to the folder of this file"
        raise MissingValueError(f"file '{name}' cannot be read: {reason}", hint) from error
    return _text(content, f"file '{name}'", "write the value into it")


def _command(sources: Sources, line: str) -> str:
    import shlex
    import subprocess

    try:
        words = shlex.split(line)
        done = subprocess.run(  # noqa: S603  # the file that names it is code of the project
            words,
            cwd=sources.folder,
            env=dict(sources.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MissingValueError(f"command '{line}' did not end within {_PATIENCE:g} s", _LOOK) from None
    except (OSError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingValueError(f"command '{line}' cannot be run: {reason}".lower(), "no shell reads it") from error
    if done.returncode:
        raise MissingValueError(f"command '{line}' ended with status {done.returncode}", _LOOK)
    return _text(done.stdout, f"command '{line}'", _LOOK)


_LOOK: Final = "run it by hand to see what it says"


def _text(content: bytes, subject: str, hint: str) -> str:
    """One value: the line break that editors and commands put at the end does not belong to it."""
    if len(content) > _LONGEST:
        raise MissingValueError(f"{subject} gives more than {_LONGEST // 1024} KiB", "a secret is one short text")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise MissingValueError(f"{subject} gives bytes that are not UTF-8", "a secret is a text") from None
    value = text.removesuffix("\n").removesuffix("\r")
    if not value.strip():
        raise MissingValueError(f"{subject} gives nothing", hint)
    if "\0" in value:
        raise MissingValueError(f"{subject} gives the invisible character {hidden(chr(0))}", "a secret is a text")
    return value


_KINDS: Final[Mapping[str, Callable[[Sources, str], str]]] = {"env": _variable, "file": _file, "cmd": _command}
