"""Content encodings are taken off a body as it comes, with a bound: a few bytes must not become gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpx2

from postdeploy.errors import ProbeError
from postdeploy.guard.limits import BODY_LIMIT, ENCODINGS_LIMIT

__all__ = ["PACKINGS", "HostileAnswerError", "Unpacker"]

_READ: Final = 64 * 1024
_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15
_HEADER: Final = 2
PACKINGS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""The encodings that are known, and the windows of zlib that they may have."""


class HostileAnswerError(ProbeError, httpx2.RemoteProtocolError):
    """An answer that breaks the protocol or exceeds a bound: the target's failure, for pytest and for httpx2."""


class Unpacker:
    """Takes the content encodings off a body as it comes, with a bound; unknown ones stay."""

    def __init__(self, names: list[str]) -> None:
        if len(names) > ENCODINGS_LIMIT:
            raise HostileAnswerError("protocol_encoding", f"the body is encoded {len(names)} times")
        self._layers = [_Layer(name) for name in reversed(names)]

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What a piece of the body says."""
        pieces: Iterable[bytes] = (data,)
        for layer in self._layers:
            pieces = layer.pieces(pieces)
        yield from pieces

    def flush(self) -> Iterator[bytes]:
        """Nothing is held back, but the end must have come."""
        for layer in self._layers:
            layer.require_end()
        return iter(())


class _Layer:
    """One content encoding."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._windows = list(PACKINGS[name])
        self._decoder: Any = None
        self._size = 0
        self._begun = b""

    def pieces(self, packed: Iterable[bytes]) -> Iterator[bytes]:
        """What pieces say, each at most 64 KiB. Raises HostileAnswerError."""
        for data in packed:
            rest = data
            while rest and not (self._decoder and self._decoder.eof):
                unpacked = self._unpacked(rest)
                rest = self._decoder.unconsumed_tail
                self._size += len(unpacked)
                if self._size > BODY_LIMIT:
                    text = f"the {self._name} body unpacks to more than {BODY_LIMIT} bytes"
                    raise HostileAnswerError("protocol_too_large", text)
                if unpacked:
                    yield unpacked

    def _unpacked(self, data: bytes) -> bytes:
        """Deflate is zlib's format by the book (RFC 9110 §8.4.1.2) and bare in what some servers send."""
        while True:
            if self._decoder is None:
                self._decoder = zlib.decompressobj(self._windows.pop(0))
                data, self._begun = self._begun + data, b""
            try:
                unpacked: bytes = self._decoder.decompress(data, _READ)
            except zlib.error as error:
                if self._size or not self._windows:
                    text = f"the body is not {self._name} at offset {self._size} of what it says: {error}"
                    raise HostileAnswerError("protocol_encoding", text) from error
                self._decoder = None
            else:
                if self._windows and len(self._begun) < _HEADER:  # one byte may be the beginning of either
                    self._begun += data[:_HEADER]
                return unpacked

    def require_end(self) -> None:
        """Raise HostileAnswerError for a body that ends in the middle."""
        if self._decoder is not None and not self._decoder.eof:
            text = f"the {self._name} body ends too early, at offset {self._size} of what it says"
            raise HostileAnswerError("protocol_truncated", text)
