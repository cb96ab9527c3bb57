"""Reports for machines and people: one file per format, each a pure function of the verdict document.

``read`` gives the content of an evidence file by its path below the reports folder, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["FORMATS", "Files", "Read", "render"]

Files = dict[str, bytes]
"""Contents by path below the reports folder."""

Read = Callable[[str], bytes | None]

FORMATS: Final[Mapping[str, str]] = {
    "html": "report.html",
    "markdown": "summary.md",
    "junit": "junit.xml",
    "ctrf": "ctrf.json",
    "prometheus": "metrics.prom",
    "annotations": "annotations.txt",
}
"""What each format writes; the module that renders it has the format's name."""


def render(name: str, document: Mapping[str, Any], read: Read) -> Files:
    """The files of one format. Raises KeyError for one that is not there, and whatever a broken renderer raises."""
    file = FORMATS[name]
    content: bytes = import_module(f"postdeploy.exporters.{name}").render(document, read)
    return {file: content}
