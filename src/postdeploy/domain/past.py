"""What earlier runs on the same target say of this one: checks that are missing, and checks that became slow.

A duration is too long if, on a logarithmic scale, it is further above the median of its check than chance explains,
measured by the median of distances from it (MAD); and longer than all of the past, and half as long again, and not by
a trifle. With n durations of the past and m checks, each check is asked about the quantile z of 1 - 0.01 / m, and the
threshold is z (1 + 1.1 z² / n) instead of z because the median and its distances are only estimated. So a run in which
nothing has changed has one wrong warning in a hundred runs if logarithms of latencies are normal. Whatever their
distribution is, a single check is warned of wrongly in one run of n + 1 at most: it must be the longest of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from postdeploy.domain.reading import count, mapping, number, optional_text, text
from postdeploy.domain.result import Outcome
from postdeploy.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from postdeploy.domain.evidence import Evidence
    from postdeploy.domain.result import CheckResult

__all__ = ["LEAST_TIMES", "Past", "Timing", "past_warnings", "threshold"]

LEAST_TIMES: Final = 30
"""Durations of the past below which nothing is said."""

_RATE: Final = 0.01
"""Of wrong warnings of slowness, for a whole run."""

_RATIO: Final = 1.5
_TRIFLE: Final = 0.1
"""Seconds."""

_STEADY: Final = 0.05
"""The least spread: a check that always took the same time may take 5 % more or less."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a check took in the past, when it passed at once.

    Args:
        times: how many durations there are.
        median: of them, in seconds.
        spread: 1.4826 times the median distance of their natural logarithms from that of the median.
        most: the longest, in seconds.
    """

    times: int
    median: float
    spread: float
    most: float

    def is_exceeded(self, seconds: float, checks: int) -> bool:
        """Whether a duration is too long, as one of so many checks of a run."""
        if self.times < LEAST_TIMES or seconds <= self.most or self.median <= 0:
            return False
        if seconds < _RATIO * self.median or seconds < self.median + _TRIFLE:
            return False
        distance = math.log(seconds / self.median) / max(self.spread, _STEADY)
        return distance > threshold(self.times, checks)

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {"times": self.times, "median": self.median, "spread": self.spread, "most": self.most}

    @classmethod
    def from_json(cls, raw: object) -> Timing:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(count(fields["times"]), number(fields["median"]), number(fields["spread"]), number(fields["most"]))


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a target.

    Args:
        source: where this was read.
        run: the last complete run.
        checks: its checks, each with its times if there are enough.
        last_good: the release of the last run that passed.
    """

    source: str
    run: str
    checks: Mapping[str, Timing | None]
    last_good: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        checks = {check: timing.to_json() if timing else None for check, timing in self.checks.items()}
        return {"source": self.source, "run": self.run, "checks": checks, "last_good": self.last_good}

    @classmethod
    def from_json(cls, raw: object) -> Past:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        checks = {
            check: None if timing is None else Timing.from_json(timing)
            for check, timing in mapping(fields["checks"]).items()
        }
        return cls(text(fields["source"]), text(fields["run"]), checks, optional_text(fields["last_good"]))


def threshold(times: int, checks: int) -> float:
    """How many spreads above the median are too many, for one of so many checks with so many durations each."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf(1 - _RATE / max(1, checks))
    return z * (1 + 1.1 * z * z / times)


def past_warnings(evidence: Evidence) -> Iterator[str]:
    """One text for checks that the last run had and this one has not, one for checks that became slow."""
    past = evidence.past
    if past is None or not evidence.plan:
        return
    planned = {check.id for check in evidence.plan}
    gone = [check for check in past.checks if check not in planned]
    if gone:
        noun = "check" if len(gone) == 1 else "checks"
        yield f"{len(gone)} {noun} fewer than in the last run on this target ({past.run}): {_some(gone)}"
    timed = sum(timing is not None for timing in past.checks.values())
    slow = [
        f"{check.name} took {seconds:.2f} s, before {timing.median:.2f} s and {timing.most:.2f} s at most"
        for check in evidence.plan
        if (timing := past.checks.get(check.id))
        and (seconds := _seconds(evidence.result(check))) is not None
        and timing.is_exceeded(seconds, timed)
    ]
    if slow:
        yield f"slower than ever: {_some(slow)}"


def _seconds(result: CheckResult) -> float | None:
    """How long a check took that passed at once."""
    if result.outcome is not Outcome.PASSED or len(result.attempts) != 1:
        return None
    return result.attempts[0].duration


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
    return f"{texts[0]}{more}"
