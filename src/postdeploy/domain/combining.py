"""The evidence of whole runs from several vantages as that of one run: one result for each check, by the quorum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.domain.evidence import Evidence, Incident, PlannedCheck, ServiceState, Vantage
from postdeploy.domain.parts import Part, budget_together, moved, release_together, worst_status
from postdeploy.domain.policy import OnRegional, Policy, Quorum
from postdeploy.domain.reading import array, text
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.standing import Standing, State, listed, parts_of, places_of, quorum_of, stand
from postdeploy.domain.verdict import Reason
from postdeploy.lazy_dataclass import replace

__all__ = ["combine", "recombine"]

_Records = Mapping[str, Sequence[Mapping[str, Any]]]

_OPEN: Final = (Outcome.FAILED, Outcome.BLOCKED, Outcome.ERRORED, Outcome.NOT_RUN, Outcome.SKIPPED)
"""Outcomes that are no pass, the one that says most first."""


def combine(
    run: Evidence,
    seen: _Records,
    lost: Mapping[str, Sequence[Incident]],
    fold: Callable[[Sequence[Mapping[str, Any]]], Evidence],
) -> Evidence:
    """The evidence of a run of several vantages.

    Args:
        run: what its own records say; nothing but its beginning and its end.
        seen: by vantage, the records of the run there.
        lost: by vantage, why nothing came back.
        fold: makes evidence of records.

    Raises:
        ValueError: the vantages are not those that the run names, or one of them cannot be what it seems.
    """
    names = tuple(text(name) for name in array(run.run["vantages"]))
    if not names or len(set(names)) != len(names) or {*seen, *lost} - {*names}:
        raise ValueError("the run names other vantages than those it has something of")
    if run.plan or run.results or run.services or run.incidents or run.control:
        raise ValueError("a run of several vantages has seen nothing by itself")
    vantages = tuple(_vantage(name, seen.get(name, ()), lost.get(name, ()), fold) for name in names)
    return recombine(replace(run, vantages=vantages), run.policy)


def _vantage(
    name: str,
    seen: Sequence[Mapping[str, Any]],
    lost: Sequence[Incident],
    fold: Callable[[Sequence[Mapping[str, Any]]], Evidence],
) -> Vantage:
    if bool(seen) == bool(lost) or len(lost) > 1:
        raise ValueError(f"vantage {name} has either seen something or is lost, for one reason")
    if lost:
        Reason(lost[0].reason)
        return Vantage(name, lost=lost[0])
    evidence = fold(seen)
    if evidence.vantages or evidence.run.get("vantage") != name or not evidence.finished:
        raise ValueError(f"what vantage {name} saw is not a run that ended there")
    return Vantage(name, evidence)


def recombine(run: Evidence, policy: Policy) -> Evidence:
    """The same run with what follows from its vantages under a policy."""
    standings = stand(run, policy)
    parts = parts_of(sorted(standings, key=lambda each: each.state is not State.ANSWERED))
    if not parts:
        return run
    first, quorum = parts[0].evidence, quorum_of(run, policy)
    return replace(
        run,
        plan=first.plan,
        narrowed_by=tuple(dict.fromkeys(word for part in parts for word in part.evidence.narrowed_by)),
        suite=first.suite,
        lock=first.lock,
        results={check.id: _result(check, standings, quorum, policy) for check in first.plan},
        services={state.name: state for state in _services(parts, quorum)},
        release=replace(release_together(parts), expected=run.release.expected),
        incidents=tuple(_incidents(parts)),
        control=tuple(control for part in parts for control in part.evidence.control),
        baseline=first.baseline,
        budget=budget_together(parts),
        pytest_exit=worst_status(parts),
    )


def _result(check: PlannedCheck, standings: Sequence[Standing], quorum: Quorum, policy: Policy) -> CheckResult:
    """What came of a check at the vantages that it runs at: see ``quorum`` for what a verdict makes of it."""
    places = places_of(check, standings)
    if not places:
        return CheckResult(check.id, Outcome.NOT_RUN, reason=f"this run has no vantage {listed(check.vantages)}")
    rule = quorum.among(len(places))
    failing = [place for place in places if check.id in place.failing]
    passing = [place for place in places if place.doubt is None and place.result(check).outcome is Outcome.PASSED]
    if len(failing) >= rule.failing:
        return _at(failing[0], check)
    if failing and (policy.on_regional is OnRegional.HOLD or len(passing) < rule.passing):
        text = f"failed at {_names(failing)} only: at {rule.failing} of {rule.of} vantages it would have failed"
        return replace(_at(failing[0], check), outcome=Outcome.ERRORED, reason=text)
    if len(passing) >= rule.passing:
        return _at(passing[0], check)
    return _open(check, places, passing, rule)


def _open(check: PlannedCheck, places: Sequence[Standing], passing: Sequence[Standing], rule: Quorum) -> CheckResult:
    """What can be said of a check that has neither failed nor passed at enough vantages."""
    there = [place for place in places if place.evidence is not None and place not in passing]
    for place in sorted(there, key=lambda each: _OPEN.index(_open_outcome(each, check))):
        result = _at(place, check)
        if result.outcome in {Outcome.FAILED, Outcome.PASSED} and not _quarantined(place, check):
            reason = place.doubt[1] if place.doubt else "it was not confirmed"
            return replace(result, outcome=Outcome.ERRORED, reason=f"{place.name} could not tell: {reason}")
        return result
    if not passing:
        return CheckResult(check.id, Outcome.NOT_RUN, reason=f"nothing came back from {_names(places)}")
    text = f"passed at {_names(passing)} only: {rule.passing} of {rule.of} vantages are needed"
    return replace(_at(passing[0], check), outcome=Outcome.ERRORED, reason=text)


def _open_outcome(place: Standing, check: PlannedCheck) -> Outcome:
    """Of a vantage that cannot tell, a pass is no more than something that could not be told."""
    outcome = place.result(check).outcome
    return Outcome.ERRORED if outcome is Outcome.PASSED else outcome


def _quarantined(place: Standing, check: PlannedCheck) -> bool:
    return place.doubt is None and place.evidence is not None and place.evidence.excused(check)


def _at(place: Standing, check: PlannedCheck) -> CheckResult:
    """The result of a vantage; its evidence files have a folder of their own."""
    return moved(place.result(check), place.name)


def _services(parts: Sequence[Part], quorum: Quorum) -> Iterator[ServiceState]:
    """A service is down that is not there for as many vantages as make a failure."""
    for name in dict.fromkeys(name for part in parts for name in part.evidence.services):
        states = [part.evidence.services[name] for part in parts if name in part.evidence.services]
        down = [state for state in states if not state.live]
        up = [state for state in states if state.live]
        yield down[0] if len(down) >= quorum.failing or not up else up[0]


def _incidents(parts: Sequence[Part]) -> Iterator[Incident]:
    for part in parts:
        for incident in part.evidence.incidents:
            yield Incident(incident.reason, f"{part.name}: {incident.message}")


def _names(places: Sequence[Standing]) -> str:
    return listed([place.name for place in places])
