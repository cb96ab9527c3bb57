"""Parts of one verification, made on several machines: what they say together, and what keeps them from being one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.evidence import Evidence
from postdeploy.domain.facts import UNSEEN, Baseline, ReleaseEvidence
from postdeploy.domain.result import CheckResult
from postdeploy.domain.shard import Dealing, Shard
from postdeploy.domain.verdict import Reason
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = [
    "Misfit",
    "Part",
    "baseline_together",
    "budget_together",
    "differences",
    "moved",
    "release_together",
    "unequal_releases",
    "worst_status",
]

Misfit = tuple[Reason, str]
"""Why parts are not of one run: the reason of a verdict, and a sentence."""

_NOTHING_TO_RUN: Final = 5
"""pytest's status where a shard has no checks, which is no fault of a suite of few."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one machine did: its shard, if it was one, its evidence, and what its files are called below the reports."""

    place: str
    shard: Shard | None
    evidence: Evidence

    @property
    def name(self) -> str:
        """As people know it."""
        return f"shard {self.shard}" if self.shard else self.place


def release_together(parts: Sequence[Part]) -> ReleaseEvidence:
    """What all machines saw of the release."""
    seen = [part.evidence.release for part in parts]
    lives = [release.live for release in seen if release.live is not None]
    first = {name: release for each in reversed(seen) for name, release in each.first.items()}
    return ReleaseEvidence(
        expected=seen[0].expected,
        live=all(lives) if lives else None,
        waited=max(release.waited for release in seen),
        first=first,
        last={name: _last(name, first, seen) for each in seen for name in each.last},
        counts=_counts(seen),
        problem=next((release.problem for release in seen if release.problem), None),
    )


def _last(name: str, first: Mapping[str, str], seen: Sequence[ReleaseEvidence]) -> str:
    """What every machine saw at its end; silence to one of them is silence."""
    said = [release.last.get(name, UNSEEN) for release in seen if release.first]
    other = [release for release in said if release not in {UNSEEN, first.get(name)}]
    return (other or [UNSEEN] * (UNSEEN in said) or said or [UNSEEN])[0]


def _counts(seen: Sequence[ReleaseEvidence]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for release in seen:
        for name, each in release.counts.items():
            for found, number in each.items():
                counts.setdefault(name, {})[found] = counts.get(name, {}).get(found, 0) + number
    return counts


def baseline_together(parts: Sequence[Part]) -> Baseline | None:
    """What all machines were told alike of the release before; a history may have learnt more between two of them."""
    told = [part.evidence.baseline for part in parts]
    known = [baseline for baseline in told if baseline is not None]
    if len(known) < len(told) or len({baseline.release for baseline in known}) != 1:
        return None
    first = known[0]
    outcomes = {
        check: outcome
        for check, outcome in first.outcomes.items()
        if all(baseline.outcomes.get(check) == outcome for baseline in known)
    }
    return Baseline(first.release, outcomes, "; ".join(dict.fromkeys(baseline.source for baseline in known)))


def moved(result: CheckResult, place: str) -> CheckResult:
    """Evidence files of every part have a folder of their own."""
    attempts = tuple(
        replace(attempt, evidence=tuple(f"{place}/{path}" for path in attempt.evidence)) for attempt in result.attempts
    )
    return replace(result, attempts=attempts)


def budget_together(parts: Sequence[Part]) -> dict[str, Any]:
    """Sums; of the busiest moments of several machines nobody knows whether they came together, so they are added."""
    used: dict[str, Any] = {}
    for part in parts:
        for name, number in part.evidence.budget.items():
            before = used.get(name, 0)
            used[name] = None if number is None or before is None else before + number
    return used


def worst_status(parts: Sequence[Part]) -> int:
    """That of the run that ended worst; a signal that ended one, which is negative, is worse than any failure."""
    statuses = [part.evidence.pytest_exit or 0 for part in parts]
    return max(
        (0 if status == _NOTHING_TO_RUN else status for status in statuses),
        key=lambda status: (status not in {0, 1}, status),
    )


_SAME: Final[Mapping[str, tuple[Reason, Callable[[Evidence], Any]]]] = {
    "another target": (Reason.CONFIG_ERROR, lambda evidence: _identity(evidence.target)),
    "under another policy": (Reason.CONFIG_ERROR, lambda evidence: evidence.policy),
    "another release": (Reason.CONFIG_ERROR, lambda evidence: evidence.release.expected),
    "under another lock": (Reason.CONFIG_ERROR, lambda evidence: evidence.lock),
    "parts by other durations": (Reason.INCOMPLETE, lambda evidence: Dealing.named_in(evidence.narrowed_by)),
    "other checks": (Reason.INTERNAL_ERROR, lambda evidence: frozenset(evidence.plan)),
    "checks from other files": (Reason.INTERNAL_ERROR, lambda evidence: evidence.suite),
    "with other plugins": (Reason.INTERNAL_ERROR, lambda evidence: evidence.run.get("plugins")),
}


def differences(parts: Sequence[Part]) -> Iterator[Misfit]:
    """Parts of one run verify the same thing by the same rules."""
    first, *others = parts
    for words, (reason, fact) in _SAME.items():
        for part in others:
            if fact(part.evidence) != fact(first.evidence):
                yield reason, f"{part.name} verified {words} than {first.name}{_example(first, part)}"
                break


def _example(first: Part, other: Part) -> str:
    one, two = ({check.id for check in part.evidence.plan} for part in (first, other))
    different = sorted(one ^ two)
    return f", such as {different[0]}" if different else ""


def _identity(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it is on any machine, wherever its file lies there."""
    return {**target, "config": target.get("config", {}).get("digest")}


def unequal_releases(parts: Sequence[Part]) -> Iterator[Misfit]:
    """Services that answered two machines as different releases."""
    seen: dict[str, tuple[Part, str]] = {}
    for part in parts:
        for name, release in part.evidence.release.first.items():
            before, other = seen.setdefault(name, (part, release))
            if other != release:
                text = f"service {name} answered {before.name} as {other} and {part.name} as {release}"
                yield Reason.RELEASE_CHANGED, text
