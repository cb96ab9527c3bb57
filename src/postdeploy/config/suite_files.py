"""Which files are suites."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

__all__ = ["is_suite"]

_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_KEY: Final = re.compile(rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?["']?([A-Za-z_]+)["']?[ ]*:(?=\s)""", re.MULTILINE)
_CHECKS: Final = "checks"
_LISTED: Final = re.compile(rb"""^(?:-[ ]+|[ ]+)["']?([a-z]+)["']?[ ]*:(?=\s)""", re.MULTILINE)
_OWN: Final = frozenset({"name", "defaults"})
_OF_A_CHECK: Final = frozenset(
    {"expect", "get", "post", "put", "patch", "delete", "head", "tls", "dns", "tcp", "websocket", "page"}
)
_CLOSE: Final = 0.8


def is_suite(path: Path) -> bool:
    """Whether the top level of a YAML file has a key ``checks``, or one that must have been meant so.

    A mistyped ``cheks`` counts, and so does a list of checks without a key above it, so that reading the file reports
    it; else its checks would be left out in silence.
    """
    if path.suffix not in _SUFFIXES:
        return False
    try:
        data = path.read_bytes()
    except OSError:
        return False
    keys = {match.decode() for match in _KEY.findall(data)}
    if not keys:
        listed = {match.decode() for match in _LISTED.findall(data)}
        return "name" in listed and not listed.isdisjoint(_OF_A_CHECK)
    return _CHECKS in keys or any(_meant(key) for key in keys - _OWN)


def _meant(key: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, key.lower(), _CHECKS).ratio() >= _CLOSE
