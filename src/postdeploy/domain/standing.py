"""What each of several vantages says by itself: whether it can tell, and which checks fail there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from postdeploy.domain.evidence import Evidence, Incident, PlannedCheck
from postdeploy.domain.failure import Failure, find_failures
from postdeploy.domain.parts import Part
from postdeploy.domain.policy import Policy, Quorum
from postdeploy.domain.relevance import judge_relevance
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.verdict import Reason
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Standing", "State", "listed", "parts_of", "places_of", "quorum_of", "stand"]

_OF_TARGET: Final = frozenset({Reason.SAFETY_VIOLATION, Reason.WRONG_RELEASE, Reason.RELEASE_CHANGED})
"""Doubts that are about all vantages although one of them has them."""


class State(StrEnum):
    """Whether a vantage can tell anything of the target."""

    ANSWERED = "answered"
    DOUBTFUL = "doubtful"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Standing:
    """One vantage.

    Args:
        evidence: of its run; None if nothing came back.
        doubt: why it cannot tell, as a reason and a sentence; None if it can.
        failing: failures that are confirmed there, by the id of their check; none if it cannot tell.
    """

    name: str
    evidence: Evidence | None
    doubt: tuple[Reason, str] | None
    failing: Mapping[str, Failure]

    @property
    def state(self) -> State:
        """In one word."""
        if self.evidence is None:
            return State.LOST
        return State.DOUBTFUL if self.doubt else State.ANSWERED

    @property
    def shared_doubt(self) -> tuple[Reason, str] | None:
        """A doubt about the target as a whole: what one vantage saw of its release is so for all."""
        if self.doubt is None or self.evidence is None:
            return None
        reason, text = self.doubt
        heard = self.evidence.release.counts or self.evidence.release.first
        if reason in _OF_TARGET or (reason is Reason.TARGET_NOT_LIVE and heard):
            return reason, f"{self.name}: {text}"
        return None

    def result(self, check: PlannedCheck) -> CheckResult:
        """What came of a check there: ``not_run`` where nothing came back."""
        return self.evidence.result(check) if self.evidence else CheckResult(check.id, Outcome.NOT_RUN)


def stand(evidence: Evidence, policy: Policy) -> tuple[Standing, ...]:
    """Every vantage of a run, in its order."""
    return tuple(_standings(evidence, policy))


def _standings(evidence: Evidence, policy: Policy) -> Iterator[Standing]:
    for vantage in evidence.vantages:
        if vantage.evidence is None or vantage.lost is not None:
            lost = vantage.lost or Incident(Reason.INCOMPLETE.value, "nothing came back")
            yield Standing(vantage.name, None, (Reason(lost.reason), lost.message), {})
            continue
        doubt = _doubt(vantage.evidence)
        failing = () if doubt else find_failures(vantage.evidence, policy)
        yield Standing(vantage.name, vantage.evidence, doubt, {failure.check.id: failure for failure in failing})


def _doubt(evidence: Evidence) -> tuple[Reason, str] | None:
    """Stage A of a verdict; a run that ended before it had a plan can tell nothing either."""
    verdict = judge_relevance(evidence, ())
    if verdict is not None:
        return verdict.reason, verdict.summary
    if evidence.plan:
        return None
    incident = next(iter(evidence.incidents), None)
    return (Reason(incident.reason), incident.message) if incident else (Reason.NOTHING_SELECTED, "no check was there")


def parts_of(standings: Sequence[Standing]) -> list[Part]:
    """The runs of the vantages that have one."""
    return [Part(each.name, None, each.evidence) for each in standings if each.evidence is not None]


def quorum_of(evidence: Evidence, policy: Policy) -> Quorum:
    """At how many vantages a check must fail to have failed."""
    return policy.quorum or Quorum.majority(len(evidence.vantages))


def places_of(check: PlannedCheck, standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """The vantages that a check runs at."""
    return tuple(each for each in standings if not check.vantages or each.name in check.vantages)


def listed(names: Sequence[str]) -> str:
    """Names as people list them."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
