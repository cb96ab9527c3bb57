"""Spans: one of the run, below it one of each check, below that one of each attempt, whose id the target was sent.

So what the target records for a request stands below the attempt that made it. Names of attributes are those of the
semantic conventions for test, cicd, deployment, http and error; ours begin with ``postdeploy.``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.domain.trace import check_span, run_span, span_of, trace_of
from postdeploy.exporters.escaping import visible
from postdeploy.exporters.otlp_values import LONGEST, Json, attributes, nanoseconds
from postdeploy.exporters.reading import message

__all__ = ["SUITE", "TASK", "spans"]

Document = Mapping[str, Any]

_INTERNAL: Final = 1
_CLIENT: Final = 3
_ERROR: Final = 2

TASK: Final = {"promote": "success", "rollback": "failure", "hold": "error"}
"""By action: cicd.pipeline.task.run.result."""

_DEPLOYMENT: Final = {"promote": "succeeded", "rollback": "failed"}
"""By action: deployment.status, which has no word for what nobody could tell."""

SUITE: Final = {"pass": "success", "fail": "failure", "inconclusive": "aborted"}
_INTERRUPTIONS: Final = {"deadline_exceeded": "timed_out"}
_CASE: Final = {"passed": "pass", "failed": "fail", "errored": "fail", "blocked": "fail"}


def spans(document: Document) -> list[Json]:
    """All spans of a run."""
    found = [_run(document)]
    for check in document.get("checks", ()):
        found.append(_check(document, check))
        found += [_attempt(document, check, number) for number in range(1, len(check["attempts"]) + 1)]
    return found


def _run(document: Document) -> Json:
    run, ci = document["run"], document["run"].get("ci") or {}
    status = SUITE.get(document["verdict"]) if run.get("finished") else "in_progress"
    facts = {
        "cicd.pipeline.task.name": "postdeploy",
        "cicd.pipeline.task.type": "test",
        "cicd.pipeline.task.run.id": run["id"],
        "cicd.pipeline.task.run.result": TASK.get(document["action"]),
        "cicd.pipeline.run.url.full": ci.get("url"),
        "deployment.environment.name": document["target"]["name"],
        "deployment.status": _DEPLOYMENT.get(document["action"]),
        "test.suite.name": document["target"]["name"],
        "test.suite.run.status": _INTERRUPTIONS.get(document["reason"], status),
        "postdeploy.verdict": document["verdict"],
        "postdeploy.reason": document["reason"],
        "postdeploy.action": document["action"],
        "postdeploy.release": document["release"]["expected"],
    }
    span = _span(document, f"postdeploy {document['target']['name']}", run_span(run["id"]), None)
    span |= {
        "startTimeUnixNano": nanoseconds(run["started"]),
        "endTimeUnixNano": nanoseconds(run.get("finished") or run["started"]),
        "attributes": attributes(facts),
        "events": [_event(run, "postdeploy.incident", one) for one in document.get("incidents", ())],
    }
    return span | _status(document["verdict"] != "pass", document["summary"])


def _check(document: Document, check: Document) -> Json:
    """One that was never attempted has no length, and stands at the end of the run."""
    run, attempts = document["run"], check["attempts"]
    ended = run.get("finished") or run["started"]
    first, last = (attempts[0], attempts[-1]) if attempts else ({"started": ended},) * 2
    facts = {
        "test.case.name": check["name"],
        "test.case.result.status": _CASE.get(check["outcome"]),
        "test.suite.name": check["path"],
        "code.file.path": check["path"],
        "code.line.number": check["line"],
        "error.type": check["outcome"] if check["outcome"] in {"errored", "blocked"} else None,
        "postdeploy.check": check["id"],
        "postdeploy.kind": check["kind"],
        "postdeploy.severity": check["severity"],
        "postdeploy.owner": check["owner"],
        "postdeploy.outcome": check["outcome"],
        "postdeploy.flaky": check["flaky"],
        "postdeploy.attempts": len(attempts),
        "postdeploy.cause": check["cause"],
    }
    span = _span(document, check["name"], check_span(run["id"], check["id"]), run_span(run["id"]))
    span |= {
        "startTimeUnixNano": nanoseconds(first["started"]),
        "endTimeUnixNano": nanoseconds(last["started"], last.get("duration", 0.0)),
        "attributes": attributes(facts),
    }
    return span | _status(_CASE.get(check["outcome"]) == "fail", message(check))


def _attempt(document: Document, check: Document, number: int) -> Json:
    run, attempt = document["run"], check["attempts"][number - 1]
    failed = attempt["outcome"] != "passed"
    facts = {
        "test.case.name": check["name"],
        "test.case.result.status": _CASE.get(attempt["outcome"]),
        "http.response.status_code": attempt.get("status"),
        "error.type": next(_codes(attempt), None) if failed else None,
        "postdeploy.check": check["id"],
        "postdeploy.attempt": number,
        "postdeploy.exchanges": attempt["exchanges"],
        "postdeploy.releases": attempt.get("releases"),
        **{f"postdeploy.phase.{name}": float(seconds) for name, seconds in attempt.get("phases", {}).items()},
    }
    name, above = span_of(run["id"], check["id"], number), check_span(run["id"], check["id"])
    span = _span(document, f"attempt {number}", name, above, _CLIENT)
    span |= {
        "startTimeUnixNano": nanoseconds(attempt["started"]),
        "endTimeUnixNano": nanoseconds(attempt["started"], attempt["duration"]),
        "attributes": attributes(facts),
    }
    return span | _status(failed, message({"attempts": [attempt], "reason": None}))


def _codes(attempt: Document) -> Iterator[str]:
    """Words for what went wrong, the most telling one first."""
    if attempt.get("code"):
        yield attempt["code"]
    if attempt.get("fault"):
        yield attempt["fault"]["code"]
    yield from (finding["code"] for finding in attempt.get("findings", ()))
    yield attempt["outcome"]


def _span(document: Document, name: str, span: str, parent: str | None, kind: int = _INTERNAL) -> Json:
    above = {"parentSpanId": parent} if parent else {}
    trace = {"traceId": trace_of(document["run"]["id"]), "spanId": span} | above
    return trace | {"name": visible(name)[:LONGEST], "kind": kind}


def _status(failed: bool, text: str) -> Json:
    return {"status": {"code": _ERROR, "message": visible(text)[:LONGEST]}} if failed else {}


def _event(run: Document, name: str, incident: Document) -> Json:
    facts = {"postdeploy.reason": incident["reason"], "postdeploy.message": incident["message"]}
    return {
        "timeUnixNano": nanoseconds(run.get("finished") or run["started"]),
        "name": name,
        "attributes": attributes(facts),
    }
