"""The status page: self-contained, without a request, safe whatever targets answered."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from postdeploy import __version__
from postdeploy.history.chart import HEIGHT, WIDTH, draw
from postdeploy.history.page.wording import WORDS
from postdeploy.history.status import Day, Status
from postdeploy.history.text import clock, milliseconds, share, shown

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["render", "state_of", "tell_json"]

_LONG = 400


def render(targets: Sequence[Status], now: float) -> bytes:
    """The page of some targets at a moment, in seconds since the epoch."""
    style, script = _asset("status.css"), _asset("status.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    page = _template().render(
        targets=[_view(status) for status in targets],
        style=style,
        script=script,
        script_digest=f"sha256-{digest}",
        words=WORDS,
        now=clock(int(1000 * now)),
        version=__version__,
        width=WIDTH,
        height=HEIGHT,
        clock=clock,
        date=lambda day: clock(86_400_000 * day)[:10],
        milliseconds=milliseconds,
        share=share,
        visible=lambda text: shown(str(text), _LONG),
        lasted=_lasted,
        state_of=state_of,
    )
    return page.encode("utf-8", "backslashreplace")


def state_of(day: Day) -> str:
    """How a day looks: ``none`` ran, ``unknown``, ``good``, ``poor`` (some failed) or ``bad`` (1 in 20 or more)."""
    decided = day.good + day.bad
    if not decided:
        return "unknown" if day.unknown else "none"
    if not day.bad:
        return "good"
    return "bad" if 20 * day.bad >= decided else "poor"


def tell_json(targets: Sequence[Status], now: float) -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema": "postdeploy/status/1",
        "at": clock(int(1000 * now)),
        "targets": [
            {
                "name": status.target,
                "verdict": status.last.verdict,
                "release": status.last.release,
                "seen": clock(status.last.started),
                "availability": {f"{span}d": found for span, found in status.availability.items()},
                "down": bool(status.outages and status.outages[0].end is None),
            }
            for status in targets
        ],
    }


def _view(status: Status) -> dict[str, Any]:
    down = bool(status.outages) and status.outages[0].end is None
    return {"status": status, "chart": draw(status.days), "state": "down" if down else _state(status.last.verdict)}


def _state(verdict: str) -> str:
    return {"pass": "up", "inconclusive": "unsure"}.get(verdict, "down")


def _lasted(begin: int, end: int) -> str:
    minutes = max(1, (end - begin) // 60_000)
    hours, rest = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_asset("status.html.j2"))


def _asset(name: str) -> str:
    return files("postdeploy.history.page").joinpath(name).read_text(encoding="utf-8")
