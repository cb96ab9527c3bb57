from __future__ import annotations

import sys
from pathlib import Path

import pytest

from postdeploy.errors import SignatureError
from postdeploy.signing import PrivateKey, PublicKey, new_key, read_key
from tests.sealed import KEY, OTHER_KEY


def test_round_trip() -> None:
    """Keys come back from their files; only the right one verifies, and only what was signed."""
    key = new_key()
    again, public = PrivateKey.from_pem(key.pem()), PublicKey.from_pem(key.public().pem())
    signature = again.sign(b"message")
    assert len(signature) == 64
    assert public.verifies(signature, b"message")
    assert not public.verifies(signature, b"massage")
    assert not public.verifies(signature[:-1], b"message")
    assert not public.verifies(b"", b"message")
    assert not OTHER_KEY.public().verifies(signature, b"message")
    assert key.pem() != new_key().pem()


def test_a_known_key() -> None:
    """The first test of RFC 8032, section 7.1."""
    key = PrivateKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public().raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974")


def test_other_tools_read_the_files(tmp_path: Path) -> None:
    """Both files are what the library, and so OpenSSL, writes for these keys."""
    from cryptography.hazmat.primitives import serialization

    private = serialization.load_pem_private_key(KEY.pem(), None)
    assert private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) == KEY.pem()  # fmt: skip
    public = serialization.load_pem_public_key(KEY.public().pem())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    assert public.public_bytes(serialization.Encoding.PEM, form) == KEY.public().pem()
    import hashlib

    der = public.public_bytes(serialization.Encoding.DER, form)
    assert KEY.public().id == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        (b"", "not an Ed25519 public key in PEM: make a pair with 'postdeploy keygen'"),
        (b"-----BEGIN PUBLIC KEY-----", "not an Ed25519 public key in PEM"),
        (KEY.pem(), "not an Ed25519 public key in PEM"),
        (KEY.public().pem().replace(b"END PUBLIC", b"END PRIVATE"), "not an Ed25519 public key in PEM"),
        (KEY.public().pem().replace(b"BEGIN PUBLIC", b"BEGIN PRIVATE"), "not an Ed25519 public key in PEM"),
        (
            b"-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n",
            "25519 public key in PEM whose base64 is broken",
        ),
        (
            b"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
            "in PEM, but not one of Ed25519",
        ),
        (b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 60 + b"\n-----END PUBLIC KEY-----\n", "not one of Ed25519"),
    ],
)
def test_what_is_no_key(pem: bytes, words: str) -> None:
    """A file that is no public key is refused with what is wrong with it."""
    with pytest.raises(SignatureError, match=f".*{words}"):
        PublicKey.from_pem(pem)


def test_a_private_key_is_never_quoted() -> None:
    """What is wrong with a private key is told without it, and it does not show itself."""
    secret = KEY.pem().splitlines()[1].decode()
    for wrong in (secret.encode(), KEY.pem()[:-20], KEY.pem().replace(b"MC4C", b"MC5C")):
        with pytest.raises(SignatureError) as caught:
            PrivateKey.from_pem(wrong)
        assert secret[4:] not in str(caught.value)
        assert "private key" in str(caught.value)
    assert bytes(range(32)).hex() not in repr(KEY)


def test_spaces_around_lines_do_not_matter() -> None:
    """A variable of a CI system may have lost its last line end, or gained carriage returns."""
    assert PublicKey.from_pem(KEY.public().pem().strip().replace(b"\n", b"\r\n")) == KEY.public()
    begin, body, end = KEY.public().pem().splitlines()
    assert PublicKey.from_pem(b"\n".join([begin, body[:40], body[40:], end])) == KEY.public()


def test_where_keys_stand(tmp_path: Path) -> None:
    """A key is read from a file, or from a variable that is named."""
    path = tmp_path / "some.key"
    path.write_bytes(b"from a file")
    assert read_key(str(path), {}) == b"from a file"
    assert read_key("env:SOME_KEY", {"SOME_KEY": "from a variable"}) == b"from a variable"
    for environment in ({}, {"SOME_KEY": ""}):
        with pytest.raises(SignatureError, match=r"in variable 'SOME_KEY', which is not set or empty"):
            read_key("env:SOME_KEY", environment)
    with pytest.raises(SignatureError, match=r"other\.key: the key cannot be read: no such file"):
        read_key(str(tmp_path / "other.key"), {})


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cryptography is not installed, the message says what to install."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    uses = (
        new_key,
        KEY.public,
        lambda: KEY.sign(b""),
        lambda: PublicKey(bytes(32)).verifies(b"", b""),
    )
    for use in uses:
        with pytest.raises(SignatureError) as caught:
            use()
        assert str(caught.value) == (
            "signatures need the package cryptography: python -m pip install 'pytest-postdeploy[sign]'"
        )
