from __future__ import annotations

import io
import zipfile

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.guard.sieve import SecretLeftError, Sieve

TOKEN = "tok-5f3a9c77b1"


@pytest.fixture
def sieve() -> Sieve:
    """Knows one secret."""
    return Sieve(Redactor([Secret("token", TOKEN)]))


def test_secrets_are_masked(sieve: Sieve) -> None:
    """Also within archives; the rest stays as it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", f"before {TOKEN} after")
    assert sieve({"a.txt": f"before {TOKEN} after".encode()}) == {"a.txt": b"before *** after"}
    with zipfile.ZipFile(io.BytesIO(sieve({"a.zip": packed.getvalue()})["a.zip"])) as archive:
        assert archive.read("a") == b"before *** after"


def test_what_the_masking_does_not_know_is_found(sieve: Sieve) -> None:
    """An escaping that no format of ours has is recognised by the second look, which names no value."""
    odd = TOKEN.replace("-", "%25252D").encode()
    with pytest.raises(SecretLeftError, match="it holds token after masking") as refused:
        sieve({"a.txt": odd})
    assert TOKEN not in str(refused.value)


def test_a_name_may_not_tell_either(sieve: Sieve) -> None:
    """A file whose name is a secret is not written."""
    with pytest.raises(SecretLeftError, match="token"):
        sieve({f"{TOKEN}.json": b"{}"})


def test_an_opaque_archive_is_refused(sieve: Sieve) -> None:
    """What asks for a password may hold anything."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a", "x" * 100)
    data = bytearray(packed.getvalue())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(SecretLeftError, match="cannot be looked into"):
        sieve({"a.zip": bytes(data)})
