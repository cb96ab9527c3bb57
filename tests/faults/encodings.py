"""Twelve secrets and twenty-two ways to write each, and a twin of each that differs by a bit and must be found."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

__all__ = ["ENCODINGS", "SECRETS", "twin"]

SECRETS = {
    "ascii": "tok-5f3a9c77b1",
    "specials": 'a/+="&<>ü-zZ9kq',
    "lines": "first-line-of-it-77\nsecond-line-0815-xx",
    "eight": "k7#pQ2!x",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "pem": (
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n"
        "AgEAAoIBAQC7VJTUt9Us8cKjMzEfYyjiWA4R\n-----END PRIVATE KEY-----"
    ),
    "json": '{"user": "robot-0001", "private_key": "zX9+/q==AbCdEf"}',
    "emoji": "🔑🗝️sésame🔐ключ",
    "percent": "50%25off%2Ftoken%20x",
    "regex": "a.*(b+)[c]?$^{9}|xyzw",
    "dash": "--token-7788-zz",
    "backslash": "ends-with-slash\\",
}


def _doubled(value: str, *, ascii_only: bool) -> str:
    once = json.dumps(value, ensure_ascii=ascii_only)
    return json.dumps(once, ensure_ascii=ascii_only)


def _base64(before: int, *, url: bool) -> Callable[[str], str]:
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return lambda value: encode(b"x" * before + value.encode() + b"yz").decode()


def _latin(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode()


ENCODINGS: dict[str, Callable[[str], str | bytes]] = {
    "raw": str,
    "URL": quote,
    "form": quote_plus,
    "encodeURIComponent": lambda value: quote(value, safe="!~*'()"),
    "JSON in ASCII": json.dumps,
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in ASCII, twice": lambda value: _doubled(value, ascii_only=True),
    "JSON in UTF-8, twice": lambda value: _doubled(value, ascii_only=False),
    "XML": escape,
    "HTML": html.escape,
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "Python": repr,
    "UTF-16": lambda value: value.encode("utf-16-le"),
    "Latin-1": _latin,
    "base64": _base64(0, url=False),
    "base64, shifted": _base64(1, url=False),
    "base64, shifted twice": _base64(2, url=False),
    "base64url": _base64(0, url=True),
    "base64url, shifted": _base64(1, url=True),
    "base64url, shifted twice": _base64(2, url=True),
    "Basic": lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
}


def twin(value: str) -> str:
    """A value in which one bit of each run of letters and digits is another: no secret, but as good as one."""
    changed, run = list(value), ""
    for at, character in enumerate(f"{value} "):
        if character.isascii() and character.isalnum():
            run += character
            continue
        for back in range(2, len(run) + 1):
            other = chr(ord(run[-back]) ^ 1)
            if other.isalnum():
                changed[at - back] = other
                break
        run = ""
    return "".join(changed)
