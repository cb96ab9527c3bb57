"""Looking for secrets in files that should hold none.

This is the second opinion on the masking of reports, so it shares nothing with it: where the masking writes down how a
value may be spelt, this undoes what may have been done to it. Each character of a value is recognised in any escaping,
also repeated and mixed; runs of hex and base64, UTF-16, Latin-1, archives and compressed files are unpacked.
"""

from __future__ import annotations

import binascii
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Leak", "Traces", "find_leaks"]

_BLOCK: Final = 1 << 26
_SEAM: Final = 1 << 20
_UNPACKED: Final = 1 << 29
_DEPTH: Final = 4
_ESCAPED: Final = 16
"""Bytes that one byte of a value may take in an escaping."""

_ANCHOR: Final = 4
_HEXADECIMAL: Final = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}[0-9a-fA-F]?")
_SIXTY_FOUR: Final = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_ARCHIVE: Final = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: Final = b"\x1f\x8b"
_NAMED: Final[Mapping[int, tuple[str, ...]]] = {
    ord("&"): ("amp",), ord("<"): ("lt",), ord(">"): ("gt",), ord('"'): ("quot",), ord("'"): ("apos",),
}  # fmt: skip
_LETTERS: Final[Mapping[int, str]] = {10: "n", 13: "r", 9: "t", 8: "b", 12: "f", 11: "v", 7: "a"}


class Leak(NamedTuple):
    """A secret that was found: in which file, and its name."""

    path: Path
    secret: str


class Traces:
    """Knows what some values look like, whatever was done to them.

    Args:
        values: the texts to look for, by the name under which a find is told.
    """

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._marks = [(name, _Mark(value)) for name, value in values]

    def within(self, data: bytes, depth: int = 0) -> set[str]:
        """The names of the values that are somewhere in the data. Raises ValueError where it unpacks to too much."""
        found = {name for view in _views(data) for name, mark in self._marks if mark.is_in(view)}
        if depth < _DEPTH:
            for inner in _contents(data):
                found |= self.within(inner, depth + 1)
        return found


def find_leaks(paths: Iterable[Path], traces: Traces) -> Iterator[Leak]:
    """Every value that is left in the files at and below the paths, or in their names, and every opaque archive."""
    for path in _walk(paths):
        try:
            found = set[str]().union(*(traces.within(block) for block in _blocks(path)))
        except ValueError:
            found = {"(an archive that cannot be looked into)"}
        found |= traces.within(os.fsencode(path.name))
        yield from (Leak(path, name) for name in sorted(found))


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        if path.is_dir() and not path.is_symlink():
            yield from (each for each in sorted(path.rglob("*")) if each.is_file() and not each.is_symlink())
        elif path.is_file() and not path.is_symlink():
            yield path


def _blocks(path: Path) -> Iterator[bytes]:
    """The file, in pieces that overlap if it is very large."""
    try:
        with path.open("rb") as file:
            block = file.read(_BLOCK)
            while True:
                yield block
                following = file.read(_BLOCK)
                if not following:
                    return
                block = block[-_SEAM:] + following
    except OSError:
        return


