"""The verdict document: what verdict.json says (schema: schemas/verdict.schema.json, versioned, additive)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from postdeploy.domain.control import ControlResult
from postdeploy.domain.evidence import Evidence, PlannedCheck, ServiceState, Wait
from postdeploy.domain.result import Attempt

if TYPE_CHECKING:
    from postdeploy.domain.cause import Cause
    from postdeploy.domain.verdict import Verdict

__all__ = ["SCHEMA", "iso", "started_document", "verdict_document"]

SCHEMA = "postdeploy/verdict/1"


def started_document(started: Mapping[str, Any]) -> dict[str, Any]:
    """The pessimistic document that stands on disk from the first moment; ``started`` is the journal's first record."""
    return {
        "schema": SCHEMA,
        "state": "started",
        "verdict": "inconclusive",
        "reason": "incomplete",
        "action": "hold",
        "summary": "the run started and has not finished",
        "warnings": [],
        "run": dict(started["run"]) | {"started": iso(started["run"]["started"]), "finished": None},
        "target": dict(started["target"]),
        "release": {"expected": started["expected"]},
    }


def verdict_document(
    evidence: Evidence, verdict: Verdict, *, proof: Mapping[str, Any], exporters: Mapping[str, str]
) -> dict[str, Any]:
    """The sealed document. ``proof`` names the journal with its digest; ``exporters`` the other reports by name.

    It follows from its arguments alone, so that anybody who holds the evidence can make it again and compare.
    """
    causes = {check: cause for cause in reversed(verdict.causes) for check in cause.checks}
    return {
        "schema": SCHEMA,
        "state": "sealed",
        "verdict": verdict.conclusion.value,
        "reason": verdict.reason.value,
        "action": verdict.action.value,
        "summary": verdict.summary,
        "warnings": list(verdict.warnings),
        "run": _run(evidence),
        "target": dict(evidence.target),
        "release": _release(evidence),
        **({"waits": [_wait(wait) for wait in evidence.waits]} if evidence.waits else {}),
        "services": {name: _service(state) for name, state in evidence.services.items()},
        "control": [_control(result) for result in evidence.control],
        "baseline": _baseline(evidence),
        "past": _past(evidence),
        "counts": evidence.counts(),
        "narrowed_by": list(evidence.narrowed_by),
        "suite": _suite(evidence),
        "lock": _lock(evidence),
        "incidents": [{"reason": incident.reason, "message": incident.message} for incident in evidence.incidents],
        "checks": [_check(check, evidence, causes.get(check.id)) for check in evidence.plan],
        "causes": [_cause(cause) for cause in verdict.causes],
        "budget": dict(evidence.budget),
        "policy": evidence.policy.to_json() | {"digest": evidence.policy.digest},
        "evidence": dict(proof),
        "reports": dict(exporters),
        **(_about_vantages(evidence) if evidence.vantages else {}),
    }


def _about_vantages(evidence: Evidence) -> dict[str, Any]:
    from postdeploy.domain.vantage_document import about_vantages

    return about_vantages(evidence)


def _suite(evidence: Evidence) -> dict[str, Any] | None:
    suite = evidence.suite
    return {"digest": suite.digest(evidence.run.get("plugins")), "files": dict(suite.files)} if suite else None


def _lock(evidence: Evidence) -> dict[str, Any] | None:
    lock, ids = evidence.lock, [check.id for check in evidence.plan]
    if lock is None:
        return None
    return {
        "file": lock.file,
        "checks": len(lock.checks),
        "missing": list(lock.missing(ids)),
        "new": list(lock.new(ids)),
    }


def _run(evidence: Evidence) -> dict[str, Any]:
    finished = evidence.finished_at
    times = {"started": iso(evidence.run["started"]), "finished": iso(finished) if finished is not None else None}
    return dict(evidence.run) | times | {"pytest_exit": evidence.pytest_exit}


def iso(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _release(evidence: Evidence) -> dict[str, Any]:
    release = evidence.release
    return {
        "expected": release.expected,
        "observed": dict(release.first),
        "observed_last": dict(release.last),
        "counts": {service: dict(counts) for service, counts in release.counts.items()},
        "live": release.live,
        "live_after": round(release.waited, 3),
        "changed": bool(release.changed),
        "problem": release.problem,
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {"name": wait.name, "began": iso(wait.began), "seconds": round(wait.seconds, 3)}


def _service(state: ServiceState) -> dict[str, Any]:
    return {"live": state.live, "code": state.code, "message": state.message, "target_fault": state.target_fault}


def _control(result: ControlResult) -> dict[str, Any]:
    return result.to_json() | {"at": iso(result.at)}


def _baseline(evidence: Evidence) -> dict[str, Any] | None:
    baseline = evidence.baseline
    return {"release": baseline.release, "source": baseline.source} if baseline else None


def _past(evidence: Evidence) -> dict[str, Any] | None:
    past = evidence.past
    if past is None:
        return None
    timed = sum(timing is not None for timing in past.checks.values())
    return {
        "source": past.source,
        "run": past.run,
        "last_good": past.last_good,
        "checks": len(past.checks),
        "timed": timed,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {"id": cause.id, "summary": cause.summary, "service": cause.service, "checks": list(cause.checks)}


def _check(check: PlannedCheck, evidence: Evidence, cause: Cause | None) -> dict[str, Any]:
    result = evidence.result(check)
    last = result.last
    return check.to_json() | {
        "outcome": result.outcome.value,
        "flaky": result.flaky,
        "reason": result.reason,
        "by_policy": result.by_policy,
        "attempts": [_attempt(attempt) for attempt in result.attempts],
        "curl": last.curl if last else None,
        "evidence": sorted({path for attempt in result.attempts for path in attempt.evidence}),
        "cause": cause.id if cause else None,
        **({"outcomes": _outcomes(check, evidence)} if evidence.vantages else {}),
    }


def _outcomes(check: PlannedCheck, evidence: Evidence) -> dict[str, str | None]:
    """By vantage; null for one that nothing came back from."""
    return {
        vantage.name: vantage.evidence.result(check).outcome.value if vantage.evidence else None
        for vantage in evidence.vantages
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    raw = attempt.to_json()
    raw["started"] = iso(attempt.started)
    return raw
