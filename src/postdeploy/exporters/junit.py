"""JUnit XML as Jenkins, GitLab and GitHub's actions read it: one test case a check, whatever was repeated.

The attempts of a check that passed only when repeated are ``flakyFailure`` and ``flakyError`` elements, those before
the last of one that did not pass ``rerunFailure`` and ``rerunError``, as Maven Surefire writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import inert, xml_attribute, xml_text
from postdeploy.exporters.reading import duration, message, run_seconds

__all__ = ["render"]

Document = Mapping[str, Any]

_ELEMENTS = {"failed": "failure", "errored": "error", "blocked": "error", "skipped": "skipped", "not_run": "skipped"}
_COUNTED: Final = ("tests", "failures", "errors", "skipped")


class _Suite(NamedTuple):
    """Its counts, and its lines."""

    counts: Mapping[str, int]
    lines: list[str]


def render(document: Document, _read: Read) -> bytes:
    """The file; a run that was cut short has its incidents as errors of a test case of its own."""
    suites = [_suite(document, path, checks) for path, checks in _by_file(document).items()]
    if document.get("incidents"):
        suites.append(_incidents(document["incidents"]))
    counts = {name: sum(suite.counts[name] for suite in suites) for name in _COUNTED}
    head = _attributes(name="postdeploy", time=f"{run_seconds(document):.3f}", **counts)
    lines = ["<?xml version='1.0' encoding='utf-8'?>", f"<testsuites{head}{'>' if suites else ' />'}"]
    for suite in suites:
        lines += suite.lines
    lines += ["</testsuites>", ""] if suites else [""]
    return "\n".join(lines).encode()


def _suite(document: Document, path: str, checks: list[Document]) -> _Suite:
    kinds = [_ELEMENTS.get(check["outcome"], "") for check in checks]
    counts = {
        "tests": len(checks),
        "failures": kinds.count("failure"),
        "errors": kinds.count("error"),
        "skipped": kinds.count("skipped"),
    }
    head = _attributes(
        name=path,
        **counts,
        time=f"{sum(map(duration, checks)):.3f}",
        timestamp=document["run"]["started"],
        hostname=document["target"]["name"],
    )
    lines = [f"  <testsuite{head}>", *_properties("    ", _run_properties(document))]
    for check in checks:
        lines += _case(check)
    return _Suite(counts, [*lines, "  </testsuite>"])


def _by_file(document: Document) -> dict[str, list[Document]]:
    files: dict[str, list[Document]] = {}
    for check in document.get("checks", ()):
        files.setdefault(check["path"], []).append(check)
    return files


def _run_properties(document: Document) -> Iterator[tuple[str, str]]:
    for name in ("verdict", "reason", "action", "summary"):
        yield f"postdeploy.{name}", xml_attribute(document[name])
    yield "postdeploy.run", xml_attribute(document["run"]["id"])
    yield "postdeploy.release", xml_attribute(document["release"]["expected"] or "")


def _case(check: Document) -> list[str]:
    path, name = check["path"], xml_attribute(check["name"])
    place, took = f'file="{_often(path)}" line="{check["line"]}"', f"{duration(check):.3f}"
    lines = [
        f'    <testcase classname="{_class_name(path)}" name="{name}" {place} time="{took}">',
        f'      <properties>\n        <property name="id" value="{xml_attribute(check["id"])}" />',
        _common(*map(check.get, _COMMON), len(check["attempts"]), tuple(check.get("issues", ()))),
    ]
    kind = _ELEMENTS.get(check["outcome"])
    if kind is not None:
        lines.append(_outcome(kind, check))
    if len(check["attempts"]) > 1:
        lines += _repeated(check)
    if check["curl"] or check["evidence"]:
        output = inert("\n".join(filter(None, (check["curl"], *_attachments(check)))))
        lines.append(f"      <system-out>{xml_text(output)}</system-out>")
    lines.append("    </testcase>")
    return lines


@lru_cache(maxsize=256)
def _class_name(path: str) -> str:
    return xml_attribute(path.removesuffix(".py").removesuffix(".yaml").replace("/", "."))


def _repeated(check: Document) -> Iterator[str]:
    """What did not pass, and was not the last word."""
    again = "flaky" if check["flaky"] else "rerun"
    for attempt in check["attempts"][:-1]:
        if attempt["outcome"] != "passed":
            kind = "Failure" if attempt["outcome"] == "failed" else "Error"
            yield _outcome(again + kind, {**check, "attempts": [attempt], "outcome": attempt["outcome"]})


def _attachments(check: Document) -> Iterator[str]:
    """As the attachments plugin of Jenkins and GitLab find them."""
    return (f"[[ATTACHMENT|{path}]]" for path in check["evidence"])


_SAID: Final = ("kind", "severity", "owner", "runbook", "outcome", "cause")
_COMMON: Final = (*_SAID, "flaky")


@lru_cache(maxsize=256)
def _common(*facts: Any) -> str:
    """The properties that most checks of a file share, and the end of all: ``_COMMON``, attempts and issues."""
    *said, flaky, attempts, issues = facts
    found = [(name, xml_attribute(value)) for name, value in zip(_SAID, said, strict=True) if value]
    found += [("issue", xml_attribute(url)) for url in issues]
    found += [("attempts", str(attempts)), *[("flaky", "true")] * flaky]
    return "\n".join([*_each("      ", found), "      </properties>"])


_often = lru_cache(maxsize=256)(xml_attribute)
"""For what many checks have in common."""


def _outcome(kind: str, check: Document) -> str:
    text = message(check)
    first = next(iter(text.splitlines()), check["outcome"])
    content = "" if kind == "skipped" else inert(text)
    end = f">{xml_text(content)}</{kind}>" if content else " />"
    return f"      <{kind}{_attributes(message=first, type=check['outcome'])}{end}"


def _incidents(found: list[Document]) -> _Suite:
    counts = {"tests": len(found), "failures": 0, "errors": len(found), "skipped": 0}
    lines = [f"  <testsuite{_attributes(name='the run', **counts)}>"]
    for incident in found:
        about = _attributes(classname="run", name=incident["reason"], time="0.000")
        what = _attributes(message=incident["message"], type=incident["reason"])
        lines += [f"    <testcase{about}>", f"      <error{what} />", "    </testcase>"]
    return _Suite(counts, [*lines, "  </testsuite>"])


def _properties(indent: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Values are attributes already."""
    yield f"{indent}<properties>"
    yield from _each(indent, pairs)
    yield f"{indent}</properties>"


def _each(indent: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f'{indent}  <property name="{name}" value="{value}" />' for name, value in pairs)


def _attributes(**values: object) -> str:
    return "".join([f' {name}="{xml_attribute(value)}"' for name, value in values.items()])
