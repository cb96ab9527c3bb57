"""The verdict of whole runs from several vantages: what fails at enough of them has failed, what one sees is regional.

The three stages are those of any verdict. A pass needs vantages with a pass of their own, and so many of them that
those left over could not have made a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from postdeploy.domain.cause import find_causes
from postdeploy.domain.combining import recombine
from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.failure import Failure, fail
from postdeploy.domain.parts import Part, differences, unequal_releases
from postdeploy.domain.policy import Action, OnFailure, OnRegional, Policy, Quorum
from postdeploy.domain.standing import Standing, State, listed, parts_of, places_of, quorum_of, stand
from postdeploy.domain.verdict import Conclusion, Reason, Verdict, inconclusive
from postdeploy.domain.warning import is_required
from postdeploy.lazy_dataclass import dataclass

__all__ = ["judge_quorum"]

_Doubt = tuple[Reason, str]


@dataclass(frozen=True, slots=True)
class _Case:
    """All that is judged: the run, its rules, its vantages, and the verdict of each by itself."""

    evidence: Evidence
    policy: Policy
    quorum: Quorum
    standings: tuple[Standing, ...]
    verdicts: Mapping[str, Verdict]

    @property
    def passing(self) -> list[Standing]:
        """The vantages with complete positive evidence."""
        return [each for each in self.standings if self.conclusion(each) is Conclusion.PASS]

    def conclusion(self, standing: Standing) -> Conclusion:
        """What a vantage alone would say; of one that is lost, that nobody can tell."""
        verdict = self.verdicts.get(standing.name)
        return verdict.conclusion if verdict else Conclusion.INCONCLUSIVE


def judge_quorum(evidence: Evidence, policy: Policy, judge: Callable[[Evidence, Policy], Verdict]) -> Verdict:
    """The verdict of a run of several vantages; ``judge`` is that of a run of one."""
    run = evidence if policy == evidence.policy else recombine(evidence, policy)
    standings = stand(run, policy)
    verdicts = {each.name: judge(each.evidence, policy) for each in standings if each.evidence is not None}
    case = _Case(run, policy, quorum_of(run, policy), standings, verdicts)
    causes, warnings = find_causes(run), tuple(dict.fromkeys(_warnings(case)))
    doubt = next(_misfits(case), None)
    if doubt is not None:
        return inconclusive(*doubt, causes, warnings)
    failures = list(_failures(case))
    if failures:
        places = [each.name for each in standings if any(failure.check.id in each.failing for failure in failures)]
        return fail(failures, causes, warnings, f" (at {listed(places)})")
    missing = next(_missing(case), None)
    if missing is not None:
        return inconclusive(*missing, causes, warnings)
    reason = Reason.PASSED_WITH_WARNINGS if warnings else Reason.ALL_REQUIRED_PASSED
    return Verdict(Conclusion.PASS, reason, Action.PROMOTE, _summary(case, len(warnings)), warnings, causes)


def _summary(case: _Case, warnings: int) -> str:
    counts = case.evidence.counts()
    text = f"{counts['passed']} of {counts['planned']} checks passed at {listed([p.name for p in case.passing])}"
    return f"{text}, {warnings} warning{'s' if warnings > 1 else ''}" if warnings else text


# Stage A: are these runs of one thing, and the right one?


def _misfits(case: _Case) -> Iterator[_Doubt]:
    names = [each.name for each in case.standings]
    if case.policy.vantages and sorted(case.policy.vantages) != sorted(names):
        yield (
            Reason.CONFIG_ERROR,
            f"the policy asks for {listed(case.policy.vantages)}, the run was from {listed(names)}",
        )
    if case.quorum.of != len(names):
        yield Reason.CONFIG_ERROR, f"the quorum is {case.quorum}, and the run has {len(names)} vantages"
    answered = parts_of([each for each in case.standings if each.state is State.ANSWERED])
    yield from differences([Part("the run", None, case.evidence), *answered])
    yield from (each.shared_doubt for each in case.standings if each.shared_doubt is not None)
    yield from unequal_releases(parts_of(case.standings))


# Stage B: has anything failed at enough vantages?


def _failures(case: _Case) -> Iterator[Failure]:
    for check in case.evidence.plan:
        places = places_of(check, case.standings)
        failing = _failing(check, places)
        if places and len(failing) >= case.quorum.among(len(places)).failing:
            together = _together(failing, case.quorum.among(len(places)).failing)
            if together.on_failure is not OnFailure.WARN:
                yield together


def _failing(check: PlannedCheck, places: Sequence[Standing]) -> list[Failure]:
    return [place.failing[check.id] for place in places if check.id in place.failing]


def _together(failing: Sequence[Failure], needed: int) -> Failure:
    """It rolls back only if enough vantages would have: confirmed there, and not known there from before."""
    first, known = failing[0], {failure.known for failure in failing}
    confirmed = sum(failure.confirmed for failure in failing) >= needed
    fresh = sum(failure.confirmed and not failure.known for failure in failing) >= needed
    rolls_back = first.on_failure is OnFailure.ROLLBACK
    on_failure = OnFailure.HOLD if rolls_back and confirmed and not fresh else first.on_failure
    return Failure(first.check, confirmed, on_failure, known.pop() if len(known) == 1 else None)


# Stage C: is there complete positive evidence from enough vantages?


def _missing(case: _Case) -> Iterator[_Doubt]:
    if case.policy.on_regional is OnRegional.HOLD:
        yield from ((Reason.REQUIRED_CHECK_NOT_PROVEN, text) for text in _regional(case, required=True))
    passing = case.passing
    if len(passing) < case.quorum.passing:
        reason, text = next(_shortcomings(case, case.standings))
        told = f"{len(passing)} of {case.quorum.of} vantages passed and {case.quorum.passing} are needed; {text}"
        yield reason, told
    yield from _unproven_where_pinned(case, passing)


def _regional(case: _Case, *, required: bool) -> Iterator[str]:
    """Checks that fail somewhere, and at too few places to have failed."""
    for check in case.evidence.plan:
        places = places_of(check, case.standings)
        failing = [place.name for place in places if check.id in place.failing]
        needed = case.quorum.among(len(places)).failing
        if failing and len(failing) < needed and (is_required(check, case.policy) or not required):
            yield f"{check.name} failed at {listed(failing)} only; it takes {needed} of {len(places)} vantages"


def _shortcomings(case: _Case, standings: Sequence[Standing]) -> Iterator[_Doubt]:
    """Why vantages have not passed."""
    for each in standings:
        verdict = case.verdicts.get(each.name)
        if each.doubt is not None:
            yield each.doubt[0], f"{each.name}: {each.doubt[1]}"
        elif verdict is not None and verdict.conclusion is Conclusion.FAIL:
            yield Reason.REQUIRED_CHECK_NOT_PROVEN, f"{each.name}: {verdict.summary}"
        elif verdict is not None and verdict.conclusion is Conclusion.INCONCLUSIVE:
            yield verdict.reason, f"{each.name}: {verdict.summary}"


def _unproven_where_pinned(case: _Case, passing: Sequence[Standing]) -> Iterator[_Doubt]:
    for check in case.evidence.plan:
        if not check.vantages or not is_required(check, case.policy):
            continue
        places = places_of(check, case.standings)
        if not places:
            names = listed(check.vantages)
            yield Reason.REQUIRED_CHECK_MISSING, f"{check.name} runs at {names}, and this run has no such vantage"
        elif sum(place in passing for place in places) < case.quorum.among(len(places)).passing:
            names = listed([place.name for place in places if place not in passing])
            yield Reason.REQUIRED_CHECK_NOT_PROVEN, f"{check.name} runs at {names}, where nothing is proven"


# What a person should know.


def _warnings(case: _Case) -> Iterator[str]:
    unable = [each for each in case.standings if case.conclusion(each) is Conclusion.INCONCLUSIVE]
    yield from (f"vantage {text}" for _, text in _shortcomings(case, unable))
    yield from (f"regional: {text}" for text in _regional(case, required=False))
    told: dict[str, list[str]] = {}
    for name, verdict in case.verdicts.items():
        for text in verdict.warnings:
            told.setdefault(text, []).append(name)
    for text, names in told.items():
        yield text if len(names) == len(case.standings) else f"{text} (at {listed(names)})"
