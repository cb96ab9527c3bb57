"""One look at a page: what its expectations ask for, in as few round trips as it takes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from postdeploy.browser.faults import BrowserError, is_gone, is_navigating
from postdeploy.browser.running import Tab
from postdeploy.browser.task import BODY, PageTask
from postdeploy.browser.watch import clean
from postdeploy.errors import ProbeError

__all__ = ["Glance", "glance"]

_PHASES: Final[Mapping[str, tuple[str, str]]] = {
    "dns": ("domainLookupStart", "domainLookupEnd"),
    "connect": ("connectStart", "connectEnd"),
    "tls": ("secureConnectionStart", "connectEnd"),
    "first_byte": ("requestStart", "responseStart"),
    "transfer": ("responseStart", "responseEnd"),
    "dom": ("responseEnd", "domContentLoadedEventEnd"),
    "load": ("domContentLoadedEventEnd", "loadEventEnd"),
}
_BODY: Final = 1_000_000
_T = TypeVar("_T")


class Glance:
    """What one look saw."""

    def __init__(self, facts: Mapping[str, Any], url: str, seen: Mapping[str, bool], texts: Mapping[str, str]) -> None:
        self.title = clean(str(facts["title"]))
        self.url = clean(url)
        self.complete = facts["complete"] is True
        self.body = clean(str(facts["body"]), _BODY)
        self.phases = _phases(facts["timing"])
        self.seen = seen
        self.texts = texts


def _phases(timing: Mapping[str, Any]) -> dict[str, float]:
    seconds = {name: _seconds(timing.get(start), timing.get(end)) for name, (start, end) in _PHASES.items()}
    return {name: value for name, value in seconds.items() if value is not None}


def _seconds(start: object, end: object) -> float | None:
    """The time between two marks of a page's clock; None where a mark is missing, as zero says."""
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return (end - start) / 1000 if 0 < start <= end < math.inf else None


async def glance(tab: Tab, task: PageTask, *, thorough: bool) -> Glance | None:
    """Look once; None if the page went elsewhere meanwhile, or cannot be judged without a thorough look.

    A thorough look asks Playwright's selector engine where the cheap one is not certain.
    Raises ProbeError for a selector that cannot be.
    """
    texts = [selector for selector in task.texts if selector != BODY]
    try:
        wanted = {"selectors": list(task.selectors), "texts": texts, "body": BODY in task.texts}
        facts = await tab.evaluate(_sweep(), wanted)
        seen = _by_selector(task.selectors, facts["seen"])
        found = _by_selector(texts, facts["texts"])
        unsure = [*_unsure(seen), *_unsure(found)]
        if unsure and not thorough:
            return None
        await asyncio.gather(_complete(seen, tab.visible), _complete(found, tab.text))
    except BrowserError as error:
        if is_navigating(error.message) and not is_gone(error.message):
            return None
        raise
    present = {selector: clean(str(text[0]), _BODY) for selector, text in found.items() if text}
    return Glance(facts, tab.url, {selector: bool(answer) for selector, answer in seen.items()}, present)


@cache
def _sweep() -> str:
    return (files("postdeploy.browser") / "sweep.js").read_text(encoding="utf-8")


def _by_selector(selectors: Sequence[str], answers: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(selectors, answers, strict=True))


def _unsure(answers: Mapping[str, Any]) -> list[str]:
    return [selector for selector, answer in answers.items() if answer is None]


async def _complete(answers: dict[str, Any], ask: Callable[[str], Awaitable[_T]]) -> None:
    """Fill in what is not certain yet."""
    unsure = _unsure(answers)
    answers.update(zip(unsure, await asyncio.gather(*(_asked(ask, selector) for selector in unsure)), strict=True))


async def _asked(ask: Callable[[str], Awaitable[_T]], selector: str) -> _T:
    try:
        return await ask(selector)
    except BrowserError as error:
        text = error.message
        if any(sign in text for sign in ("selector", "Unknown engine", "Unexpected token", "XPath")):
            message = f"{selector!r} is not a selector: {text.splitlines()[0]}"
            raise ProbeError("selector_invalid", message, target_fault=False) from error
        raise
