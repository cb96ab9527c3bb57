"""Common Test Report Format (https://ctrf.io), schema 1.0.0; what it has no field for stands below ``extra``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import encoded, inert_json, quoted, visible
from postdeploy.exporters.reading import duration, message, moment

__all__ = ["render"]

Document = Mapping[str, Any]

_URL: Final = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
"""The name space of URLs (RFC 9562 §6.6)."""

_STATUS = {"passed": "passed", "failed": "failed", "errored": "other", "blocked": "other", "skipped": "skipped"}
_HEALTHY = {"promote": True, "rollback": False}


def render(document: Document, _read: Read) -> bytes:
    """The file."""
    checks = document.get("checks", ())
    report = {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "reportId": _uuid(f"postdeploy:{document['run']['id']}"),
        "generatedBy": "postdeploy",
        "results": {
            "tool": {"name": "postdeploy", "version": document["run"]["tool"]["version"]},
            "summary": _summary(document, checks),
            "environment": _environment(document),
            "extra": {
                key: document.get(key)
                for key in ("verdict", "reason", "action", "summary", "warnings", "incidents", "causes")
            },
        },
    }
    tests = ", ".join(map(_test, checks))
    return inert_json(f'{encoded(report)[:-2]}, "tests": [{tests}]}}}}')


def _summary(document: Document, checks: Sequence[Document]) -> dict[str, Any]:
    statuses = [_status(check) for check in checks]
    counts = {status: statuses.count(status) for status in ("passed", "failed", "skipped", "pending", "other")}
    times = {
        "start": round(moment(document["run"]["started"]) * 1000),
        "stop": round(moment(document["run"].get("finished") or document["run"]["started"]) * 1000),
    }
    return {"tests": len(statuses), **counts, **times, "flaky": sum(1 for check in checks if check["flaky"])}


def _environment(document: Document) -> dict[str, Any]:
    environment: dict[str, Any] = {"testEnvironment": document["target"]["name"]}
    if document["release"]["expected"]:
        environment["appVersion"] = document["release"]["expected"]
    if document["run"].get("ci") and document["run"]["ci"].get("url"):
        environment["buildUrl"] = document["run"]["ci"]["url"]
    if document["action"] in _HEALTHY:
        environment["healthy"] = _HEALTHY[document["action"]]
    return environment


def _uuid(name: str) -> str:
    """Version 5, as uuid.uuid5 makes it (RFC 9562 §5.5), without an object for each of its parts."""
    digits = hashlib.sha1(_URL + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _status(check: Document) -> str:
    return _STATUS.get(check["outcome"], "pending")


def _test(check: Document) -> str:
    """As JSON: what is of this check alone is written, what many share is encoded once."""
    attempts, flaky = check["attempts"], "true" if check["flaky"] else "false"
    parts = [
        f'{{"id": "{_uuid(check["id"])}", "name": {quoted(check["name"])}, "status": "{_status(check)}"',
        f'"duration": {round(duration(check) * 1000)}, "line": {check["line"]}, "flaky": {flaky}',
        f'"retries": {max(0, len(attempts) - 1)}, {_common(*map(check.get, _COMMON))}',
        f'"extra": {{"id": {quoted(check["id"])}, {_extra(*map(check.get, _EXTRA))}}}',
    ]
    if attempts:
        begun, last = attempts[0]["started"], attempts[-1]
        ended = moment(last["started"]) + last["duration"]
        parts.append(f'"start": {round(moment(begun) * 1000)}, "stop": {round(ended * 1000)}')
    if len(attempts) > 1:
        tried = [_attempt(number, attempt) for number, attempt in enumerate(attempts, 1)]
        parts.append(f'"retryAttempts": {encoded(tried)}')
    if text := visible(message(check)):
        parts.append(f'"message": {quoted(text)}')
    if check["evidence"]:
        parts.append(f'"attachments": {encoded([_attachment(path) for path in check["evidence"]])}')
    return ", ".join(parts) + "}"


_COMMON: Final = ("outcome", "path", "kind", "severity")
_EXTRA: Final = ("owner", "curl", "cause")


@lru_cache(maxsize=256)
def _common(outcome: str, path: str, kind: str, severity: str) -> str:
    """What most checks of a file share."""
    shared = {"rawStatus": outcome, "suite": [path], "filePath": path, "type": kind, "tags": [severity, kind]}
    return encoded(shared)[1:-1]


@lru_cache(maxsize=256)
def _extra(owner: str | None, curl: str | None, cause: str | None) -> str:
    """None of them, where all is well."""
    return encoded({"owner": owner, "curl": curl, "cause": cause})[1:-1]


def _attempt(number: int, attempt: Document) -> dict[str, Any]:
    text = visible(message({"attempts": [attempt], "reason": None}))
    return {
        "attempt": number,
        "status": _STATUS.get(attempt["outcome"], "other"),
        "duration": round(attempt["duration"] * 1000),
    } | ({"message": text} if text else {})


def _attachment(path: str) -> dict[str, str]:
    types = {".png": "image/png", ".zip": "application/zip", ".txt": "text/plain"}
    return {
        "name": path.rsplit("/", 1)[-1],
        "contentType": types.get(path[-4:], "application/octet-stream"),
        "path": path,
    }
