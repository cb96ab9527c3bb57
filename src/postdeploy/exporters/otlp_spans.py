"""Spans: one of the run, below it one of each wait and check, below that one of each attempt.

The target was sent the ids of waits and attempts, so what it records for a request stands below what made it. Names of
attributes are those of the semantic conventions for test, cicd, deployment, http and error; ours begin with
``postdeploy.``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from postdeploy.domain.trace import check_span, run_span, span_of, trace_of
from postdeploy.exporters.otlp_values import array, attributes, measured, nanoseconds, pairs, quoted, told
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


def spans(document: Document) -> list[str]:
    """All spans of a run, each as JSON, that of the run first."""
    run = document["run"]["id"]
    trace, root = trace_of(run), run_span(run)
    ended = document["run"].get("finished") or document["run"]["started"]
    found = [_run(document), *(_wait(document, trace, wait) for wait in document.get("waits", ()))]
    for check in document.get("checks", ()):
        above, name = check_span(run, check["id"]), told("postdeploy.check", quoted(check["id"]))
        found.append(_check(check, name, f'{{"traceId":"{trace}","spanId":"{above}","parentSpanId":"{root}"', ended))
        found += [
            _attempt(attempt, number, name,
                     f'{{"traceId":"{trace}","spanId":"{span_of(run, check["id"], number)}","parentSpanId":"{above}"')
            for number, attempt in enumerate(check["attempts"], 1)
        ]  # fmt: skip
    return found


def _run(document: Document) -> str:
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
    name = f"postdeploy {document['target']['name']}"
    ended = nanoseconds(run.get("finished") or run["started"])
    events = array(_event(ended, one) for one in document.get("incidents", ()))
    return (
        f'{{"traceId":"{trace_of(run["id"])}","spanId":"{run_span(run["id"])}","name":{quoted(name)},"kind":{_INTERNAL},'
        f'"startTimeUnixNano":{nanoseconds(run["started"])},"endTimeUnixNano":{ended},"attributes":{attributes(facts)},'
        f'"events":{events}{_status(document["summary"] if document["verdict"] != "pass" else None)}}}'
    )


def _wait(document: Document, trace: str, wait: Document) -> str:
    """What the run waited for before its checks: its requests were sent with the id of this span."""
    run, name, release = document["run"]["id"], wait["name"], document["release"]
    if name == "release":
        facts = {
            "postdeploy.release": release["expected"],
            "postdeploy.release.live": release["live"],
            "postdeploy.release.answers": sum(sum(seen.values()) for seen in release["counts"].values()),
        }
        problem = release["problem"] if release["live"] is False else None
    else:
        facts, problem = {"postdeploy.services": list(document["services"])}, None
    return (
        f'{{"traceId":"{trace}","spanId":"{span_of(run, name, 1)}","parentSpanId":"{run_span(run)}",'
        f'"name":{quoted(name)},"kind":{_CLIENT},"startTimeUnixNano":{nanoseconds(wait["began"])},'
        f'"endTimeUnixNano":{nanoseconds(wait["began"], wait["seconds"])},"attributes":{attributes(facts)}'
        f"{_status(problem)}}}"
    )


def _check(check: Document, name: str, ids: str, ended: str) -> str:
    """One that was never attempted has no length, and stands at the end of the run."""
    attempts, title = check["attempts"], quoted(check["name"])
    started = attempts[0]["started"] if attempts else ended
    last, length = (attempts[-1]["started"], attempts[-1]["duration"]) if attempts else (ended, 0.0)
    common = _common(*map(check.get, _COMMON), len(attempts))
    failed = _CASE.get(check["outcome"]) == "fail"
    return (
        f'{ids},"name":{title},"kind":{_INTERNAL},"startTimeUnixNano":{nanoseconds(started)},'
        f'"endTimeUnixNano":{nanoseconds(last, length)},"attributes":['
        f'{told("test.case.name", title)},{{"key":"code.line.number","value":{{"intValue":"{check["line"]}"}}}},'
        f"{name},{common}]{_status(message(check) if failed else None)}}}"
    )


_COMMON: Final = ("path", "kind", "severity", "owner", "outcome", "flaky", "cause")


@lru_cache(maxsize=256)
def _common(
    path: str, kind: str, severity: str, owner: str | None, outcome: str, flaky: bool, cause: str | None, attempts: int
) -> str:
    """What most checks of a file share."""
    return pairs({
        "test.case.result.status": _CASE.get(outcome),
        "test.suite.name": path,
        "code.file.path": path,
        "error.type": outcome if outcome in {"errored", "blocked"} else None,
        "postdeploy.kind": kind,
        "postdeploy.severity": severity,
        "postdeploy.owner": owner,
        "postdeploy.outcome": outcome,
        "postdeploy.flaky": flaky,
        "postdeploy.attempts": attempts,
        "postdeploy.cause": cause,
    })  # fmt: skip


def _attempt(attempt: Document, number: int, name: str, ids: str) -> str:
    failed, started, releases = attempt["outcome"] != "passed", attempt["started"], attempt.get("releases")
    error = next(_codes(attempt), None) if failed else None
    common = _exchanged(
        attempt["outcome"], attempt.get("status"), error, number, attempt["exchanges"], tuple(releases or ())
    )
    phases = [measured(f"postdeploy.phase.{phase}", seconds) for phase, seconds in attempt.get("phases", {}).items()]
    ended = nanoseconds(started, attempt["duration"])
    return (
        f'{ids},"name":"attempt {number}","kind":{_CLIENT},"startTimeUnixNano":{nanoseconds(started)},'
        f'"endTimeUnixNano":{ended},"attributes":[{",".join((name, common, *phases))}]'
        f"{_status(message({'attempts': [attempt], 'reason': None}) if failed else None)}}}"
    )


@lru_cache(maxsize=256)
def _exchanged(
    outcome: str, status: int | None, error: str | None, number: int, exchanges: int, releases: tuple[str, ...]
) -> str:
    """What most attempts of a run share."""
    return pairs({
        "test.case.result.status": _CASE.get(outcome),
        "http.response.status_code": status,
        "error.type": error,
        "postdeploy.attempt": number,
        "postdeploy.exchanges": exchanges,
        "postdeploy.releases": list(releases) or None,
    })  # fmt: skip


def _codes(attempt: Document) -> Iterator[str]:
    """Words for what went wrong, the most telling one first."""
    if attempt.get("code"):
        yield attempt["code"]
    if attempt.get("fault"):
        yield attempt["fault"]["code"]
    yield from (finding["code"] for finding in attempt.get("findings", ()))
    yield attempt["outcome"]


def _status(text: str | None) -> str:
    """A member of a span, if it went wrong."""
    return "" if text is None else f',"status":{{"code":{_ERROR},"message":{quoted(text)}}}'


def _event(time: str, incident: Document) -> str:
    facts = {"postdeploy.reason": incident["reason"], "postdeploy.message": incident["message"]}
    return f'{{"timeUnixNano":{time},"name":"postdeploy.incident","attributes":{attributes(facts)}}}'
