from __future__ import annotations

import gzip
import zlib

import pytest

from postdeploy.guard.limits import BODY_LIMIT
from postdeploy.guard.unpacking import HostileAnswerError, Unpacker

TEXT = b"harmless " * 500


def unpacked(names: list[str], data: bytes, piece: int = 1000) -> bytes:
    """What a body says that comes in pieces."""
    unpacker = Unpacker(names)
    said = [part for at in range(0, len(data), piece) for part in unpacker.decode(data[at : at + piece])]
    return b"".join((*said, *unpacker.flush()))


def _bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("names", "data"),
    [
        ([], TEXT),
        (["gzip"], gzip.compress(TEXT)),
        (["x-gzip"], gzip.compress(TEXT)),
        (["deflate"], zlib.compress(TEXT)),
        (["deflate"], _bare(TEXT)),
        (["deflate", "gzip"], gzip.compress(zlib.compress(TEXT))),
    ],
    ids=["plain", "gzip", "x-gzip", "deflate", "bare deflate", "deflate in gzip"],
)
@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_a_body_is_unpacked_as_it_comes(names: list[str], data: bytes, piece: int) -> None:
    """Each encoding, both formats of deflate, one within the other, however it is cut."""
    assert unpacked(names, data, piece) == TEXT


def test_pieces_stay_small() -> None:
    """A few bytes that unpack to megabytes are given out bit by bit."""
    sizes = [len(part) for part in Unpacker(["gzip"]).decode(gzip.compress(bytes(1 << 20)))]
    assert max(sizes) <= 64 * 1024
    assert sum(sizes) == 1 << 20


@pytest.mark.parametrize(
    ("names", "data", "code"),
    [
        (["gzip"], gzip.compress(bytes(BODY_LIMIT + 1)), "protocol_too_large"),
        (["gzip", "gzip"], gzip.compress(gzip.compress(bytes(BODY_LIMIT + 1))), "protocol_too_large"),
        (["gzip"], b"no gzip at all", "protocol_encoding"),
        (["deflate"], b"\xff\xff\xff no deflate", "protocol_encoding"),
        (["gzip"], gzip.compress(TEXT)[:-9], "protocol_truncated"),
        (["gzip"] * 4, b"", "protocol_encoding"),
    ],
    ids=["bomb", "bomb in gzip", "no gzip", "no deflate", "truncated", "four encodings"],
)
def test_a_hostile_body_is_refused_with_its_reason(names: list[str], data: bytes, code: str) -> None:
    """Bombs, wrong and truncated encodings, and too many of them."""
    with pytest.raises(HostileAnswerError) as refused:
        unpacked(names, data)
    assert (refused.value.code, refused.value.target_fault) == (code, True)
