"""GitHub workflow commands: at most ten, errors before warnings, at the file and line of the check.

Print the file in a step of a job; GitHub keeps ten of each kind a step and drops the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import workflow_message, workflow_property
from postdeploy.exporters.reading import message, title

__all__ = ["render"]

Document = Mapping[str, Any]

_MOST: Final = 10
_LONG: Final = 2000


def render(document: Document, _read: Read) -> bytes:
    """The file: the decision first, as an error unless it is a pass; the tenth counts what there is no room for."""
    lines = [*_errors(document), *_warnings(document)]
    if len(lines) > _MOST:
        lines[_MOST - 1 :] = [_rest(lines[_MOST - 1 :])]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _errors(document: Document) -> Iterator[str]:
    checks = [check for check in document.get("checks", ()) if check["outcome"] in {"failed", "errored"}]
    if document["verdict"] != "pass":
        yield _command("error", {"title": title(document)}, f"{document['reason']}: {document['summary']}")
        for check in checks:
            place = {"file": check["path"], "line": str(check["line"]), "title": check["name"]}
            yield _command("error", place, message(check))


def _warnings(document: Document) -> Iterator[str]:
    for text in document.get("warnings", ()):
        yield _command("warning", {"title": "postdeploy"}, text)


def _rest(lines: Sequence[str]) -> str:
    """Of the kind of the first that it stands for."""
    kind = "error" if lines[0].startswith("::error") else "warning"
    errors = sum(line.startswith("::error") for line in lines)
    counts = ((errors, "error"), (len(lines) - errors, "warning"))
    told = " and ".join(f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count)
    return _command(kind, {"title": "postdeploy"}, f"{told} more: see the job summary and the report")


def _command(kind: str, properties: Mapping[str, str], text: str) -> str:
    facts = ",".join(f"{name}={workflow_property(value)}" for name, value in properties.items())
    return f"::{kind} {facts}::{workflow_message(text[:_LONG])}"
