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
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from postdeploy.guard.batches import SMALL, batches, joined
from postdeploy.guard.mark import Mark

__all__ = ["Leak", "Traces", "find_leaks"]

_BLOCK: Final = 1 << 26
_SEAM: Final = 1 << 20
_PIECE: Final = 1 << 16
_LONGEST: Final = 1 << 10
"""More bytes than an anchor has in hex or base64."""

_UNPACKED: Final = 1 << 29
_DEPTH: Final = 4
_HEXADECIMAL: Final = re.compile(rb"(?:[0-9a-fA-F]{2}){6,}[0-9a-fA-F]?")
_SIXTY_FOUR: Final = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_OTHERS: Final = bytes(set(range(256)) - set(_ALPHABET))
_ARCHIVE: Final = (b"PK\x03\x04", b"PK\x05\x06")
_COMPRESSED: Final = b"\x1f\x8b"
_PACKED: Final = (b"UEsDB", b"H4sI", b"eyJ")
"""How an archive, a compressed file and an object of JSON begin in base64."""


class Leak(NamedTuple):
    """A secret that was found: in which file, and its name."""

    path: Path
    secret: str


_Marks = list[tuple[str, Mark]]
"""With the name of each value."""


class Traces:
    """Knows what some values look like, whatever was done to them.

    Args:
        values: the texts to look for, by the name under which a find is told.
    """

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        self._marks = [(name, Mark(value)) for name, value in values]

    def within(self, data: bytes, depth: int = 0) -> set[str]:
        """The names of the values that are somewhere in the data. Raises ValueError where it unpacks to too much."""
        found = {name for view, marks in _views(data, self._marks) for name, mark in marks if mark.is_in(view)}
        if depth < _DEPTH:
            for inner in _contents(data):
                found |= self.within(inner, depth + 1)
        return found


def find_leaks(paths: Iterable[Path], traces: Traces) -> Iterator[Leak]:
    """Every value that is left in the files at and below the paths, or in their names, and every opaque archive."""
    for batch in batches((path, _beginning(path)) for path in _walk(paths)):
        if len(batch) == 1 or _may_leak(batch, traces):
            for path in batch:
                yield from (Leak(path, name) for name in sorted(_left_in(path, traces)))


def _may_leak(batch: dict[Path, bytes], traces: Traces) -> bool:
    names = (os.fsencode(path.name) for path in batch)
    try:
        return bool(traces.within(joined((*names, *batch.values()))))
    except ValueError:
        return True


def _left_in(path: Path, traces: Traces) -> set[str]:
    try:
        found = set[str]().union(*(traces.within(block) for block in _blocks(path)))
    except ValueError:
        found = {"(an archive that cannot be looked into)"}
    return found | traces.within(os.fsencode(path.name))


def _walk(paths: Iterable[Path]) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        if path.is_dir() and not path.is_symlink():
            for folder, _folders, names in sorted(os.walk(path)):
                yield from (each for name in sorted(names) if _is_regular(each := Path(folder, name)))
        elif _is_regular(path):
            yield path


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _beginning(path: Path) -> bytes:
    """All of a small file, and a little more of another than a small one has."""
    try:
        with path.open("rb") as file:
            return file.read(SMALL + 1)
    except OSError:
        return b""


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


def _views(data: bytes, marks: _Marks) -> Iterator[tuple[bytes, _Marks]]:
    """The data, and what it says in other encodings and alphabets, each with the marks that may be there."""
    yield data, marks
    if b"\0" in data:
        for start in (0, 1):
            for order in ("utf-16-le", "utf-16-be"):
                yield data[start:].decode(order, "replace").encode("utf-8", "replace"), marks
    if not data.isascii() and (beyond := [pair for pair in marks if not pair[1].is_ascii]):
        yield data.decode("latin-1").encode("utf-8"), beyond
        yield data.decode("cp1252", "replace").encode("utf-8"), beyond
    likely = [pair for pair in marks if pair[1].has_digits_in(data)]
    if near := _near(data, likely, bytes.lower, Mark.may_be_hexadecimal_in):
        yield from ((view, near) for view in _from_hexadecimal(data))
    likely = [pair for pair in marks if pair[1].has_letters_in(data)]
    if near := _near(data, likely, _letters, Mark.may_be_base64_in):
        yield from ((view, near) for view in _from_base64(data))


def _near(
    data: bytes, marks: _Marks, reduced: Callable[[bytes], bytes], may_be_in: Callable[[Mark, bytes], bool]
) -> _Marks:
    """The marks that may be in the data once it is reduced: piece by piece, for large new memory is slow."""
    near: _Marks = []
    held = b""
    for at in range(0, len(data), _PIECE) if marks else ():
        held = held[-_LONGEST:] + reduced(data[at : at + _PIECE])
        near += [pair for pair in marks if pair not in near and may_be_in(pair[1], held)]
    return near


def _letters(data: bytes) -> bytes:
    """What of the data may be base64, which may be wrapped."""
    return data.translate(None, _OTHERS)


def _from_hexadecimal(data: bytes) -> Iterator[bytes]:
    digits = [match[0] for match in _HEXADECIMAL.finditer(data)]
    for start in (0, 1) if digits else ():
        yield b"\n".join(bytes.fromhex(_even(run[start:]).decode()) for run in digits)


def _from_base64(data: bytes) -> Iterator[bytes]:
    runs = [match[0].translate(_STANDARD) for match in _SIXTY_FOUR.finditer(data)]
    for start in range(4) if runs else ():
        whole = b"".join(run[start:] + b"A" * (-(len(run) - start) % 4) for run in runs)
        yield binascii.a2b_base64(whole)


def _even(run: bytes) -> bytes:
    return run[: len(run) // 2 * 2]


def _contents(data: bytes) -> Iterator[bytes]:
    """What is packed in the data, or in a run of base64 in it. Raises ValueError where it unpacks to too much."""
    if data.startswith(_ARCHIVE):
        yield from _members(data)
    elif data.startswith(_COMPRESSED):
        yield _inflated(data)
    if not any(all(map(data.__contains__, beginning)) and beginning in data for beginning in _PACKED):
        return
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
