"""Which runs of a monitor keep their reports: the newest, and of those that did not pass the telling ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["KeptRun", "retained"]

_NEWEST: Final = 2
"""The newest, and the one before it: somebody may be reading it just now."""


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run whose reports are there.

    Args:
        id: its name.
        verdict: of the run; anything but ``pass`` is worth keeping.
        began: whether it ended otherwise than the run before it.
    """

    id: str
    verdict: str
    began: bool


def retained(runs: Sequence[KeptRun], keep: int) -> set[str]:
    """The ids of those to keep, of all that are there, oldest first.

    Besides the newest there are at most ``keep`` that did not pass, half of which are beginnings: a target that is down
    for days ends in the same way each time, and how it began must not be lost for that. The rest are the newest.
    """
    newest = {run.id for run in runs[-_NEWEST:]}
    failed = [run for run in runs if run.verdict != "pass" and run.id not in newest]
    beginnings = _last([run.id for run in failed if run.began], keep // 2)
    rest = _last([run.id for run in failed if run.id not in beginnings], keep - len(beginnings))
    return newest | set(beginnings) | set(rest)


def _last(ids: list[str], count: int) -> list[str]:
    return ids[max(len(ids) - count, 0) :]
