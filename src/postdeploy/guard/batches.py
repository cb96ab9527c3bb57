"""Small texts looked through as one: a search costs more to begin than a kilobyte costs to search.

What is in none of them is not in the whole either, or is found across a joint: then each is looked through by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

__all__ = ["SMALL", "batches", "joined"]

SMALL: Final = 1 << 16
"""Bytes of the largest file that is looked through together with others."""

_FULL: Final = 1 << 22
_PACKED: Final = (b"PK", b"\x1f\x8b")

Key = TypeVar("Key")


def batches(pieces: Iterable[tuple[Key, bytes]]) -> Iterator[dict[Key, bytes]]:
    """Contents in groups of a few megabytes; one that is large, binary or packed is in a group of its own."""
    batch: dict[Key, bytes] = {}
    size = 0
    for key, content in pieces:
        if len(content) > SMALL or b"\0" in content or content.startswith(_PACKED):
            yield {key: content}
            continue
        batch[key] = content
        size += len(content)
        if size >= _FULL:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def joined(contents: Iterable[bytes]) -> bytes:
    """All of them, apart by what neither hex nor base64 has."""
    return b"\n".join(contents)
