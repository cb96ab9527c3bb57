"""One page for people: self-contained, without a request, safe whatever the target answered."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import visible
from postdeploy.exporters.page import timeline
from postdeploy.exporters.page.latency import latencies
from postdeploy.exporters.reading import duration, message, run_seconds
from postdeploy.exporters.wording import REASONS, WORDS

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["render"]

Document = Mapping[str, Any]

_PICTURES: Final = 20 * 1024 * 1024
"""Bytes of pictures that the page may hold; the others stay beside it, with a link."""

_ORDER: Final = ("failed", "errored", "blocked", "flaky", "not_run", "passed", "skipped")


def render(document: Document, read: Read) -> bytes:
    """The page."""
    style, script = _asset("report.css"), _asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    checks = sorted((_view(check) for check in document.get("checks", ())), key=_rank)
    page = _template().render(
        verdict=document,
        style=style,
        script=script,
        script_digest=f"sha256-{digest}",
        words=WORDS,
        reasons=REASONS,
        seconds=run_seconds(document),
        outcomes=[(name, count) for name in _ORDER if (count := sum(check["state"] == name for check in checks))],
        checks=checks,
        timeline=timeline.draw(document),
        latencies=latencies(document),
        pictures=dict(_pictures(document, read)),
        visible=visible,
    )
    return page.encode("utf-8", "backslashreplace")


def _view(check: Document) -> dict[str, Any]:
    """A check as the page shows it: flaky is a state of its own."""
    state = "flaky" if check["flaky"] else check["outcome"]
    return {**check, "state": state, "seconds": duration(check), "message": message(check)}


def _rank(check: Document) -> tuple[int, str, int]:
    return _ORDER.index(check["state"]), check["path"], check["line"]


def _pictures(document: Document, read: Read) -> Iterator[tuple[str, str]]:
    """Screenshots by path, as data URLs."""
    left = _PICTURES
    for check in document.get("checks", ()):
        for path in check["evidence"]:
            content = read(path) if path.endswith(".png") else None
            if content and len(content) <= left:
                left -= len(content)
                yield path, "data:image/png;base64," + base64.b64encode(content).decode("ascii")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_asset("report.html.j2"))


def _asset(name: str) -> str:
    return files("postdeploy.exporters.page").joinpath(name).read_text(encoding="utf-8")
