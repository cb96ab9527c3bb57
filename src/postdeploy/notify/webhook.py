"""A webhook of one's own: JSON, signed as the Standard Webhooks specification says where there is a key.

The specification: github.com/standard-webhooks/standard-webhooks. Its libraries verify what is sent here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final

from postdeploy.lazy_dataclass import asdict
from postdeploy.notify.message import Message

__all__ = ["SCHEMA", "payload", "signed_headers"]

SCHEMA: Final = "postdeploy/notification/1"
_PREFIX: Final = "whsec_"


def payload(message: Message) -> dict[str, Any]:
    """The body of the request."""
    return {"schema": SCHEMA, "title": message.title, **asdict(message)}


def signed_headers(body: bytes, key: str, message_id: str, seconds: int) -> dict[str, str]:
    """The headers that prove who sent the body, and when."""
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    signature = base64.b64encode(hmac.new(_bytes_of(key), signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{signature}",
    }


def _bytes_of(key: str) -> bytes:
    """A key is base64 after ``whsec_``; any other text stands for itself."""
    if key.startswith(_PREFIX):
        try:
            return base64.b64decode(key.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return key.encode()
