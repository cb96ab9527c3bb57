"""Which files are suites."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

__all__ = ["is_suite"]

_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_KEY: Final = re.compile(rb"""^(?:\xef\xbb\xbf)?(?:\{\s*)?["']?([A-Za-z_]+)["']?[ ]*:(?=\s)""", re.MULTILINE)
_CHECKS: Final = "checks"
_OWN: Final = frozenset({"name", "defaults"})
_CLOSE: Final = 0.8


def is_suite(path: Path) -> bool:
    """Whether the top level of a YAML file has a key ``checks``, or one that must have been meant so.

    A mistyped ``cheks`` counts, so that reading the file reports it; else its checks would be left out in silence.
    """
    if path.suffix not in _SUFFIXES:
        return False
    try:
        data = path.read_bytes()
    except OSError:
        return False
    keys = {match.decode() for match in _KEY.findall(data)}
    return _CHECKS in keys or any(_meant(key) for key in keys - _OWN)


def _meant(key: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, key.lower(), _CHECKS).ratio() >= _CLOSE
