"""The run without its guard, to measure what that costs: ``-p benchmarks.unguarded``, never for anything else.

Left out: the decision about each request, the headers that identify it, the budget's meter and the pause after a 429,
the audit hook around tests, and the watch over what is printed. Kept: what is no step of its own, such as the caps on
headers and bodies, which libcurl and the decoding hold, and the masking, which does nothing without secrets, as here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import postdeploy.engine.dispatch
import postdeploy.engine.fetching
import postdeploy.engine.preflight
import postdeploy.guard.courtesy
import postdeploy.plugin.console
from postdeploy.guard.budget import Meter
from postdeploy.guard.seat_belt import SeatBelt

__all__: list[str] = []


def _nothing(*_arguments: Any, **_facts: Any) -> None:
    """What a guard would say of something harmless."""


def _at_once(*_arguments: Any) -> float:
    return 0.0


@contextlib.contextmanager
def _unfastened(_belt: SeatBelt, _who: str) -> Iterator[None]:
    yield


def _no_headers(*_whose: object) -> dict[str, str]:
    return {}


def _take_apart() -> None:
    changes: list[tuple[Any, str, Any]] = [
        (postdeploy.engine.fetching, "refusal", _nothing),
        (postdeploy.engine.dispatch, "identity_headers", _no_headers),
        (postdeploy.engine.preflight, "identity_headers", _no_headers),
        (Meter, "take", _at_once),
        (Meter, "give_back", _nothing),
        (postdeploy.guard.courtesy.Courtesy, "pause", _at_once),
        (SeatBelt, "wear", _nothing),
        (SeatBelt, "fastened", _unfastened),
        (postdeploy.plugin.console.Console, "open", _nothing),
    ]
    for place, name, substitute in changes:
        assert hasattr(place, name), name
        setattr(place, name, substitute)


_take_apart()
