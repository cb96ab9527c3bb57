"""The evidence of several shards as that of one run: whatever does not fit together is an incident of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.evidence import Evidence, control_record, service_record
from postdeploy.domain.facts import UNSEEN, ReleaseEvidence, ServiceState
from postdeploy.domain.failure import speaks_of_target
from postdeploy.domain.relevance import judge_relevance
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.shard import Shard
from postdeploy.domain.verdict import Reason
from postdeploy.lazy_dataclass import asdict, dataclass, replace

__all__ = ["Part", "merged_records"]

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


def merged_records(parts: Sequence[Part], run: Mapping[str, Any], problems: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The journal of one run from the evidence of its parts.

    Args:
        parts: at least one; each has been proven to be what a run sealed.
        run: facts of the merged run that do not follow from its parts, such as its id.
        problems: of parts that are not there or prove nothing.
    """
    ordered = sorted(parts, key=lambda part: (part.shard.index if part.shard else 0, part.place))
    first = ordered[0].evidence
    return [
        {"record": "started", "run": _run(ordered, run), "target": dict(first.target),
         "policy": first.policy.to_json(), "expected": first.release.expected},
        *_shared(ordered),
        {"record": "plan", "checks": [check.to_json() for check in first.plan], "narrowed_by": _narrowed(ordered)},
        *map(service_record, _services(ordered)),
        {"record": "release", "release": _release(ordered)},
        *(control_record(control) for part in ordered for control in part.evidence.control),
        *({"record": "result", "result": result.to_json()} for part in ordered for result in _results(part)),
        *({"record": "incident", "reason": reason.value, "message": text}
          for reason, text in (*((Reason.INCOMPLETE, problem) for problem in problems), *_misfits(ordered))),
        *_incidents(ordered),
        {"record": "budget", "used": _budget(ordered)},
        {"record": "finished", "at": max(part.evidence.finished_at or 0.0 for part in ordered),
         "pytest_exit": _status(ordered)},
    ]  # fmt: skip


def _run(parts: Sequence[Part], run: Mapping[str, Any]) -> dict[str, Any]:
    runs = [part.evidence.run for part in parts]
    ends = [each["ends_at"] for each in runs if isinstance(each.get("ends_at"), int | float)]
    shards = [{"shard": str(part.shard) if part.shard else None, "run": part.evidence.run["id"]} for part in parts]
    return {
        **runs[0],
        **run,
        "started": min(each["started"] for each in runs),
        "ends_at": max(ends) if ends else None,
        "shards": shards,
    }


