"""Taking the content encoding off a body, with a bound, so that a few bytes cannot become gigabytes."""

from __future__ import annotations

import zlib
from typing import Final

from postdeploy.errors import ProbeError
from postdeploy.guard.limits import BODY_LIMIT, ENCODINGS_LIMIT

__all__ = ["BODY_LIMIT", "decode_body"]

_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15
_WINDOWS: Final = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}


def decode_body(body: bytes, encoding: str) -> bytes:
    """The body without the encodings that the header names; unknown ones stay. Raises ProbeError."""
    names = [name for name in map(str.strip, encoding.lower().split(",")) if name in _WINDOWS]
    if len(names) > ENCODINGS_LIMIT:
        raise ProbeError("protocol_encoding", f"the body is encoded {len(names)} times")
    for name in reversed(names):
        body = _undo(name, body) if body else body
    return body


def _undo(name: str, body: bytes) -> bytes:
    """Deflate is zlib's format by the book (RFC 9110 §8.4.1.2) and bare in what some servers send."""
    problem: zlib.error | None = None
    for window in _WINDOWS[name]:
        try:
            return _inflate(name, body, window)
        except zlib.error as error:
            problem = problem or error
    raise ProbeError("protocol_encoding", f"the body is not {name}: {problem}") from problem


def _inflate(name: str, body: bytes, window: int) -> bytes:
    decoded, rest = b"", body
    while rest:
        decoder = zlib.decompressobj(window)
        decoded += decoder.decompress(rest, BODY_LIMIT + 1 - len(decoded))
        if len(decoded) > BODY_LIMIT:
            raise ProbeError("protocol_too_large", f"the {name} body unpacks to more than {BODY_LIMIT} bytes")
        if not decoder.eof:
            raise ProbeError("protocol_truncated", f"the {name} body ends too early")
        rest = decoder.unused_data if window == _GZIP and decoder.unused_data.startswith(b"\x1f\x8b") else b""
    return decoded
