"""``--shard``: this machine's part of the suite. Such a run can fail; a pass is made of all parts, by ``merge``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from postdeploy.plugin.keys import COLLECTED, DEALING, EXECUTION, PLANNED

__all__ = ["others"]

_OTHERS: Final[pytest.StashKey[frozenset[str]]] = pytest.StashKey()
"""On the config: ids of the checks that other shards run."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the checks of other shards to them; they stay in the plan. Raises pytest.UsageError."""
    settings = config.stash[EXECUTION].settings
    if settings.shard is None:
        return
    collected = {id(item): item for item in (*config.stash.get(COLLECTED, ()), *items)}.values()
    ids = {item.stash[PLANNED].id for item in collected}
    dealing = config.stash.get(DEALING, None)
    mine = settings.shard.members(ids, dealing.seconds if dealing else None)
    config.stash[_OTHERS] = frozenset(ids - mine)
    config.hook.pytest_deselected(items=[item for item in items if item.stash[PLANNED].id not in mine])
    items[:] = [item for item in items if item.stash[PLANNED].id in mine]


def others(items: Iterable[pytest.Item], config: pytest.Config) -> int:
    """How many of these items other shards run."""
    ids = config.stash.get(_OTHERS, frozenset())
    return sum(item.stash[PLANNED].id in ids for item in items)
