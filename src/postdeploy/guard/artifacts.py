"""Secrets are taken out of files that a run leaves behind, also inside archives and what is packed as base64."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from postdeploy.domain.redaction import Redactor
from postdeploy.guard.batches import SMALL, batches, joined

__all__ = ["files_below", "scrub_file", "scrub_files", "scrubbed"]

_ZIP: Final = b"PK\x03\x04"
_GZIP: Final = b"\x1f\x8b\x08"
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PACKED: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_LONG: Final = b"A" * 40
_SHAPE: Final = bytes.maketrans(_LETTERS, b"A" * len(_LETTERS))
_PIECE: Final = 1 << 16
_NESTED: Final = 4
_UNPACKED: Final = 1 << 29
_HEAD: Final = 8192
_CHUNK: Final = 1 << 26
_OVERLAP: Final = 1 << 20


def files_below(paths: Iterable[Path]) -> Iterator[Path]:
    """Every regular file at or below these paths; links are not followed."""
    for path in dict.fromkeys(paths):
        if path.is_dir() and not path.is_symlink():
            for folder, _folders, names in os.walk(path):
                yield from (each for name in names if _is_regular(each := Path(folder, name)))
        elif _is_regular(path):
            yield path


def _is_regular(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(os.lstat(path).st_mode)
    return False


def scrub_files(paths: Iterable[Path], redactor: Redactor) -> list[Path]:
    """Mask every secret in these files; returns those that held one. Files that cannot be written stay as they are."""
    changed = []
    for batch in batches((path, _beginning(path)) for path in paths):
        if len(batch) == 1 or scrubbed(whole := joined(batch.values()), redactor) != whole:
            changed += [path for path in batch if _is_scrubbed(path, redactor)]
    return changed


def _beginning(path: Path) -> bytes:
    """All of a small file, and a little more of another than a small one has."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(SMALL + 1)
    return b""


def _is_scrubbed(path: Path, redactor: Redactor) -> bool:
    with suppress(OSError):
        return scrub_file(path, redactor)
    return False


def scrub_file(path: Path, redactor: Redactor) -> bool:
    """Mask every secret in a file, which is replaced as a whole; returns whether it held one. Raises OSError."""
    if path.stat().st_size > _CHUNK:
        return _scrub_large(path, redactor)
    data = path.read_bytes()
    clean = scrubbed(data, redactor)
    if clean == data:
        return False
    _replace(path, clean)
    return True


def scrubbed(data: bytes, redactor: Redactor, nested: int = 0) -> bytes:
    """The content of a file with every secret masked; the same object if it holds none."""
    if nested < _NESTED:
        with suppress(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            if data.startswith(_ZIP):
                return _scrubbed_zip(data, redactor, nested + 1)
            if data.startswith(_GZIP):
                return _scrubbed_gzip(data, redactor, nested + 1)
        data = _scrubbed_base64(data, redactor, nested + 1)
    binary = b"\0" in data[:_HEAD]  # formats with offsets break if anything in them moves
    return redactor.content(data, keep_length=binary)


def _scrubbed_zip(data: bytes, redactor: Redactor, nested: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > _UNPACKED:
            raise ValueError("unpacks to too much")
        before = [archive.read(entry) for entry in entries]
    after = [scrubbed(content, redactor, nested) for content in before]
    names = [redactor.text(entry.filename) for entry in entries]
    if after == before and names == [entry.filename for entry in entries]:
        return data
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for entry, name, content in zip(entries, names, after, strict=True):
            fresh = zipfile.ZipInfo(name, entry.date_time)
            fresh.compress_type, fresh.external_attr = entry.compress_type, entry.external_attr
            archive.writestr(fresh, content)
    return packed.getvalue()


def _scrubbed_gzip(data: bytes, redactor: Redactor, nested: int) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        before = file.read(_UNPACKED + 1)
    if len(before) > _UNPACKED:
        raise ValueError("unpacks to too much")
    after = scrubbed(before, redactor, nested)
    return data if after == before else gzip.compress(after, mtime=0)


def _scrubbed_base64(data: bytes, redactor: Redactor, nested: int) -> bytes:
    """Long runs of base64 are unpacked, since a secret in them may be escaped or compressed."""
    pieces, done = [], 0
    while (at := _long_run(data, done)) >= 0:
        run = _PACKED.match(data, at)
        assert run is not None  # noqa: S101  # its shape says so
        pieces += [data[done:at], _repacked(run[0], redactor, nested)]
        done = run.end()
    return b"".join((*pieces, data[done:])) if pieces else data


def _long_run(data: bytes, begin: int) -> int:
    """Where the next long run of base64 begins, or -1; looked for piece by piece, for large new memory is slow."""
    for at in range(begin, len(data), _PIECE):
        found = data[at : at + _PIECE + len(_LONG) - 1].translate(_SHAPE).find(_LONG)
        if found >= 0:
            return at + found
    return -1


def _repacked(run: bytes, redactor: Redactor, nested: int) -> bytes:
    try:
        before = base64.b64decode(run.rstrip(b"=") + b"=" * (-len(run.rstrip(b"=")) % 4))
    except binascii.Error:
        return run
    after = scrubbed(before, redactor, nested)
    return run if after == before else base64.b64encode(after)


def _scrub_large(path: Path, redactor: Redactor) -> bool:
    """A file that is not read at once; an archive of this size is opaque, which the scan of the reports tells."""
    temporary = _beside(path)
    changed, held = False, b""
    try:
        with path.open("rb") as source, temporary.open("xb") as file:
            while chunk := source.read(_CHUNK):
                data = held + chunk
                clean = redactor.content(data, keep_length=True)
                changed = changed or clean != data
                file.write(clean[:-_OVERLAP])
                held = clean[-_OVERLAP:]
            file.write(held)
        if changed:
            _take_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return changed


def _replace(path: Path, content: bytes) -> None:
    temporary = _beside(path)
    try:
        temporary.write_bytes(content)
        _take_place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _take_place(temporary: Path, path: Path) -> None:
    temporary.chmod(path.stat().st_mode & 0o777)
    temporary.replace(path)
