"""One look at a page: what its expectations ask for, in as few round trips as it takes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from postdeploy.browser.faults import is_gone, is_navigating
from postdeploy.browser.task import BODY, PageTask
from postdeploy.browser.watch import clean
from postdeploy.errors import ProbeError

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["Glance", "glance"]

_FACTS: Final = """(body) => {
  const entry = performance.getEntriesByType("navigation")[0];
  return {
    title: String(document.title),
    complete: document.readyState === "complete",
    body: body && document.body ? String(document.body.innerText) : "",
    timing: entry ? entry.toJSON() : {},
  };
}"""
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


async def glance(page: Page, task: PageTask) -> Glance | None:
    """Look once; None if the page went elsewhere meanwhile. Raises ProbeError for a selector that cannot be."""
    from playwright.async_api import Error

    try:
        facts, seen, texts = await asyncio.gather(
            page.evaluate(_FACTS, BODY in task.texts),
            asyncio.gather(*(_visible(page, selector) for selector in task.selectors)),
            asyncio.gather(*(_text(page, selector) for selector in task.texts if selector != BODY)),
        )
    except Error as error:
        if is_navigating(error.message) and not is_gone(error.message):
            return None
        raise
    wanted = (selector for selector in task.texts if selector != BODY)
    found = {selector: text for selector, text in zip(wanted, texts, strict=True) if text is not None}
    return Glance(facts, page.url, dict(zip(task.selectors, seen, strict=True)), found)


async def _visible(page: Page, selector: str) -> bool:
    with _NamedSelector(selector):
        return await page.locator(selector).filter(visible=True).count() > 0


async def _text(page: Page, selector: str) -> str | None:
    with _NamedSelector(selector):
        texts = await page.locator(selector).first.all_inner_texts()
    return clean(texts[0], _BODY) if texts else None


class _NamedSelector:
    """Tells a selector that cannot be from a page that cannot be looked at."""

    def __init__(self, selector: str) -> None:
        self._selector = selector

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        text = str(error) if error is not None else ""
        if any(sign in text for sign in ("selector", "Unknown engine", "is not a valid", "Unexpected token")):
            message = f"{self._selector!r} is not a selector: {text.splitlines()[0]}"
            raise ProbeError("selector_invalid", message, target_fault=False) from error
