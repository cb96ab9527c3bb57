"""Dead Simple Signing Envelopes: https://github.com/secure-systems-lab/dsse, version 1.0.

An envelope of ours has one signature and one spelling, so that no bit of the file can be altered unnoticed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

from postdeploy.documents import parse, render_document
from postdeploy.domain.reading import text
from postdeploy.errors import SignatureError
from postdeploy.signing import PrivateKey, PublicKey

__all__ = ["PAYLOAD_TYPE", "open_envelope", "pre_authentication_encoding", "seal_envelope"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the type and the payload, each after its length."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal_envelope(payload: bytes, key: PrivateKey) -> bytes:
    """The envelope as a file. Raises SignatureError without the library."""
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return _render(payload, key.public().id, signature)


def open_envelope(content: bytes, keys: Iterable[PublicKey]) -> bytes:
    """The payload, which one of the keys has signed; nothing of it was parsed. Raises SignatureError."""
    payload, name, signature = _parts(content)
    key = {key.id: key for key in keys}.get(name)
    if key is None:
        raise SignatureError(f"signed with key {name}, which is none of those that are demanded")
    if not key.verifies(signature, pre_authentication_encoding(PAYLOAD_TYPE, payload)):
        raise SignatureError(f"the signature of key {name} does not fit: the statement was altered")
    if content != _render(payload, name, signature):
        raise SignatureError("the envelope is not written as it was sealed")
    return payload


def _parts(content: bytes) -> tuple[bytes, str, bytes]:
    """Payload, id of the key and signature, as the file claims."""
    try:
        envelope: Mapping[str, Any] = parse(content)
        kind, payload, signatures = envelope["payloadType"], envelope["payload"], envelope["signatures"]
        if kind != PAYLOAD_TYPE:
            raise SignatureError(f"the type of the payload is {kind!r}, not {PAYLOAD_TYPE!r}")
        if len(signatures) != 1:
            raise SignatureError(f"the envelope has {len(signatures)} signatures, not one")
        return _decode(payload), text(signatures[0]["keyid"]), _decode(signatures[0]["sig"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SignatureError(f"not an envelope: {error!r}") from error


def _decode(encoded: str) -> bytes:
    return base64.b64decode(text(encoded), validate=True)


def _render(payload: bytes, name: str, signature: bytes) -> bytes:
    signatures = [{"keyid": name, "sig": base64.b64encode(signature).decode()}]
    payload_text = base64.b64encode(payload).decode()
    return render_document({"payloadType": PAYLOAD_TYPE, "payload": payload_text, "signatures": signatures})
