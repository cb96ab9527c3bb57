"""The record of a run, folded from the records of its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from postdeploy.domain.policy import Policy, Severity
from postdeploy.domain.result import CheckResult, Outcome

__all__ = [
    "ANSWERED_WRONGLY",
    "Baseline",
    "Evidence",
    "EvidenceError",
    "Incident",
    "PlannedCheck",
    "ReleaseEvidence",
    "ServiceState",
    "fold",
]

ANSWERED_WRONGLY = ("certificate_", "tls_", "not_tls", "http_", "protocol_")
"""Beginnings of the codes of a service that is there, and wrong."""


class EvidenceError(ValueError):
    """Records that cannot be a run."""


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """A check as it was collected, before anything was deselected."""

    id: str
    name: str
    kind: str
    severity: Severity
    path: str
    line: int
    owner: str | None = None
    runbook: str | None = None
    services: tuple[str, ...] = ()
    may_repeat: bool = True

    @property
    def required(self) -> bool:
        """Whether a pass needs it."""
        return self.severity is not Severity.MINOR

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "severity": self.severity.value,
            "path": self.path,
            "line": self.line,
            "owner": self.owner,
            "runbook": self.runbook,
            "services": list(self.services),
            "may_repeat": self.may_repeat,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> PlannedCheck:
        """Back from JSON."""
        values = dict(raw)
        values["severity"] = Severity(values["severity"])
        values["services"] = tuple(values["services"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What preflight found of a service; ``attempts`` is how often it was asked in a row."""

    name: str
    live: bool
    code: str | None = None
    message: str | None = None
    target_fault: bool = True
    attempts: int = 1

    @property
    def answered_wrongly(self) -> bool:
        """Down, but there: it answered, and the answer was wrong."""
        return not self.live and bool(self.code) and str(self.code).startswith(ANSWERED_WRONGLY)


@dataclass(frozen=True, slots=True)
class ReleaseEvidence:
    """Which release was expected, and which answered.

    Args:
        expected: as the pipeline said, or None.
        live: whether the expected release (or any one release) answered in time; None if nobody waited.
        waited: seconds.
        first: by service, the release when the checks started.
        last: by service, the release after the last check.
        counts: by service, how often each release answered while we waited.
        problem: why it did not become live.
    """

    expected: str | None = None
    live: bool | None = None
    waited: float = 0.0
    first: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to the run rather than to the target; ``reason`` is a word of the closed list."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was known of the checks before this release."""

    release: str | None
    outcomes: Mapping[str, Outcome]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a verdict may be based on."""

    run: Mapping[str, Any]
    target: Mapping[str, Any]
    policy: Policy
    plan: tuple[PlannedCheck, ...] = ()
    narrowed_by: tuple[str, ...] = ()
    results: Mapping[str, CheckResult] = field(default_factory=dict)
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    release: ReleaseEvidence = field(default_factory=ReleaseEvidence)
    incidents: tuple[Incident, ...] = ()
    baseline: Baseline | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = False
    finished_at: float | None = None
    pytest_exit: int | None = None

    def result(self, check: PlannedCheck) -> CheckResult:
        """What came of a planned check: ``not_run`` if nothing did."""
        return self.results.get(check.id) or CheckResult(check.id, Outcome.NOT_RUN, reason="it never reported")

    def counts(self) -> dict[str, int]:
        """How many checks ended how; ``executed`` counts those with at least one attempt."""
        results = [self.result(check) for check in self.plan]
        by_outcome = Counter(result.outcome for result in results)
        return {
            "planned": len(self.plan),
            "executed": sum(1 for result in results if result.attempts),
            **{outcome.value: by_outcome.get(outcome, 0) for outcome in Outcome},
            "flaky": sum(1 for result in results if result.flaky),
        }


def fold(records: Iterable[Mapping[str, Any]]) -> Evidence:
    """The evidence of a run from its records, in order. Raises EvidenceError on records that cannot be one."""
    state: dict[str, Any] = {
        "plan": {}, "results": {}, "services": {}, "incidents": [], "narrowed_by": [], "release": {},
    }  # fmt: skip
    try:
        for record in records:
            _RULES[record["record"]](state, record)
        return _evidence(state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"the journal holds a record that cannot be read: {error!r}") from error


def _evidence(state: Mapping[str, Any]) -> Evidence:
    started = state["started"]
    return Evidence(
        run=started["run"],
        target=started["target"],
        policy=Policy.from_json(started["policy"]),
        plan=tuple(state["plan"].values()),
        narrowed_by=tuple(dict.fromkeys(state["narrowed_by"])),
        results=state["results"],
        services=state["services"],
        release=ReleaseEvidence(**{"expected": started["expected"]} | state["release"]),
        incidents=tuple(state["incidents"]),
        baseline=state.get("baseline"),
        budget=state.get("budget", {}),
        finished="finished" in state,
        finished_at=state.get("finished"),
        pytest_exit=state.get("pytest_exit"),
    )


def _started(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    if "started" in state:
        raise ValueError("a second run starts in the same journal")
    state["started"] = record


def _plan(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    for raw in record["checks"]:
        check = PlannedCheck.from_json(raw)
        state["plan"][check.id] = check
    state["narrowed_by"].extend(record["narrowed_by"])


def _result(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    result = CheckResult.from_json(record["result"])
    state["results"][result.check_id] = result


def _service(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    service = ServiceState(**record["service"])
    state["services"][service.name] = service


def _release(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["release"].update(record["release"])


def _incident(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["incidents"].append(Incident(str(record["reason"]), str(record["message"])))


def _baseline(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    outcomes = {str(check): Outcome(outcome) for check, outcome in record["outcomes"].items()}
    state["baseline"] = Baseline(record["release"], outcomes, str(record["source"]))


def _budget(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["budget"] = record["used"]


def _finished(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["finished"] = float(record["at"])
    state["pytest_exit"] = int(record["pytest_exit"])


_RULES = {
    "started": _started,
    "plan": _plan,
    "result": _result,
    "service": _service,
    "release": _release,
    "incident": _incident,
    "baseline": _baseline,
    "budget": _budget,
    "finished": _finished,
}


def service_record(service: ServiceState) -> dict[str, Any]:
    """The journal's record of a service."""
    return {"record": "service", "service": asdict(service)}
