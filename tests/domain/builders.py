"""Evidence in few words: a run in which everything went well, and what may be different about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Any

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.evidence import (
    Evidence,
    Incident,
    PlannedCheck,
    ReleaseEvidence,
    ServiceState,
    control_record,
    service_record,
)
from postdeploy.domain.policy import OnFailure, Policy, Severity
from postdeploy.domain.result import Attempt, CheckResult, Fault, Finding, Outcome

WEB = "https://web.test"
API = "https://api.test"
BEGIN = 1_000_000.0


def plan(name: str = "home", severity: str = "critical", **more: Any) -> PlannedCheck:
    """A planned check whose id is its name."""
    facts: dict[str, Any] = {"kind": "api", "path": "suites/api.yaml", "line": 1, "services": ("web",)}
    return PlannedCheck(name, name, severity=Severity(severity), **facts | more)


def attempt(outcome: str = "passed", at: float = 0.0, **more: Any) -> Attempt:
    """An attempt at some second of the run, with one answer of the expected release."""
    kind = Outcome(outcome)
    facts: dict[str, Any] = {"duration": 0.1, "exchanges": 1, "releases": ("r2",)}
    if kind is Outcome.FAILED:
        facts["findings"] = (Finding("mismatch", "status", "200", "404"),)
    if kind is Outcome.ERRORED:
        facts["error"] = "our side broke"
    return Attempt(kind, BEGIN + at, **facts | more)


def unheard(code: str, at: float = 0.0, url: str = WEB + "/") -> Attempt:
    """A failing attempt that no answer came to."""
    return attempt("failed", at, exchanges=0, releases=(), fault=Fault(url, code))


def result(name: str = "home", *outcomes: str, **more: Any) -> CheckResult:
    """A result with attempts two seconds apart; it ended like the last of them."""
    attempts = tuple(attempt(outcome, 2.0 * number) for number, outcome in enumerate(outcomes))
    return CheckResult(name, **{"outcome": attempts[-1].outcome, "attempts": attempts} | more)


def passed(name: str = "home") -> CheckResult:
    """Passed at once."""
    return result(name, "passed")


def failed(name: str = "home", **more: Any) -> CheckResult:
    """A failure that was seen twice, far enough apart."""
    return result(name, "failed", "failed", **more)


def blocked(name: str = "home", by: str = "web", **more: Any) -> CheckResult:
    """Not run, because its service is down."""
    return CheckResult(name, Outcome.BLOCKED, reason="it is down", blocked_by=by, **more)


def up(name: str = "web") -> ServiceState:
    """A service that answers."""
    return ServiceState(name, True)


def down(name: str = "web", code: str = "connection_refused", **more: Any) -> ServiceState:
    """A service that was asked twice and is not there."""
    return ServiceState(name, False, code, f"{code} ({name})", **{"attempts": 2} | more)


def control(probe: str = "url", *, healthy: bool = True, at: float = 1.0, **more: Any) -> ControlResult:
    """What a control probe came to at some second of the run, after something had gone wrong."""
    facts: dict[str, Any] = {"moment": "failure", "message": f"{probe} is {'well' if healthy else 'sick'}"} | more
    return ControlResult(ControlProbe(probe), Moment(facts.pop("moment")), healthy, BEGIN + at, **facts)


def evidence(*results: CheckResult, **changes: Any) -> Evidence:
    """A finished run about release r2 that is live; every result is of a critical check unless ``plan`` says more."""
    facts: dict[str, Any] = {
        "run": {"id": "run-1", "started": BEGIN, "tool": {"version": "0.1.0"}},
        "target": {"name": "staging", "services": {"web": WEB, "api": API}},
        "policy": Policy(),
        "plan": tuple(plan(each.check_id) for each in results),
        "results": {each.check_id: each for each in results},
        "services": {"web": up("web"), "api": up("api")},
        "release": release(),
        "finished": True,
        "finished_at": BEGIN + 10,
        "pytest_exit": 0 if all(each.outcome is Outcome.PASSED for each in results) else 1,
    }
    return Evidence(**facts | changes)


def release(**changes: Any) -> ReleaseEvidence:
    """Release r2, expected, live, and still there at the end."""
    return replace(ReleaseEvidence("r2", True, 1.0, {"web": "r2"}, {"web": "r2"}, {"web": {"r2": 5}}), **changes)


def services(*states: ServiceState) -> dict[str, ServiceState]:
    """States by name."""
    return {state.name: state for state in states}


def incidents(*reasons: str) -> tuple[Incident, ...]:
    """Incidents, each with a message."""
    return tuple(Incident(reason, f"{reason} happened") for reason in reasons)


def policy(**actions: str) -> Policy:
    """The default policy with other actions."""
    chosen = {Severity(severity): OnFailure(action) for severity, action in actions.items()}
    return Policy(actions=MappingProxyType({**Policy().actions, **chosen}))


def records(run: Evidence) -> list[dict[str, Any]]:
    """The journal of a run."""
    lines: list[Mapping[str, Any]] = [
        {
            "record": "started", "run": run.run, "target": run.target,
            "policy": run.policy.to_json(), "expected": run.release.expected,
        },
        {"record": "plan", "checks": [check.to_json() for check in run.plan], "narrowed_by": list(run.narrowed_by)},
        *(service_record(state) for state in run.services.values()),
        {"record": "release", "release": asdict(run.release)},
        *({"record": "wait", "wait": asdict(wait)} for wait in run.waits),
        *(control_record(each) for each in run.control),
        *({"record": "result", "result": each.to_json()} for each in run.results.values()),
        *({"record": "incident", "reason": each.reason, "message": each.message} for each in run.incidents),
    ]  # fmt: skip
    if run.baseline is not None:
        lines.append({"record": "baseline"} | asdict(run.baseline))
    if run.past is not None:
        lines.append({"record": "past"} | run.past.to_json())
    if run.budget:
        lines.append({"record": "budget", "used": run.budget})
    if run.finished:
        lines.append({"record": "finished", "at": run.finished_at, "pytest_exit": run.pytest_exit})
    return [dict(line) for line in lines]
