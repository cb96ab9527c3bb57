"""The evidence of several shards as that of one run: whatever does not fit together is an incident of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from postdeploy.domain.evidence import control_record, service_record
from postdeploy.domain.facts import Incident, ServiceState
from postdeploy.domain.failure import speaks_of_target
from postdeploy.domain.parts import (
    Misfit,
    Part,
    baseline_together,
    budget_together,
    differences,
    moved,
    release_together,
    unequal_releases,
    worst_status,
)
from postdeploy.domain.relevance import judge_relevance
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.shard import Dealing, Shard
from postdeploy.domain.verdict import Reason
from postdeploy.lazy_dataclass import asdict, replace

__all__ = ["merged_records", "vantage_records"]


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
        {"record": "release", "release": asdict(release_together(ordered))},
        *(control_record(control) for part in ordered for control in part.evidence.control),
        *({"record": "result", "result": result.to_json()} for part in ordered for result in _results(part)),
        *({"record": "incident", "reason": reason.value, "message": text}
          for reason, text in (*((Reason.INCOMPLETE, problem) for problem in problems), *_misfits(ordered))),
        *_incidents(ordered),
        {"record": "budget", "used": budget_together(ordered)},
        {"record": "finished", "at": max(part.evidence.finished_at or 0.0 for part in ordered),
         "pytest_exit": worst_status(ordered)},
    ]  # fmt: skip


def vantage_records(
    about: Mapping[str, Any],
    seen: Mapping[str, Sequence[Mapping[str, Any]]],
    lost: Mapping[str, Incident],
    at: float,
) -> list[dict[str, Any]]:
    """The journal of a run of several vantages.

    Args:
        about: ``run``, ``target``, ``policy`` and ``expected``, as a run begins; ``run`` names the vantages.
        seen: by vantage, the records of the run there; each has been proven to be what that run sealed.
        lost: by vantage, why nothing came back.
        at: when it ended.
    """
    return [
        {"record": "started", **about},
        *({"record": "seen", "vantage": name, "of": dict(record)} for name, each in seen.items() for record in each),
        *({"record": "lost", "vantage": name, "reason": why.reason, "message": why.message}
          for name, why in lost.items()),
        {"record": "finished", "at": at, "pytest_exit": 0},
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
    """What all parts were told alike."""
    first = parts[0].evidence
    if first.suite is not None:
        yield {"record": "suite", "files": dict(first.suite.files)}
    if first.lock is not None:
        yield {"record": "lock", "file": first.lock.file, "checks": list(first.lock.checks)}
    baseline = baseline_together(parts)
    if baseline is not None:
        outcomes = {check: outcome.value for check, outcome in baseline.outcomes.items()}
        yield {"record": "baseline", "release": baseline.release, "outcomes": outcomes, "source": baseline.source}


def _narrowed(parts: Sequence[Part]) -> list[str]:
    """What narrowed the suite besides being dealt out."""
    words = (
        word
        for part in parts
        for word in part.evidence.narrowed_by
        if part.shard and word not in {part.shard.narrowing, *Dealing.named_in(part.evidence.narrowed_by)}
    )
    return list(dict.fromkeys(words))


def _services(parts: Sequence[Part]) -> Iterator[ServiceState]:
    """One that answered a machine wrongly is down whatever others saw; one that only some reached may be there.

    A wrong answer came over a network that works. Of silence nobody can say whose it is: machines have no common clock
    by which one could know that a service went away after another machine had ended. See ``_misfits``.
    """
    for name in dict.fromkeys(name for part in parts for name in part.evidence.services):
        states = [part.evidence.services[name] for part in parts if name in part.evidence.services]
        yield min(states, key=_weight)


def _weight(state: ServiceState) -> tuple[int, int]:
    """The less, the more a state counts: a machine that is sick, a wrong answer, an answer, silence."""
    if not state.live and not state.target_fault:
        return 0, -state.attempts
    return (1 if state.answered_wrongly else 2 if state.live else 3), -state.attempts


def _results(part: Part) -> Iterator[CheckResult]:
    """A failure that this machine alone could not have told from a fault of its own stays one that nobody can tell."""
    for result in part.evidence.results.values():
        doubt = _doubt(result, part) if result.outcome is Outcome.FAILED else None
        yield moved(replace(result, outcome=Outcome.ERRORED, reason=doubt) if doubt else result, part.place)


def _doubt(result: CheckResult, part: Part) -> str | None:
    if not speaks_of_target(result, part.evidence):
        return f"{part.name} could not tell whether the target or its own network was at fault"
    return f"{part.name} could not tell which release it was that failed" if _is_blind(part) else None


def _is_blind(part: Part) -> bool:
    """Whether a part asked a target without having seen the expected release, which other machines cannot do for it."""
    release = part.evidence.release
    attempted = any(result.attempts for result in part.evidence.results.values())
    return bool(release.expected) and release.live is not False and not (release.live and release.first) and attempted


def _incidents(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    for part in parts:
        for incident in part.evidence.incidents:
            yield {"record": "incident", "reason": incident.reason, "message": f"{part.name}: {incident.message}"}


# What does not fit together.


def _misfits(parts: Sequence[Part]) -> Iterator[Misfit]:
    yield from differences(parts)
    yield from _sick_machines(parts)
    yield from _unfinished(parts)
    yield from _gaps(parts)
    yield from _unequal_services(parts)
    yield from unequal_releases(parts)


def _sick_machines(parts: Sequence[Part]) -> Iterator[Misfit]:
    """A machine that cannot be trusted by what it found itself is not made well by another one."""
    for part in parts:
        doubt = judge_relevance(part.evidence, ())
        if doubt is not None and doubt.reason is Reason.RUNNER_FAULT:
            yield Reason.RUNNER_FAULT, f"{part.name}: {doubt.summary}"


def _unfinished(parts: Sequence[Part]) -> Iterator[Misfit]:
    """What keeps a part from a pass, and cannot be seen any more in what all parts have together."""
    for part in parts:
        if not part.evidence.finished:
            yield Reason.INCOMPLETE, f"{part.name} did not finish"
        if _is_blind(part):
            expected = part.evidence.release.expected
            yield Reason.INCOMPLETE, f"{part.name} asked the target without having seen that it answers as {expected}"


def _gaps(parts: Sequence[Part]) -> Iterator[Misfit]:
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


def _unequal_services(parts: Sequence[Part]) -> Iterator[Misfit]:
    for name in dict.fromkeys(name for part in parts for name in part.evidence.services):
        states = [(part, part.evidence.services[name]) for part in parts if name in part.evidence.services]
        up = next((part for part, state in states if state.live), None)
        down = next(((part, state) for part, state in states if _is_silent(state)), None)
        if up and down:
            text = f"service {name} was there for {up.name} and not for {down[0].name}: {down[1].message}"
            yield Reason.INCOMPLETE, text


def _is_silent(state: ServiceState) -> bool:
    return not state.live and state.target_fault and not state.answered_wrongly