class _Mark:
    """One value in any escaping: a literal run of it, and what must stand before and after."""

    def __init__(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        runs = re.findall(rb"[A-Za-z0-9]+", data)
        anchor = max(runs, key=len, default=b"")
        self._anchor = anchor if len(anchor) >= _ANCHOR else b""
        head, _, tail = data.partition(self._anchor) if self._anchor else (data, b"", b"")
        self._room = (len(head) * _ESCAPED, len(tail) * _ESCAPED)
        whole = _pattern(head, value)
        self._head = re.compile(whole + rb"\Z" if self._anchor else whole, re.DOTALL)
        self._tail = re.compile(_pattern(tail, value), re.DOTALL)

    def is_in(self, data: bytes) -> bool:
        """Whether the value is anywhere in the data."""
        if not self._anchor:
            return self._head.search(data) is not None
        at = data.find(self._anchor)
        while at >= 0:
            end = at + len(self._anchor)
            before, after = data[max(0, at - self._room[0]) : at], data[end : end + self._room[1]]
            if self._head.search(before) and self._tail.match(after):
                return True
            at = data.find(self._anchor, at + 1)
        return False


def _pattern(data: bytes, value: str) -> bytes:
    """A pattern for a part of the value, character by character."""
    text = data.decode("utf-8", "surrogatepass")
    del value
    return b"".join(map(_any_spelling, text))


def _any_spelling(character: str) -> bytes:
    """One character as it is, or as percent, backslash or ampersand escape it, as often as it may be."""
    number = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    if character.isascii() and character.isalnum():
        return raw
    ways = [rb"\\*" + re.escape(raw)]
    ways.append(b"".join(rb"%%(?:25)*(?i:%02x)" % byte for byte in raw))
    ways.append(b"".join(rb"\\+x(?i:%02x)" % byte for byte in raw))
    units = character.encode("utf-16-be", "surrogatepass")
    ways.append(b"".join(rb"\\+u(?i:%s)" % units[at : at + 2].hex().encode() for at in range(0, len(units), 2)))
    ways.append(rb"\\+U(?i:%08x)" % number)
    if number <= 0xFF:  # noqa: PLR2004  # what one byte of Latin-1 or \x can say
        ways.append(rb"\\+x(?i:%02x)" % number)
    ways.append(rb"&(?:amp;)*#(?:0*%d|[xX]0*(?i:%x));" % (number, number))
    ways += [rb"&(?:amp;)*%s;" % name.encode() for name in _NAMED.get(number, ())]
    if number in _LETTERS:
        ways.append(rb"\\+" + _LETTERS[number].encode())
    if character == "\n":
        ways.append(rb"\r\n")
    if character == " ":
        ways.append(rb"\+")
    if character == "'":
        ways.append(rb"'\"'\"'")
    return rb"\\*(?:" + b"|".join(dict.fromkeys(ways)) + b")"


def _views(data: bytes) -> Iterator[bytes]:
    """The data, and what it says in other encodings and alphabets."""
    yield data
    if b"\0" in data:
        for start in (0, 1):
            for order in ("utf-16-le", "utf-16-be"):
                yield data[start:].decode(order, "replace").encode("utf-8", "replace")
    if not data.isascii():
        yield data.decode("latin-1").encode("utf-8")
        yield data.decode("cp1252", "replace").encode("utf-8")
    digits = [match[0] for match in _HEXADECIMAL.finditer(data)]
    for start in (0, 1) if digits else ():
        yield b"\n".join(bytes.fromhex(_even(run[start:]).decode()) for run in digits)
    runs = [match[0].translate(_STANDARD) for match in _SIXTY_FOUR.finditer(data)]
    for start in range(4) if runs else ():
        joined = b"".join(run[start:] + b"A" * (-(len(run) - start) % 4) for run in runs)
        yield binascii.a2b_base64(joined)


def _even(run: bytes) -> bytes:
    return run[: len(run) // 2 * 2]


def _contents(data: bytes) -> Iterator[bytes]:
    """What is packed in the data, or in a run of base64 in it. Raises ValueError where it unpacks to too much."""
    if data.startswith(_ARCHIVE):
        yield from _members(data)
    elif data.startswith(_COMPRESSED):
        yield _inflated(data)
    for match in re.finditer(rb"(?:UEsDB|H4sI|eyJ)[A-Za-z0-9+/_-]{16,}", data):
        run = match[0].translate(_STANDARD)
        packed = binascii.a2b_base64(run + b"=" * (-len(run) % 4)) if len(run) % 4 != 1 else b""
        yield packed


def _members(data: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _UNPACKED:
                raise ValueError("the archive unpacks to too much")
            for member in archive.infolist():
                yield member.filename.encode("utf-8", "replace")
                yield archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError):
        return
    except RuntimeError as error:  # it asks for a password
        raise ValueError(str(error)) from error


def _inflated(data: bytes) -> bytes:
    decoder = zlib.decompressobj(31)
    try:
        inflated = decoder.decompress(data, _UNPACKED)
    except zlib.error:
        return b""
    if decoder.unconsumed_tail:
        raise ValueError("the file unpacks to too much")
    return inflated
