"""The record of a run, folded from the records of its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from postdeploy.domain.control import ControlResult
from postdeploy.domain.facts import (
    ANSWERED_WRONGLY,
    SILENT,
    UNSEEN,
    Baseline,
    Incident,
    PlannedCheck,
    ReleaseEvidence,
    ServiceState,
    Wait,
)
from postdeploy.domain.lock import Lock
from postdeploy.domain.past import Past
from postdeploy.domain.policy import Policy
from postdeploy.domain.reading import array, mapping, number, text
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.suite import Suite
from postdeploy.lazy_dataclass import asdict, dataclass, field

__all__ = [
    "ANSWERED_WRONGLY",
    "SILENT",
    "UNSEEN",
    "Baseline",
    "Evidence",
    "EvidenceError",
    "Incident",
    "PlannedCheck",
    "ReleaseEvidence",
    "ServiceState",
    "Vantage",
    "Wait",
    "control_record",
    "fold",
    "service_record",
]


class EvidenceError(ValueError):
    """Records that cannot be a run."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a verdict may be based on."""

    run: Mapping[str, Any]
    target: Mapping[str, Any]
    policy: Policy
    plan: tuple[PlannedCheck, ...] = ()
    narrowed_by: tuple[str, ...] = ()
    suite: Suite | None = None
    lock: Lock | None = None
    results: Mapping[str, CheckResult] = field(default_factory=dict)
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    release: ReleaseEvidence = field(default_factory=ReleaseEvidence)
    incidents: tuple[Incident, ...] = ()
    control: tuple[ControlResult, ...] = ()
    baseline: Baseline | None = None
    past: Past | None = None
    budget: Mapping[str, Any] = field(default_factory=dict)
    vantages: tuple[Vantage, ...] = ()
    waits: tuple[Wait, ...] = ()
    finished: bool = False
    finished_at: float | None = None
    pytest_exit: int | None = None

    def result(self, check: PlannedCheck) -> CheckResult:
        """What came of a planned check: ``not_run`` if nothing did."""
        return self.results.get(check.id) or CheckResult(check.id, Outcome.NOT_RUN, reason="it never reported")

    def unplanned(self) -> tuple[str, ...]:
        """The checks that reported although nobody planned them."""
        planned = {check.id for check in self.plan}
        return tuple(check for check in self.results if check not in planned)

    def excused(self, check: PlannedCheck) -> bool:
        """Whether the check failed in a quarantine that holds: what it says of the target does not count yet."""
        result = self.result(check)
        return bool(result.attempts) and result.outcome is Outcome.FAILED and self.quarantined(check)

    def quarantined(self, check: PlannedCheck) -> bool:
        """Whether the check was in quarantine when the run began."""
        return check.quarantine is not None and check.quarantine.holds(number(self.run["started"]))

    def answered_since(self, moment: float) -> bool:
        """Whether anything of the target is known to have answered at this moment or later, so our network works."""
        attempts = (attempt for result in self.results.values() for attempt in result.attempts)
        return any(last != UNSEEN for last in self.release.last.values()) or any(
            attempt.exchanges and attempt.started + attempt.duration >= moment for attempt in attempts
        )

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


@dataclass(frozen=True, slots=True)
class Vantage:
    """What came back from one of several vantages: the evidence of a whole run, or why nothing did."""

    name: str
    evidence: Evidence | None = None
    lost: Incident | None = None


def fold(records: Iterable[Mapping[str, Any]]) -> Evidence:
    """The evidence of a run from its records, in order. Raises EvidenceError on records that cannot be one."""
    state: dict[str, Any] = {
        "results": {}, "services": {}, "incidents": [], "control": [], "release": {}, "seen": {}, "lost": {},
    }  # fmt: skip
    try:
        for record in records:
            kind = text(record["record"])
            _require_order(state, kind)
            _RULES[kind](state, record)
        return _evidence(state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"the journal holds a record that cannot be read: {error!r}") from error


def service_record(service: ServiceState) -> dict[str, Any]:
    """The journal's record of a service."""
    return {"record": "service", "service": asdict(service)}


def control_record(control: ControlResult) -> dict[str, Any]:
    """The journal's record of what a control probe came to."""
    return {"record": "control", "control": control.to_json()}


