from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from postdeploy.documents import render_document
from postdeploy.dsse import PAYLOAD_TYPE, open_envelope, pre_authentication_encoding, seal_envelope
from postdeploy.errors import SignatureError
from postdeploy.signing import PrivateKey
from tests.sealed import KEY, OTHER_KEY

PAYLOAD = b'{"some": "statement"}'
ENVELOPE = seal_envelope(PAYLOAD, KEY)
PUBLIC = (OTHER_KEY.public(), KEY.public())


def changed(**changes: Any) -> bytes:
    """The envelope with other values, in our own handwriting."""
    return render_document(json.loads(ENVELOPE) | changes)


def signed(**changes: Any) -> bytes:
    """The envelope whose signature has other values."""
    return changed(signatures=[json.loads(ENVELOPE)["signatures"][0] | changes])


def signature(payload_type: str, payload: bytes, key: PrivateKey = KEY) -> str:
    """A signature that was really made."""
    return base64.b64encode(key.sign(pre_authentication_encoding(payload_type, payload))).decode()


def test_pre_authentication_encoding() -> None:
    """The example of the specification, and lengths in bytes."""
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pre_authentication_encoding("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_sealed() -> None:
    """An envelope has the type, the payload and one signature with the id of its key; it opens with that key."""
    envelope = seal_envelope(PAYLOAD, KEY)
    said = json.loads(envelope)
    assert said == {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(PAYLOAD).decode(),
        "signatures": [{"keyid": KEY.public().id, "sig": signature(PAYLOAD_TYPE, PAYLOAD)}],
    }
    assert envelope == ENVELOPE
    assert open_envelope(envelope, PUBLIC) == PAYLOAD


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an envelope"),
        (b"[]", "not an envelope"),
        (b"{}", "not an envelope: KeyError('payloadType')"),
        (b"[" * 99999, "not an envelope"),
        (changed(payloadType="text/plain"), "the type of the payload is 'text/plain', not 'application/vnd.in-toto"),
        (changed(payloadType=None), "the type of the payload is None"),
        (changed(payload="!"), "not an envelope"),
        (changed(payload=3), "not an envelope"),
        (changed(signatures=[]), "the envelope has 0 signatures, not one"),
        (changed(signatures=json.loads(ENVELOPE)["signatures"] * 2), "the envelope has 2 signatures, not one"),
        (changed(signatures=None), "not an envelope"),
        (signed(sig=""), "does not fit"),
        (signed(sig=None), "not an envelope"),
        (signed(keyid=None), "not an envelope"),
        (signed(keyid=KEY.public().id.upper()), "which is none of those that are demanded"),
        (signed(keyid="ab"), "signed with key ab, which is none of those that are demanded"),
        (signed(keyid=OTHER_KEY.public().id), f"the signature of key {OTHER_KEY.public().id} does not fit"),
        (signed(sig=signature("text/plain", PAYLOAD)), "does not fit"),
        (signed(sig=signature(PAYLOAD_TYPE, PAYLOAD + b" ")), "does not fit"),
        (signed(sig=signature(PAYLOAD_TYPE, PAYLOAD, OTHER_KEY)), "does not fit"),
        (changed(payload=base64.b64encode(PAYLOAD + b" ").decode()), "does not fit"),
        (changed(more="x"), "envelope is not written as it was sealed"),
        (json.dumps(json.loads(ENVELOPE)).encode(), "the envelope is not written as it was sealed"),
    ],
)
def test_refused(content: bytes, words: str) -> None:
    """Whatever is another envelope than the one that was sealed is refused, and the sentence says why."""
    with pytest.raises(SignatureError) as caught:
        open_envelope(content, PUBLIC)
    assert words in str(caught.value)
    assert str(caught.value)[:3] in {"not", "the", "sig"}


def test_no_key_opens_nothing() -> None:
    """A key that is not demanded, or none at all, opens no envelope."""
    for keys in ((), (OTHER_KEY.public(),)):
        with pytest.raises(SignatureError, match="none of those that are demanded"):
            open_envelope(ENVELOPE, keys)


def test_every_single_bit() -> None:
    """Each flip of one bit of an envelope is refused: those that base64 and JSON would not notice, too."""
    for bit in range(len(ENVELOPE) * 8):
        flipped = bytearray(ENVELOPE)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureError):
            open_envelope(bytes(flipped), PUBLIC)
