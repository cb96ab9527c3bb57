"""Common Test Report Format (https://ctrf.io), schema 1.0.0; what it has no field for stands below ``extra``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import json_bytes, visible
from postdeploy.exporters.reading import duration, message, moment

__all__ = ["render"]

Document = Mapping[str, Any]

_URL: Final = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
"""The name space of URLs (RFC 9562 §6.6)."""

_STATUS = {"passed": "passed", "failed": "failed", "errored": "other", "blocked": "other", "skipped": "skipped"}
_HEALTHY = {"promote": True, "rollback": False}


def render(document: Document, _read: Read) -> bytes:
    """The file."""
    tests = [_test(check) for check in document.get("checks", ())]
    report = {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "reportId": _uuid(f"postdeploy:{document['run']['id']}"),
        "generatedBy": "postdeploy",
        "results": {
            "tool": {"name": "postdeploy", "version": document["run"]["tool"]["version"]},
            "summary": _summary(document, tests),
            "tests": tests,
            "environment": _environment(document),
            "extra": {
                key: document.get(key)
                for key in ("verdict", "reason", "action", "summary", "warnings", "incidents", "causes")
            },
        },
    }
    return json_bytes(report)


def _summary(document: Document, tests: list[dict[str, Any]]) -> dict[str, Any]:
    statuses = [test["status"] for test in tests]
    counts = {status: statuses.count(status) for status in ("passed", "failed", "skipped", "pending", "other")}
    times = {
        "start": round(moment(document["run"]["started"]) * 1000),
        "stop": round(moment(document["run"].get("finished") or document["run"]["started"]) * 1000),
    }
    return {"tests": len(tests), **counts, **times, "flaky": sum(1 for test in tests if test.get("flaky"))}


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


def _test(check: Document) -> dict[str, Any]:
    attempts = check["attempts"]
    test: dict[str, Any] = {
        "id": _uuid(check["id"]),
        "name": check["name"],
        "status": _STATUS.get(check["outcome"], "pending"),
        "rawStatus": check["outcome"],
        "duration": round(duration(check) * 1000),
        "suite": [check["path"]],
        "filePath": check["path"],
        "line": check["line"],
        "type": check["kind"],
        "tags": [check["severity"], check["kind"]],
        "retries": max(0, len(attempts) - 1),
        "flaky": check["flaky"],
        "extra": {"id": check["id"], "owner": check["owner"], "curl": check["curl"], "cause": check["cause"]},
    }
    if attempts:
        test["start"] = round(moment(attempts[0]["started"]) * 1000)
        test["stop"] = round((moment(attempts[-1]["started"]) + attempts[-1]["duration"]) * 1000)
    if len(attempts) > 1:
        test["retryAttempts"] = [_attempt(number, attempt) for number, attempt in enumerate(attempts, 1)]
    if text := visible(message(check)):
        test["message"] = text
    if check["evidence"]:
        test["attachments"] = [_attachment(path) for path in check["evidence"]]
    return test


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
