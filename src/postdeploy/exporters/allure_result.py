"""One check as a result of Allure's: its attempts are steps, what they left behind is attached to the test.

Field names are those of allure2-model (https://allurereport.org/docs/how-it-works-test-result-file/).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from postdeploy.exporters import Evidence, Files
from postdeploy.exporters.escaping import encoded, inert, quoted, visible
from postdeploy.exporters.reading import issue_name, message, moment

__all__ = ["STATUS", "attachments", "case_id", "incident_result", "result", "result_text"]

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
    return json.loads(result_text(document, check))  # type: ignore[no-any-return]


def result_text(document: Document, check: Document) -> str:
    """The same as JSON in ASCII: to make and to encode dictionaries of dictionaries takes three times as long."""
    attempts, run, target = check["attempts"], document["run"], document["target"]["name"]
    ended = run.get("finished") or run["started"]
    start = _milliseconds(attempts[0]["started"] if attempts else ended)
    stop = _stop(attempts[-1]) if attempts else start
    steps = ", ".join([_step(number, attempt) for number, attempt in enumerate(attempts, 1)])
    attached = ", ".join([_attachment(name, source) for name, source in _attached(check)])
    uuid, history, case = _uuid(f"{run['id']}\0{check['id']}"), *case_id(document, check["id"]).values()
    return (
        f'{{"uuid": "{uuid}", "historyId": "{history}", "testCaseId": "{case}", "fullName": {_quoted(check["id"])}, '
        f'"titlePath": {_title_path(check["path"])}, "name": {_quoted(check["name"])}, '
        f'"status": "{STATUS[check["outcome"]]}", "statusDetails": {_details(check)}, "stage": "finished", '
        f'"start": {start}, "stop": {stop}, "parameters": {_parameters(target)}, '
        f'"labels": {_labels(target, *map(check.get, _LABELLED))}, "links": [{_links(document, check)}], '
        f'"steps": [{steps}], "attachments": [{attached}], '
        f'"description": {_quoted(check["path"] + ":" + str(check["line"]))}}}'
    )


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
    if _left_nothing(check):
        return {}
    return {_file(source): Evidence(source) for source in check["evidence"]} | {
        _file(name): inert(text).encode() for name, text in _texts(check)
    }


def _attached(check: Document) -> Iterator[tuple[str, str]]:
    """Name and source of each attachment."""
    if _left_nothing(check):
        return
    yield from ((path.rsplit("/", 1)[-1], path) for path in check["evidence"])
    yield from ((name.rsplit("\0", 1)[-1], name) for name, _ in _texts(check))


def _left_nothing(check: Document) -> bool:
    """As nearly all checks of a good run, of which there may be thousands."""
    return check["outcome"] == "passed" and not (check["evidence"] or check.get("curl"))


def _texts(check: Document) -> Iterator[tuple[str, str]]:
    if check.get("curl"):
        yield f"{check['id']}\0reproduce.txt", check["curl"]
    last = check["attempts"][-1] if check["attempts"] else {}
    if last.get("excerpt") and check["outcome"] != "passed":
        yield f"{check['id']}\0what came.txt", last["excerpt"]


def _attachment(name: str, source: str) -> str:
    kind = _TYPES.get(source[-4:], "application/octet-stream")
    return f'{{"name": {_quoted(name)}, "source": {_quoted(_file(source))}, "type": "{kind}"}}'


def _file(source: str) -> str:
    return f"{_digest(source)}-attachment{source[-4:] if source[-4:] in _TYPES else ''}"


def _details(check: Document) -> str:
    """Message and causes; a check that passed only when repeated is marked as flaky."""
    text = message(check)
    if check["outcome"] == "blocked":
        text = f"blocked: {text}"
    if check.get("cause"):
        text = f"{text}\n[cause {check['cause']}]"
    parts = ([f'"message": {_quoted(text)}'] if text else []) + (['"flaky": true'] if check.get("flaky") else [])
    return f"{{{', '.join(parts)}}}"


@lru_cache(maxsize=256)
def _labels(target: str, path: str, kind: str, severity: str, owner: str | None) -> str:
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
    return encoded([{"name": name, "value": visible(str(value))} for name, value in labels.items() if value])


@lru_cache(maxsize=256)
def _title_path(path: str) -> str:
    return encoded([visible(part) for part in path.split("/")])


@lru_cache(maxsize=16)
def _parameters(target: str) -> str:
    return encoded([{"name": "target", "value": visible(target)}])


def _links(document: Document, check: Document) -> str:
    return _linked(check.get("runbook"), tuple(check.get("issues", ())), (document["run"].get("ci") or {}).get("url"))


@lru_cache(maxsize=256)
def _linked(runbook: str | None, issues: tuple[str, ...], pipeline: str | None) -> str:
    links = []
    if runbook and runbook.startswith(("https://", "http://")):
        links.append({"type": "link", "name": "runbook", "url": visible(runbook)})
    links += [{"type": "issue", "name": visible(issue_name(url)), "url": visible(url)} for url in issues]
    if pipeline:
        links.append({"type": "link", "name": "pipeline", "url": visible(pipeline)})
    return ", ".join(map(encoded, links))


def _step(number: int, attempt: Document) -> str:
    told = attempt.get("findings") or attempt.get("error")
    text = message({"attempts": [attempt], "reason": None}) if told else ""
    phases = [
        f'{{"name": {_quoted(name)}, "value": "{1000 * seconds:.1f} ms"}}'
        for name, seconds in attempt.get("phases", {}).items()
    ]
    details = f'"message": {_quoted(text)}' if text else ""
    return (
        f'{{"name": "attempt {number}", "status": "{STATUS[attempt["outcome"]]}", "statusDetails": {{{details}}}, '
        f'"stage": "finished", "start": {_milliseconds(attempt["started"])}, "stop": {_stop(attempt)}, '
        f'"parameters": [{", ".join(phases)}], "steps": [], "attachments": []}}'
    )


def _quoted(text: str) -> str:
    """Foreign text as JSON."""
    return quoted(visible(text))


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