def _shared(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """What all parts were told alike; a baseline that they disagree about is none."""
    first = parts[0].evidence
    if first.suite is not None:
        yield {"record": "suite", "files": dict(first.suite.files)}
    if first.lock is not None:
        yield {"record": "lock", "file": first.lock.file, "checks": list(first.lock.checks)}
    baseline = first.baseline
    if baseline is not None and all(part.evidence.baseline == baseline for part in parts):
        outcomes = {check: outcome.value for check, outcome in baseline.outcomes.items()}
        yield {"record": "baseline", "release": baseline.release, "outcomes": outcomes, "source": baseline.source}


def _narrowed(parts: Sequence[Part]) -> list[str]:
    """What narrowed the suite besides being dealt out."""
    words = (
        word for part in parts for word in part.evidence.narrowed_by if part.shard and word != part.shard.narrowing
    )
    return list(dict.fromkeys(words))


def _services(parts: Sequence[Part]) -> Iterator[ServiceState]:
    """Of a service that only some machines reached nobody can say that it is down: see ``_misfits``."""
    for name in dict.fromkeys(name for part in parts for name in part.evidence.services):
        states = [part.evidence.services[name] for part in parts if name in part.evidence.services]
        yield min(states, key=lambda state: (state.live or state.target_fault, not state.live, -state.attempts))


def _release(parts: Sequence[Part]) -> dict[str, Any]:
    seen = [part.evidence.release for part in parts]
    lives = [release.live for release in seen if release.live is not None]
    first = {name: release for each in reversed(seen) for name, release in each.first.items()}
    merged = ReleaseEvidence(
        expected=seen[0].expected,
        live=all(lives) if lives else None,
        waited=max(release.waited for release in seen),
        first=first,
        last={name: _last(name, first, seen) for each in seen for name in each.last},
        counts=_counts(seen),
        problem=next((release.problem for release in seen if release.problem), None),
    )
    return asdict(merged)


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


def _results(part: Part) -> Iterator[CheckResult]:
    """A failure that this machine alone could not have told from a fault of its own stays one that nobody can tell."""
    for result in part.evidence.results.values():
        if result.outcome is Outcome.FAILED and not speaks_of_target(result, part.evidence):
            text = f"{part.name} could not tell whether the target or its own network was at fault"
            yield _moved(replace(result, outcome=Outcome.ERRORED, reason=text), part.place)
        else:
            yield _moved(result, part.place)


def _moved(result: CheckResult, place: str) -> CheckResult:
    """Evidence files of every part have a folder of their own."""
    attempts = tuple(
        replace(attempt, evidence=tuple(f"{place}/{path}" for path in attempt.evidence)) for attempt in result.attempts
    )
    return replace(result, attempts=attempts)


def _incidents(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for incident in part.evidence.incidents:
            yield {"record": "incident", "reason": incident.reason, "message": f"{part.name}: {incident.message}"}


def _budget(parts: Sequence[Part]) -> dict[str, Any]:
    """Sums; of the busiest moments of several machines nobody knows whether they came together, so they are added."""
    used: dict[str, Any] = {}
    for part in parts:
        for name, number in part.evidence.budget.items():
            before = used.get(name, 0)
            used[name] = None if number is None or before is None else before + number
    return used


def _status(parts: Sequence[Part]) -> int:
    statuses = [part.evidence.pytest_exit or 0 for part in parts]
    return max(
        (0 if status == _NOTHING_TO_RUN else status for status in statuses), key=lambda status: (status > 1, status)
    )


# What does not fit together.

_Misfit = tuple[Reason, str]


def _misfits(parts: Sequence[Part]) -> Iterator[_Misfit]:
    yield from _differences(parts)
    yield from _sick_machines(parts)
    yield from _gaps(parts)
    yield from _unequal_services(parts)
    yield from _unequal_releases(parts)


_SAME: Final[Mapping[str, tuple[Reason, Callable[[Evidence], Any]]]] = {
    "another target": (Reason.CONFIG_ERROR, lambda evidence: _identity(evidence.target)),
    "under another policy": (Reason.CONFIG_ERROR, lambda evidence: evidence.policy),
    "another release": (Reason.CONFIG_ERROR, lambda evidence: evidence.release.expected),
    "under another lock": (Reason.CONFIG_ERROR, lambda evidence: evidence.lock),
    "other checks": (Reason.INTERNAL_ERROR, lambda evidence: frozenset(evidence.plan)),
    "checks from other files": (Reason.INTERNAL_ERROR, lambda evidence: evidence.suite),
    "with other plugins": (Reason.INTERNAL_ERROR, lambda evidence: evidence.run.get("plugins")),
}


def _differences(parts: Sequence[Part]) -> Iterator[_Misfit]:
    """Parts of one run verify the same thing by the same rules."""
    first, *others = parts
    for words, (reason, fact) in _SAME.items():
        for part in others:
            if fact(part.evidence) != fact(first.evidence):
                yield reason, f"{part.name} verified {words} than {first.name}{_example(first, part)}"
                break


def _sick_machines(parts: Sequence[Part]) -> Iterator[_Misfit]:
    """A machine that cannot be trusted by what it found itself is not made well by another one."""
    for part in parts:
        doubt = judge_relevance(part.evidence, ())
        if doubt is not None and doubt.reason is Reason.RUNNER_FAULT:
            yield Reason.RUNNER_FAULT, f"{part.name}: {doubt.summary}"


def _example(first: Part, other: Part) -> str:
    one, two = ({check.id for check in part.evidence.plan} for part in (first, other))
    different = sorted(one ^ two)
    return f", such as {different[0]}" if different else ""


def _identity(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it is on any machine, wherever its file lies there."""
    return {**target, "config": target.get("config", {}).get("digest")}


def _gaps(parts: Sequence[Part]) -> Iterator[_Misfit]:
    whole = [part.name for part in parts if part.shard is None]
    if whole:
        yield Reason.INCOMPLETE, f"{whole[0]} is no shard: its run was not given --shard"
        return
    shards = [part.shard for part in parts if part.shard]
    counts = sorted({shard.of for shard in shards})
    if len(counts) > 1:
        yield Reason.INCOMPLETE, f"the shards are of {' and of '.join(map(str, counts))}"
        return
    indices = [shard.index for shard in shards]
    for index in range(1, counts[0] + 1):
        if indices.count(index) != 1:
            text = "is missing" if index not in indices else "is there more than once"
            yield Reason.INCOMPLETE, f"shard {Shard(index, counts[0])} {text}"


def _unequal_services(parts: Sequence[Part]) -> Iterator[_Misfit]:
    for name in dict.fromkeys(name for part in parts for name in part.evidence.services):
        states = [(part, part.evidence.services[name]) for part in parts if name in part.evidence.services]
        up = next((part for part, state in states if state.live), None)
        down = next(((part, state) for part, state in states if not state.live and state.target_fault), None)
        if up and down:
            text = f"service {name} was there for {up.name} and not for {down[0].name}: {down[1].message}"
            yield Reason.INCOMPLETE, text


def _unequal_releases(parts: Sequence[Part]) -> Iterator[_Misfit]:
    seen: dict[str, tuple[Part, str]] = {}
    for part in parts:
        for name, release in part.evidence.release.first.items():
            before, other = seen.setdefault(name, (part, release))
            if other != release:
                text = f"service {name} answered {before.name} as {other} and {part.name} as {release}"
                yield Reason.RELEASE_CHANGED, text
