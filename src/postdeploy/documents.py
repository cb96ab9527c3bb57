"""JSON documents on disk: written whole or not at all, read strictly and once.

The launcher waits for this module before it may start anything, so it does without pathlib, which costs milliseconds.
"""

# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH114, PTH118, PTH123

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from postdeploy.errors import DocumentError, JournalError

__all__ = [
    "VERDICT_FILE",
    "make_durable",
    "parse",
    "read_document",
    "read_regular",
    "refuse_link",
    "refuse_linked_folder",
    "render_document",
    "sync",
    "why",
    "write_atomically",
    "write_document",
]

VERDICT_FILE: Final = "verdict.json"

_ENCODE: Final = json.JSONEncoder(allow_nan=False).encode

_Path = str | os.PathLike[str]


def render_document(document: Mapping[str, Any]) -> bytes:
    """A JSON document as the bytes that we write: one line a key, and one an item of a list."""
    lines = (f" {_ENCODE(str(key))}: {_value(value)}" for key, value in document.items())
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


def _value(value: Any) -> str:
    """The fast encoder of json cannot indent, and the one that can is ten times slower."""
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(map(_ENCODE, value)) + "\n ]"
    return _ENCODE(value)


def write_document(path: _Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document atomically. Raises JournalError."""
    try:
        content = render_document(document)
    except (ValueError, TypeError, RecursionError) as error:
        raise JournalError(f"{path}: cannot be written: {error}") from error
    write_atomically(path, content)


def write_atomically(path: _Path, content: bytes, *, durable: bool = True) -> None:
    """Replace a file so that it is the old one or the whole new one, whatever happens. Raises JournalError.

    What is not ``durable`` is not forced to the disk, and need not be there after the machine has lost its power.
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name}.{os.getpid()}")
    try:
        os.makedirs(folder, exist_ok=True)
        refuse_link(path)
        _write(temporary, content, durable=durable)
        os.replace(temporary, path)
        if durable:
            sync(folder)
    except OSError as error:
        raise JournalError(f"{path}: cannot be written: {why(error)}") from error
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def make_durable(*paths: _Path) -> None:
    """Force files of one folder that were not to the disk now, with their names. Raises JournalError."""
    for path in (*paths, os.path.split(os.path.abspath(paths[0]))[0]):
        try:
            sync(path)
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {why(error)}") from error


def read_document(path: _Path) -> dict[str, Any]:
    """A JSON document of ours, read strictly. Raises DocumentError."""
    try:
        document = parse(read_regular(path))
    except OSError as error:
        raise DocumentError(f"{path}: {why(error)}") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DocumentError(f"{path}: not a verdict")
    return document


def read_regular(path: _Path) -> bytes:
    """The bytes of a file that is neither a link, a device nor a pipe, whatever takes its place. Raises OSError."""
    if os.path.islink(path):
        raise OSError(0, "a symbolic link, not a regular file")
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a regular file")
    with open(handle, "rb") as file:
        return file.read()


def parse(text: bytes) -> Any:
    """JSON, without what JSON does not have: NaN, infinities, a key that stands twice. Raises ValueError."""
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)


def refuse_link(path: _Path) -> None:
    """Reports replace regular files only. Raises JournalError."""
    if os.path.islink(path):
        raise JournalError(f"{path}: a symbolic link; reports are written to regular files only")


def refuse_linked_folder(folder: _Path) -> None:
    """What stands in a folder that is a link can be another folder's a moment later. Raises JournalError."""
    if os.path.islink(folder):
        raise JournalError(
            f"{folder}: a symbolic link; reports go to the folder itself: name the one that it points at"
        )


def why(error: BaseException) -> str:
    """What the system says, without its numbers."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _write(path: str, content: bytes, *, durable: bool) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def sync(path: _Path) -> None:
    """Have what a file holds, or the names in a folder, on disk for good. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
