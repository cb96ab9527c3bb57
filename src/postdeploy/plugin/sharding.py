"""``--shard``: this machine's part of the suite. Such a run can fail; a pass is made of all parts, by ``merge``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from postdeploy.errors import DocumentError
from postdeploy.plugin.keys import COLLECTED, EXECUTION, PLANNED

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
    mine = settings.shard.members(ids, _seconds(settings.shard_by) if settings.shard_by else None)
    config.stash[_OTHERS] = frozenset(ids - mine)
    config.hook.pytest_deselected(items=[item for item in items if item.stash[PLANNED].id not in mine])
    items[:] = [item for item in items if item.stash[PLANNED].id in mine]


def others(items: Iterable[pytest.Item], config: pytest.Config) -> int:
    """How many of these items other shards run."""
    ids = config.stash.get(_OTHERS, frozenset())
    return sum(item.stash[PLANNED].id in ids for item in items)


def _seconds(path: Path) -> dict[str, float]:
    """How long each check took, of a sealed verdict."""
    from postdeploy.documents import read_document
    from postdeploy.domain.reading import array, mapping, number, text

    try:
        checks = [mapping(check) for check in array(read_document(path)["checks"])]
        return {
            text(check["id"]): sum(number(mapping(attempt)["duration"]) for attempt in array(check["attempts"]))
            for check in checks
        }
    except (DocumentError, KeyError, TypeError, ValueError) as error:
        raise pytest.UsageError(f"--shard-by {path}: not a sealed verdict: {error}") from error
