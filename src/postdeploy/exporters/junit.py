"""JUnit XML as Jenkins, GitLab and GitHub's actions read it: one test case a check, whatever was repeated.

The attempts of a check that passed only when repeated are ``flakyFailure`` and ``flakyError`` elements, those before
the last of one that did not pass ``rerunFailure`` and ``rerunError``, as Maven Surefire writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import inert
from postdeploy.exporters.reading import duration, message, run_seconds

__all__ = ["render"]

Document = Mapping[str, Any]

_ELEMENTS = {"failed": "failure", "errored": "error", "blocked": "error", "skipped": "skipped", "not_run": "skipped"}


def render(document: Document, _read: Read) -> bytes:
    """The file; a run that was cut short has its incidents as errors of a test case of its own."""
    root = _element("testsuites", name="postdeploy", time=f"{run_seconds(document):.3f}")
    for path, checks in _by_file(document).items():
        _suite(root, document, path, checks)
    _incidents(root, document)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _suite(root: ET.Element, document: Document, path: str, checks: list[Document]) -> None:
    kinds = [_ELEMENTS.get(check["outcome"], "") for check in checks]
    suite = _element(
        "testsuite",
        name=path,
        tests=str(len(checks)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
        time=f"{sum(map(duration, checks)):.3f}",
        timestamp=str(document["run"]["started"]),
        hostname=str(document["target"]["name"]),
    )
    root.append(suite)
    suite.append(_properties(_run_properties(document)))
    for check in checks:
        suite.append(_case(check))


def _by_file(document: Document) -> dict[str, list[Document]]:
    files: dict[str, list[Document]] = {}
    for check in document.get("checks", ()):
        files.setdefault(check["path"], []).append(check)
    return files


def _run_properties(document: Document) -> Iterator[tuple[str, str]]:
    for name in ("verdict", "reason", "action", "summary"):
        yield f"postdeploy.{name}", str(document[name])
    yield "postdeploy.run", str(document["run"]["id"])
    yield "postdeploy.release", str(document["release"]["expected"] or "")


def _case(check: Document) -> ET.Element:
    case = _element(
        "testcase",
        classname=check["path"].removesuffix(".py").removesuffix(".yaml").replace("/", "."),
        name=check["name"],
        file=check["path"],
        line=str(check["line"]),
        time=f"{duration(check):.3f}",
    )
    case.append(_properties(_check_properties(check)))
    kind = _ELEMENTS.get(check["outcome"])
    if kind is not None:
        case.append(_outcome(kind, check))
    case.extend(_repeated(check))
    if check["curl"] or check["evidence"]:
        output = ET.SubElement(case, "system-out")
        output.text = inert("\n".join(filter(None, (check["curl"], *_attachments(check)))))
    return case


def _repeated(check: Document) -> Iterator[ET.Element]:
    """What did not pass, and was not the last word."""
    again = "flaky" if check["flaky"] else "rerun"
    for attempt in check["attempts"][:-1]:
        if attempt["outcome"] != "passed":
            kind = "Failure" if attempt["outcome"] == "failed" else "Error"
            yield _outcome(again + kind, {**check, "attempts": [attempt], "outcome": attempt["outcome"]})


def _attachments(check: Document) -> Iterator[str]:
    """As the attachments plugin of Jenkins and GitLab find them."""
    return (f"[[ATTACHMENT|{path}]]" for path in check["evidence"])


def _check_properties(check: Document) -> Iterator[tuple[str, str]]:
    for name in ("id", "kind", "severity", "owner", "runbook", "outcome", "cause"):
        if check.get(name):
            yield name, str(check[name])
    yield "attempts", str(len(check["attempts"]))
    if check["flaky"]:
        yield "flaky", "true"


def _outcome(kind: str, check: Document) -> ET.Element:
    text = message(check)
    first = next(iter(text.splitlines()), check["outcome"])
    element = _element(kind, message=first, type=check["outcome"])
    if kind != "skipped":
        element.text = inert(text)
    return element


def _incidents(root: ET.Element, document: Document) -> None:
    found = document.get("incidents", ())
    if not found:
        return
    suite = _element("testsuite", name="the run", tests=str(len(found)), failures="0", errors=str(len(found)))
    suite.set("skipped", "0")
    for incident in found:
        case = _element("testcase", classname="run", name=incident["reason"], time="0.000")
        case.append(_element("error", message=incident["message"], type=incident["reason"]))
        suite.append(case)
    root.append(suite)


def _properties(pairs: Iterator[tuple[str, str]]) -> ET.Element:
    properties = ET.Element("properties")
    for name, value in pairs:
        properties.append(_element("property", name=name, value=value))
    return properties


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: inert(value) for name, value in attributes.items()})
