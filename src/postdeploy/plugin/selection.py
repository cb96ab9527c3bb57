"""``--only``: the checks that somebody asked for, by a part of their name, id or tag. Such a run can never promote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import EXECUTION, PLANNED

__all__: list[str] = []

_NO_TAGS: Final = frozenset(
    {"check", "writes", "parametrize", "usefixtures", "filterwarnings", "skip", "skipif", "xfail", "timeout", "flaky"}
)
"""Marks that say how a test is run, not what it is about."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for; it stays in the plan."""
    words = [word.casefold() for word in config.stash[EXECUTION].settings.only]
    if not words:
        return
    asked = [item for item in items if any(word in name.casefold() for word in words for name in _names(item))]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(asked)])
    items[:] = asked


def _names(item: pytest.Item) -> Iterator[str]:
    planned = item.stash[PLANNED]
    yield from (planned.name, planned.id, planned.kind, planned.severity.value)
    if isinstance(item, CheckItem):
        yield from item.check.tags
    else:
        yield from (mark.name for mark in item.iter_markers() if mark.name not in _NO_TAGS)
