"""Ed25519 keys in PEM files (RFC 8410), and signing with them.

The signature is the library's; it is imported where it is used, because most runs and gates demand none.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.documents import why
from postdeploy.errors import SignatureError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["VARIABLE", "PrivateKey", "PublicKey", "new_key", "read_key"]

_PRIVATE: Final = bytes.fromhex("302e020100300506032b657004220420")
_PUBLIC: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of a key in DER: PrivateKeyInfo and SubjectPublicKeyInfo with the id of Ed25519."""

_SIZE: Final = 32
VARIABLE: Final = "env:"
_LACKING: Final = "signatures need the package cryptography: python -m pip install 'pytest-postdeploy[sign]'"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are checked with; ``raw`` are its 32 bytes."""

    raw: bytes

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """Read it. Raises SignatureError."""
        return cls(_unwrap(pem, "PUBLIC KEY", _PUBLIC))

    @property
    def id(self) -> str:
        """SHA-256 of the key as it stands in a certificate: what ``openssl pkey -outform DER | sha256sum`` prints."""
        return hashlib.sha256(_PUBLIC + self.raw).hexdigest()

    def pem(self) -> bytes:
        """As a file."""
        return _wrap("PUBLIC KEY", _PUBLIC + self.raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is of this key over this message. Raises SignatureError without the library."""
        library = _library()
        from cryptography.exceptions import InvalidSignature

        try:
            library.Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class PrivateKey:
    """A key to sign with; it never shows itself."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    @classmethod
    def from_pem(cls, pem: bytes) -> PrivateKey:
        """Read it. Raises SignatureError."""
        return cls(_unwrap(pem, "PRIVATE KEY", _PRIVATE))

    def pem(self) -> bytes:
        """As a file."""
        return _wrap("PRIVATE KEY", _PRIVATE + self._raw)

    def public(self) -> PublicKey:
        """The other half. Raises SignatureError without the library."""
        return PublicKey(self._key().public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature over a message. Raises SignatureError without the library."""
        signature: bytes = self._key().sign(message)
        return signature

    def _key(self) -> Any:
        return _library().Ed25519PrivateKey.from_private_bytes(self._raw)


def read_key(place: str, environment: Mapping[str, str]) -> bytes:
    """The PEM that stands in a file, or in a variable that is named as ``env:NAME``. Raises SignatureError."""
    if place.startswith(VARIABLE):
        name = place.removeprefix(VARIABLE)
        if not environment.get(name):
            raise SignatureError(f"the key is to be in variable '{name}', which is not set or empty")
        return environment[name].encode()
    try:
        with open(place, "rb") as file:  # noqa: PTH123  # the launcher does without pathlib
            return file.read()
    except OSError as error:
        raise SignatureError(f"{place}: the key cannot be read: {why(error)}") from error


def new_key() -> PrivateKey:
    """A fresh key. Raises SignatureError without the library."""
    return PrivateKey(_library().Ed25519PrivateKey.generate().private_bytes_raw())


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise SignatureError(_LACKING) from error
    return ed25519


def _wrap(label: str, content: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n{base64.b64encode(content).decode()}\n-----END {label}-----\n".encode()


def _unwrap(pem: bytes, label: str, prefix: bytes) -> bytes:
    """The 32 bytes of a key; a message never quotes what was read, for it may be a secret."""
    lines = pem.strip().splitlines()
    if [*lines[:1], *lines[-1:]] != [f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()]:
        raise SignatureError(f"not an Ed25519 {label.lower()} in PEM: make a pair with 'postdeploy keygen'")
    try:
        content = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error as error:
        raise SignatureError(f"an Ed25519 {label.lower()} in PEM whose base64 is broken") from error
    if not content.startswith(prefix) or len(content) != len(prefix) + _SIZE:
        raise SignatureError(f"a {label.lower()} in PEM, but not one of Ed25519")
    return content[len(prefix) :]
