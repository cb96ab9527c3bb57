"""A summary for pull requests and job pages: the decision first, then causes, then what did not pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import inert, markdown
from postdeploy.exporters.reading import duration, message, run_seconds, title

__all__ = ["render"]

Document = Mapping[str, Any]

_SHOWN: Final = 50
"""GitHub drops a job summary whole when it is larger than 1 MiB, so no list here is without end."""

_LONG: Final = 600
_SIGNS: Final = {"pass": "\N{WHITE HEAVY CHECK MARK}", "fail": "\N{CROSS MARK}", "inconclusive": "\N{WARNING SIGN}"}
_COUNTED: Final = ("planned", "passed", "flaky", "failed", "errored", "blocked", "skipped", "not_run")


def render(document: Document, _read: Read) -> bytes:
    """The file, well below 1 MiB whatever the run was."""
    return ("\n".join(_lines(document)) + "\n").encode("utf-8", "backslashreplace")


def _lines(document: Document) -> Iterator[str]:
    yield f"## {_SIGNS.get(document['verdict'], '')} {markdown(title(document))}: {markdown(_target(document))}"
    yield ""
    yield f"**{markdown(document['reason'])}**: {_brief(document['summary'])}"
    yield ""
    yield from _counts(document)
    yield from _list("Warnings", document.get("warnings", ()), _brief)
    yield from _list("What happened to the run", document.get("incidents", ()), _incident)
    yield from _list("Causes", document.get("causes", ()), _cause)
    yield from _failures([check for check in document.get("checks", ()) if check["outcome"] in {"failed", "errored"}])


def _target(document: Document) -> str:
    release = document["release"]["expected"]
    return f"{document['target']['name']} at {release}" if release else str(document["target"]["name"])


def _counts(document: Document) -> Iterator[str]:
    counts = document.get("counts", {})
    shown = [name for name in _COUNTED if counts.get(name)]
    if shown:
        yield f"| {' | '.join(name.replace('_', ' ') for name in shown)} | seconds |"
        yield f"|{' ---: |' * (len(shown) + 1)}"
        yield f"| {' | '.join(str(counts[name]) for name in shown)} | {run_seconds(document):.1f} |"
        yield ""


def _list(heading: str, items: Sequence[Any], line: Callable[[Any], str]) -> Iterator[str]:
    if not items:
        return
    yield f"### {heading}"
    yield ""
    yield from (f"- {line(item)}" for item in items[:_SHOWN])
    if len(items) > _SHOWN:
        yield f"- and {len(items) - _SHOWN} more, all in the verdict"
    yield ""


def _incident(incident: Document) -> str:
    return f"**{markdown(incident['reason'])}**: {_brief(incident['message'])}"


def _cause(cause: Document) -> str:
    count = len(cause["checks"])
    return f"**{markdown(cause['id'])}** {_brief(cause['summary'])} ({count} check{'s' if count > 1 else ''})"


def _failures(checks: list[Document]) -> Iterator[str]:
    if not checks:
        return
    yield "### What did not pass"
    yield ""
    yield "| check | outcome | severity | owner | where | attempts | why |"
    yield "| --- | --- | --- | --- | --- | ---: | --- |"
    for check in checks[:_SHOWN]:
        cells = (check["name"], check["outcome"], check["severity"], check["owner"] or "")
        place = f"{check['path']}:{check['line']}"
        yield (
            f"| {' | '.join(map(markdown, cells))} | {markdown(place)} | {len(check['attempts'])} in "
            f"{duration(check):.1f} s | {_brief(message(check))} |"
        )
    if len(checks) > _SHOWN:
        yield ""
        yield f"And {len(checks) - _SHOWN} more, all in the verdict."
    yield ""
    yield from _reproduce(checks)


def _reproduce(checks: list[Document]) -> Iterator[str]:
    commands = [check["curl"] for check in checks[:_SHOWN] if check["curl"]]
    if commands:
        yield "<details><summary>Reproduce</summary>"
        yield ""
        yield from (f"    {line}" for command in commands for line in inert(command).splitlines())
        yield ""
        yield "</details>"


def _brief(text: str) -> str:
    return markdown(text if len(text) <= _LONG else text[:_LONG] + "…")
