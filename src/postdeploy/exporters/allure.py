"""Allure's results folder (https://allurereport.org): every check of the verdict, also those that never ran.

Where allure-pytest writes a folder of its own, ``complete`` says what that one lacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.exporters import Files, Read
from postdeploy.exporters.allure_result import STATUS, attachments, case_id, incident_result, result, result_text
from postdeploy.exporters.escaping import inert_json, json_bytes, visible

__all__ = ["CHECK", "RUN", "complete", "render"]

Document = Mapping[str, Any]
Json = dict[str, Any]

CHECK: Final = "postdeploy.check"
RUN: Final = "postdeploy.run"
"""Labels by which a result that allure-pytest wrote is known again: the check that it is of, and the run."""

_UUID: Final = slice(len('{"uuid": "'), len('{"uuid": "') + 36)
"""Where it stands in the text of a result."""

_EVERYTHING: Final = "[\\s\\S]*"


def render(document: Document, _read: Read) -> Files:
    """The folder."""
    files: Files = {}
    for check in document.get("checks", ()):
        files |= attachments(check)
        text = result_text(document, check)
        files[f"{text[_UUID]}-result.json"] = inert_json(text)
    return files | _incidents(document) | _about(document)


def complete(document: Document, written: Mapping[str, bytes]) -> Files:
    """What a folder of allure-pytest's lacks: files to add, and results to put in place of those that are there.

    Results of this run get our judgement, labels, links and attachments, and keep their own steps and traces. A check
    that has none, because a worker died or it never ran, gets ours. What other runs and people wrote stays.
    """
    found = _by_check(document, written)
    files: Files = {}
    for check in document.get("checks", ()):
        ours = result(document, check)
        theirs = found.get(check["id"], [])
        files |= attachments(check)
        for name, each in theirs[:-1]:
            files[name] = json_bytes(each | case_id(document, check["id"]))
        if theirs:
            name, last = theirs[-1]
            files[name] = json_bytes(_enriched(last, ours))
        else:
            files |= _file(ours)
    own = {name: content for name, content in _about(document).items() if name not in written}
    return files | _incidents(document) | own


def _by_check(document: Document, written: Mapping[str, bytes]) -> dict[str, list[tuple[str, Json]]]:
    """The results of this run by check, in order of time."""
    found: dict[str, list[tuple[str, Json]]] = {}
    for name, content in written.items():
        if not name.endswith("-result.json") or RUN.encode() not in content:
            continue
        try:
            one = json.loads(content)
            labels = {label["name"]: label["value"] for label in one["labels"]}
            one["start"] = int(one["start"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if labels.get(RUN) == document["run"]["id"] and CHECK in labels:
            found.setdefault(labels[CHECK], []).append((name, one))
    for results in found.values():
        results.sort(key=lambda pair: pair[1]["start"])
    return found


def _enriched(theirs: Json, ours: Json) -> Json:
    """Their account of what the test did, our judgement of it."""
    said = theirs.get("statusDetails") or {}
    named = {label["name"] for label in theirs["labels"]}
    urls = {link["url"] for link in theirs.get("links", ())}
    return theirs | {
        "historyId": ours["historyId"],
        "testCaseId": ours["testCaseId"],
        "status": ours["status"],
        "statusDetails": said | ours["statusDetails"] if ours["status"] != "passed" else ours["statusDetails"],
        "parameters": [*theirs.get("parameters", ()), *ours["parameters"]],
        "labels": [*theirs["labels"], *(label for label in ours["labels"] if label["name"] not in named)],
        "links": [*theirs.get("links", ()), *(link for link in ours["links"] if link["url"] not in urls)],
        "steps": theirs.get("steps") or ours["steps"],
        "attachments": [*theirs.get("attachments", ()), *ours["attachments"]],
    }


def _file(one: Json) -> Files:
    return {f"{one['uuid']}-result.json": json_bytes(one)}


def _incidents(document: Document) -> Files:
    files: Files = {}
    for number, incident in enumerate(document.get("incidents", ()), 1):
        files |= _file(incident_result(document, number, incident))
    return files


def _about(document: Document) -> Files:
    """What Allure shows of the run beside its tests."""
    return {
        "environment.properties": "".join(_environment(document)).encode("ascii"),
        "categories.json": json_bytes(list(_categories(document))),
        "executor.json": json_bytes(_executor(document)),
    }


def _environment(document: Document) -> Iterator[str]:
    target, release, run = document["target"], document["release"], document["run"]
    facts = {
        "verdict": document["verdict"],
        "reason": document["reason"],
        "action": document["action"],
        "summary": document["summary"],
        "target": target["name"],
        **{f"service {name}": url for name, url in target.get("services", {}).items()},
        "release expected": release["expected"],
        **{f"release observed {name}": seen for name, seen in release.get("observed", {}).items()},
        "run": run["id"],
        "started": run["started"],
        "finished": run.get("finished"),
        "postdeploy": run["tool"]["version"],
        "policy": document.get("policy", {}).get("digest"),
    }
    yield from (f"{_property(name)} = {_property(str(value))}\n" for name, value in facts.items() if value)


def _property(text: str) -> str:
    """As java.util.Properties reads it."""
    return "".join(map(_property_char, " ".join(visible(text).split())))


def _property_char(char: str) -> str:
    if char.isascii():
        return f"\\{char}" if char in "\\:=#! " else char
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _categories(document: Document) -> Iterator[Json]:
    """Causes first: each takes what it explains, the rest falls into what our outcomes are called."""
    broken = sorted({STATUS[name] for name in ("failed", "errored")})
    for cause in document.get("causes", ()):
        pattern = f"{_EVERYTHING}\\[cause {cause['id']}\\]{_EVERYTHING}"
        name = visible(f"{cause['id']}: {cause['summary']}")
        yield {"name": name, "matchedStatuses": broken, "messageRegex": pattern}
    yield {"name": "The target is wrong", "matchedStatuses": ["failed"]}
    yield {"name": "Its service is down", "matchedStatuses": ["broken"], "messageRegex": f"blocked: {_EVERYTHING}"}
    yield {"name": "We could not tell", "matchedStatuses": ["broken"]}
    yield {"name": "Never ran", "matchedStatuses": ["unknown"]}


def _executor(document: Document) -> Json:
    ci = document["run"].get("ci") or {}
    return {
        "name": ci.get("provider") or "postdeploy",
        "type": ci.get("provider") or "postdeploy",
        "buildName": document["run"]["id"],
        "reportName": visible(f"{document['verdict']}: {document['target']['name']}"),
    } | ({"buildUrl": visible(ci["url"])} if ci.get("url") else {})
