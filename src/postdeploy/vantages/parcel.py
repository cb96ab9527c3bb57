"""Files on their way between machines: a JSON object of contents by path, bounded, nothing outside."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from postdeploy.documents import read_regular
from postdeploy.errors import VantageError

__all__ = ["gather", "to_json", "unpack"]


def to_json(files: Mapping[str, bytes]) -> dict[str, str]:
    """Contents by path, as JSON builtins."""
    return {path: b64encode(content).decode("ascii") for path, content in files.items()}


def gather(folder: Path, paths: Iterable[Path], most: int) -> dict[str, bytes]:
    """Regular files below a folder by their path there, as many of them, in order, as fit into ``most`` bytes."""
    files: dict[str, bytes] = {}
    for path in paths:
        try:
            content = read_regular(path)
        except OSError:
            continue  # a file that is gone is missed by those who look at it, not by the verdict
        if len(content) <= most:
            files[path.relative_to(folder).as_posix()] = content
            most -= len(content)
    return files


def unpack(raw: Any, folder: Path) -> None:
    """Write the files of a parcel below a folder that is ours and empty. Raises VantageError for any other path."""
    if not isinstance(raw, Mapping):
        raise VantageError("the parcel is no object of files")
    for name, content in raw.items():
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in name or "\0" in name:
            raise VantageError(f"the parcel holds a file {name!r}, which lies elsewhere")
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b64decode(content, validate=True))
        except (OSError, ValueError, TypeError) as error:
            raise VantageError(f"the parcel holds a file {name!r} that cannot be written: {error}") from error
