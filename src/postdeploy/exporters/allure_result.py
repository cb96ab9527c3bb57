"""One check as a result of Allure's: its attempts are steps, what they left behind is attached to the test.

Field names are those of allure2-model (https://allurereport.org/docs/how-it-works-test-result-file/).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from postdeploy.exporters import Evidence, Files
from postdeploy.exporters.escaping import inert, visible
from postdeploy.exporters.reading import issue_name, message, moment

__all__ = ["STATUS", "attachments", "case_id", "incident_result", "result"]

Document = Mapping[str, Any]
Json = dict[str, Any]

STATUS: Final[Mapping[str, str]] = {
    "passed": "passed",
    "failed": "failed",
    "errored": "broken",
    "blocked": "broken",
    "skipped": "skipped",
    "not_run": "unknown",
}
_SEVERITY: Final = {"critical": "critical", "major": "normal", "minor": "minor"}
_LABELLED: Final = ("path", "kind", "severity", "owner")
_TYPES: Final = {
    ".png": "image/png",
    ".txt": "text/plain",
    ".zip": "application/vnd.allure.playwright-trace",  # which Allure opens by itself
}


def result(document: Document, check: Document) -> Json:
    """The result of a check, whatever became of it."""
    attempts = check["attempts"]
    ended = document["run"].get("finished") or document["run"]["started"]
    start = attempts[0]["started"] if attempts else ended
    stop = _stop(attempts[-1]) if attempts else _milliseconds(ended)
    return {
        "uuid": _uuid(f"{document['run']['id']}\0{check['id']}"),
        **case_id(document, check["id"]),
        "fullName": visible(check["id"]),
        "titlePath": [visible(part) for part in check["path"].split("/")],
        "name": visible(check["name"]),
        "status": STATUS[check["outcome"]],
        "statusDetails": _details(check),
        "stage": "finished",
        "start": _milliseconds(start),
        "stop": stop,
        "parameters": [{"name": "target", "value": visible(document["target"]["name"])}],
        "labels": list(_labels(document["target"]["name"], *map(check.get, _LABELLED))),
        "links": list(_links(document, check)),
        "steps": [_step(number, attempt) for number, attempt in enumerate(attempts, 1)],
        "attachments": [_attachment(name, source) for name, source in _attached(check)],
        "description": visible(f"{check['path']}:{check['line']}"),
    }


def case_id(document: Document, check: str) -> Json:
    """What Allure knows a check by from run to run: the same check of another target is another case."""
    target = document["target"]["name"]
    return {"historyId": _digest(f"{target}\0{check}"), "testCaseId": _digest(check)}


def incident_result(document: Document, number: int, incident: Document) -> Json:
    """What happened to the run, as a test that broke."""
    reason, text = incident["reason"], visible(incident["message"])
    check = {
        "id": f"the run::{reason}", "path": "the run", "line": number, "name": reason, "kind": "run",
        "severity": "critical", "outcome": "errored", "reason": text, "attempts": [], "evidence": [],
    }  # fmt: skip
    made = result(document, check)
    return made | {
        "uuid": _uuid(f"{document['run']['id']}\0incident {number}"),
        "description": text,
    }


def attachments(check: Document) -> Files:
    """The files that a check's result names."""
    return {_file(source): Evidence(source) for source in check["evidence"]} | {
        _file(name): inert(text).encode() for name, text in _texts(check)
    }


def _attached(check: Document) -> Iterator[tuple[str, str]]:
    """Name and source of each attachment."""
    yield from ((path.rsplit("/", 1)[-1], path) for path in check["evidence"])
    yield from ((name.rsplit("\0", 1)[-1], name) for name, _ in _texts(check))


def _texts(check: Document) -> Iterator[tuple[str, str]]:
    if check.get("curl"):
        yield f"{check['id']}\0reproduce.txt", check["curl"]
    last = check["attempts"][-1] if check["attempts"] else {}
    if last.get("excerpt") and check["outcome"] != "passed":
        yield f"{check['id']}\0what came.txt", last["excerpt"]


def _attachment(name: str, source: str) -> Json:
    kind = _TYPES.get(source[-4:], "application/octet-stream")
    return {"name": visible(name), "source": _file(source), "type": kind}


def _file(source: str) -> str:
    return f"{_digest(source)}-attachment{source[-4:] if source[-4:] in _TYPES else ''}"


def _details(check: Document) -> Json:
    """Message and causes; a check that passed only when repeated is marked as flaky."""
    text = message(check)
    if check["outcome"] == "blocked":
        text = f"blocked: {text}"
    if check.get("cause"):
        text = f"{text}\n[cause {check['cause']}]"
    return ({"message": visible(text)} if text else {}) | ({"flaky": True} if check.get("flaky") else {})


@lru_cache(maxsize=256)
def _labels(target: str, path: str, kind: str, severity: str, owner: str | None) -> tuple[Json, ...]:
    """The same for most checks of a file."""
    labels = {
        "severity": _SEVERITY.get(severity, "normal"),
        "owner": owner,
        "layer": kind,
        "parentSuite": target,
        "suite": path,
        "framework": "postdeploy",
        "host": target,
        "tag": severity,
    }
    return tuple({"name": name, "value": visible(str(value))} for name, value in labels.items() if value)


def _links(document: Document, check: Document) -> Iterator[Json]:
    runbook, ci = check.get("runbook"), document["run"].get("ci")
    if runbook and runbook.startswith(("https://", "http://")):
        yield {"type": "link", "name": "runbook", "url": visible(runbook)}
    for url in check.get("issues", ()):
        yield {"type": "issue", "name": visible(issue_name(url)), "url": visible(url)}
    if ci and ci.get("url"):
        yield {"type": "link", "name": "pipeline", "url": visible(ci["url"])}


def _step(number: int, attempt: Document) -> Json:
    text = message({"attempts": [attempt], "reason": None})
    phases = attempt.get("phases", {}).items()
    return {
        "name": f"attempt {number}",
        "status": STATUS[attempt["outcome"]],
        "statusDetails": {"message": visible(text)} if text else {},
        "stage": "finished",
        "start": _milliseconds(attempt["started"]),
        "stop": _stop(attempt),
        "parameters": [{"name": name, "value": f"{1000 * seconds:.1f} ms"} for name, seconds in phases],
        "steps": [],
        "attachments": [],
    }


def _milliseconds(text: str) -> int:
    return round(1000 * moment(text))


def _stop(attempt: Document) -> int:
    return round(1000 * (moment(attempt["started"]) + float(attempt["duration"])))


def _uuid(text: str) -> str:
    """A UUID that follows from a text: version 8, whose digits are one's own (RFC 9562 §5.8)."""
    digits = _digest(text)
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
