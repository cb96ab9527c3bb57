"""Reports for machines and people: each format is a pure function of the verdict document.

``read`` gives the content of an evidence file by its path below the reports folder, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["FOLDERS", "FORMATS", "Evidence", "Files", "Read", "Sieve", "render"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """In place of a content: that of an evidence file, by its path below the reports folder."""

    path: str


Files = dict[str, "bytes | Evidence"]
"""Contents by path below the reports folder."""

Read = Callable[[str], bytes | None]

Sieve = Callable[[Mapping[str, bytes]], dict[str, bytes]]
"""Contents by name to what may be written of them; raises for what may not."""

FORMATS: Final[Mapping[str, str]] = {
    "html": "report.html",
    "markdown": "summary.md",
    "junit": "junit.xml",
    "ctrf": "ctrf.json",
    "prometheus": "metrics.prom",
    "annotations": "annotations.txt",
    "intoto": "test-result.intoto.json",
    "allure": "allure-results/",
    "otlp": "otlp/",
}
"""What each format writes: a file, or with a slash at its end a folder; the module has the format's name."""

FOLDERS: Final = tuple(path.removesuffix("/") for path in FORMATS.values() if path.endswith("/"))
"""The folders among them."""


def render(name: str, document: Mapping[str, Any], read: Read) -> Files:
    """The files of one format. Raises KeyError for one that is not there, and whatever a broken renderer raises."""
    path = FORMATS[name]
    content: bytes | Mapping[str, bytes | Evidence] = import_module(f"postdeploy.exporters.{name}").render(
        document, read
    )
    if isinstance(content, bytes):
        return {path: content}
    return {path + file: part for file, part in content.items()}