def _require_order(state: Mapping[str, Any], kind: str) -> None:
    if (kind == "started") == ("started" in state):
        raise ValueError(f"the record '{kind}' stands where it cannot: a run starts once, with its first record")
    if "finished" in state:
        raise ValueError(f"the record '{kind}' stands after the end of the run")
    if kind in {"plan", "baseline", "past", "suite", "lock"} and kind in state:
        raise ValueError(f"the record '{kind}' stands twice")


def _evidence(state: Mapping[str, Any]) -> Evidence:
    started = state["started"]
    plan = state.get("plan", {"checks": (), "narrowed_by": ()})
    release = ReleaseEvidence.from_json({"expected": started["expected"]} | state["release"])
    evidence = Evidence(
        run=started["run"],
        target=started["target"],
        policy=Policy.from_json(started["policy"]),
        plan=plan["checks"],
        narrowed_by=plan["narrowed_by"],
        suite=state.get("suite"),
        lock=state.get("lock"),
        results=state["results"],
        services=state["services"],
        release=release,
        incidents=tuple(state["incidents"]),
        control=tuple(state["control"]),
        baseline=state.get("baseline"),
        past=state.get("past"),
        budget=state.get("budget", {}),
        waits=tuple(state.get("waits", ())),
        finished="finished" in state,
        finished_at=state.get("finished"),
        pytest_exit=state.get("pytest_exit"),
    )
    if "vantages" not in started["run"]:
        if state["seen"] or state["lost"]:
            raise ValueError("a run of no vantages has records of some")
        return evidence
    from postdeploy.domain.combining import combine

    return combine(evidence, state["seen"], state["lost"], fold)


def _started(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    run, target = mapping(record["run"]), mapping(record["target"])
    text(run["id"]), number(run["started"]), text(target["name"])
    state["started"] = record


def _plan(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    checks = tuple(PlannedCheck.from_json(raw) for raw in array(record["checks"]))
    if len({check.id for check in checks}) != len(checks):
        raise ValueError("one check is planned twice")
    narrowed = dict.fromkeys(text(word) for word in array(record["narrowed_by"]))
    state["plan"] = {"checks": checks, "narrowed_by": tuple(narrowed)}


def _suite(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["suite"] = Suite.from_json(record["files"])


def _lock(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["lock"] = Lock.from_json(record)


def _result(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    result = CheckResult.from_json(record["result"])
    before = state["results"].setdefault(result.check_id, result)
    if result != before:
        state["results"][result.check_id] = _contradiction(before, result)


def _contradiction(first: CheckResult, second: CheckResult) -> CheckResult:
    """Two different results of one check: neither is believed, both are kept."""
    return CheckResult(
        first.check_id, Outcome.ERRORED, first.attempts + second.attempts, reason="it reported more than one result"
    )


def _service(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    service = ServiceState.from_json(record["service"])
    state["services"][service.name] = service


def _release(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    told = mapping(record["release"])
    if told.get("expected", state["started"]["expected"]) != state["started"]["expected"]:
        raise ValueError("another release is expected than at the start")
    state["release"].update(told)


def _wait(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state.setdefault("waits", []).append(Wait.from_json(record["wait"]))


def _incident(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["incidents"].append(Incident.from_json(record))


def _control(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["control"].append(ControlResult.from_json(record["control"]))


def _baseline(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["baseline"] = Baseline.from_json(record)


def _past(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["past"] = Past.from_json(record)


def _budget(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["budget"] = mapping(record["used"])


def _seen(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["seen"].setdefault(text(record["vantage"]), []).append(mapping(record["of"]))


def _lost(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    state["lost"].setdefault(text(record["vantage"]), []).append(Incident.from_json(record))


def _finished(state: dict[str, Any], record: Mapping[str, Any]) -> None:
    status = record["pytest_exit"]
    if isinstance(status, bool) or not isinstance(status, int):
        raise TypeError(f"expected an exit status, got {status!r}")
    state["finished"], state["pytest_exit"] = number(record["at"]), status


_RULES: Final[Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]]] = {
    "started": _started,
    "plan": _plan,
    "suite": _suite,
    "lock": _lock,
    "result": _result,
    "service": _service,
    "release": _release,
    "wait": _wait,
    "incident": _incident,
    "control": _control,
    "baseline": _baseline,
    "past": _past,
    "budget": _budget,
    "seen": _seen,
    "lost": _lost,
    "finished": _finished,
}
