"""GitHub workflow commands: at most ten errors and ten warnings, at the file and line of the check.

Print the file in a step of a job; GitHub keeps ten of each kind a step and drops the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import workflow_message, workflow_property
from postdeploy.exporters.reading import message, title

__all__ = ["render"]

Document = Mapping[str, Any]

_MOST: Final = 10
_LONG: Final = 2000


def render(document: Document, _read: Read) -> bytes:
    """The file: the decision first, as an error unless it is a pass."""
    lines = [*_errors(document)][:_MOST] + [*_warnings(document)][:_MOST]
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


def _command(kind: str, properties: Mapping[str, str], text: str) -> str:
    facts = ",".join(f"{name}={workflow_property(value)}" for name, value in properties.items())
    return f"::{kind} {facts}::{workflow_message(text[:_LONG])}"
