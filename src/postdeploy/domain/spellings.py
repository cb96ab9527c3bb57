"""How a value may be spelt in a report: as it is, and as JSON, URLs, markup, shells, Python, hex and base64 say it."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

__all__ = ["byte_spellings", "spellings"]

_BASE64: Final = 8
_HEX: Final = 6
_NESTED: Final = 4
_ESCAPE: Final = re.compile("%[0-9A-F]{2}")
_QUOTES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
_ATTRIBUTE: Final = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
_GO: Final = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})


def spellings(value: str) -> frozenset[str]:
    """Every spelling of a value in a text."""
    data = value.encode("utf-8", "surrogatepass")
    texts = {*_escaped(value), *_json(value), *_code(value, data)}
    marked = (spelt for text in texts for spelt in _markup(text))
    return frozenset((*texts, *marked, *_urls(data), *_letters(data)))


def byte_spellings(value: str) -> frozenset[bytes]:
    """Every spelling of a value in a file: its texts in UTF-8, and the value itself in other encodings."""
    found = {text.encode("utf-8", "surrogatepass") for text in spellings(value)}
    found |= {value.encode(name, "surrogatepass") for name in ("utf-16-le", "utf-16-be")}
    for name in ("latin-1", "cp1252"):
        found.add(value.encode(name, "ignore") if _fits(value, name) else value.encode("utf-8", "surrogatepass"))
    return frozenset(found)


def _fits(value: str, encoding: str) -> bool:
    try:
        value.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _escaped(value: str) -> set[str]:
    """As texts within texts have it: JSON in JSON, or the repr of either, several times."""
    found = {value, repr(value)[1:-1], ascii(value)[1:-1]}
    for _ in range(_NESTED):
        for text in tuple(found):
            found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], text.replace("\\", "\\\\")}
    return found


def _json(value: str) -> Iterator[str]:
    """As JSON writes it, in ASCII and in UTF-8, once and twice; some escape slashes, some what HTML knows."""
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        yield once.replace("/", "\\/")
        yield once.translate(_GO)


def _urls(data: bytes) -> Iterator[str]:
    for escaped in (quote_plus(data), *(quote(data, safe=safe) for safe in ("", "/", "!~*'()"))):
        yield escaped
        yield _ESCAPE.sub(lambda match: match[0].lower(), escaped)
        yield escaped.replace("%", "%25")


def _markup(value: str) -> Iterator[str]:
    for escaped in (html.escape(value), html.escape(value, quote=False), value.translate(_QUOTES)):
        yield escaped
        yield escaped.translate(_ATTRIBUTE)
    yield html.escape(value, quote=False).replace('"', "&quot;")
    yield html.escape(value, quote=False).replace('"', "&quot;").replace("'", "&apos;")


def _code(value: str, data: bytes) -> Iterator[str]:
    yield repr(value)[1:-1]
    yield ascii(value)[1:-1]
    yield value.encode("unicode_escape").decode("ascii")
    yield repr(data)[2:-1]
    yield value.replace("'", "'\"'\"'")  # as shlex.quote writes it
    yield value.replace("\n", "\r\n")


def _letters(data: bytes) -> Iterator[str]:
    """In hex and in base64, where the few letters of a short value would be found in what is no secret."""
    if len(data) >= _HEX:
        yield data.hex()
        yield data.hex().upper()
    if len(data) >= _BASE64:
        yield from _base64(data)


def _base64(data: bytes) -> Iterator[str]:
    """Whatever stands before it in a longer text: the letters that only the value decides."""
    for before in range(3):
        padded = bytes(before) + data
        own = slice((0, 2, 3)[before], len(padded) * 8 // 6)
        yield base64.b64encode(padded).decode()[own]
        yield base64.urlsafe_b64encode(padded).decode()[own]
