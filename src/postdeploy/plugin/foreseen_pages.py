"""Whether suites name pages, seen at a glance before anything is read: a browser takes its time to start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["is_narrowing", "names_pages"]

_PAGE: Final = re.compile(rb"[\s{,]page\s*:")
_PATTERNS: Final = ("*.yaml", "*.yml")


def names_pages(config: pytest.Config) -> bool:
    """Whether a YAML file that is going to be collected has the word; folders are looked into, not below."""
    return any(_PAGE.search(content) for content in _contents(config))


def is_narrowing(option: Any) -> bool:
    """Whether options may yet leave pages out, or hand them to workers, which are named before they are there."""
    return bool(option.keyword or option.markexpr or option.only or option.shard or getattr(option, "tx", None))


def _contents(config: pytest.Config) -> Iterator[bytes]:
    for path in _files(config):
        try:
            yield path.read_bytes()
        except OSError:
            continue  # collecting it says what is wrong


def _files(config: pytest.Config) -> Iterator[Path]:
    for argument in config.args:
        path = Path(config.invocation_params.dir, argument.split("::", 1)[0])
        if path.is_dir():
            for pattern in _PATTERNS:
                yield from path.glob(pattern)
        elif any(path.match(pattern) for pattern in _PATTERNS):
            yield path
