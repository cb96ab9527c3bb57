"""A page of one context in a browser that Playwright drives: what records traces, and knows every selector."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from postdeploy.browser.faults import BrowserError
from postdeploy.browser.film import may_be_filmed, without_film
from postdeploy.browser.refusal import refuse_async
from postdeploy.browser.task import PageTask
from postdeploy.browser.tokens import learn_async
from postdeploy.browser.toll import Rules
from postdeploy.browser.veil import FRAMES, evaluation, picture, take, value_of, world
from postdeploy.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

__all__ = ["PlaywrightTab"]

_T = TypeVar("_T")


class PlaywrightTab:
    """See ``running.Tab``."""

    def __init__(self, browser: Browser, task: PageTask, watch: Watch, user_agent: str | None) -> None:
        self._browser = browser
        self._task = task
        self._watch = watch
        self._user_agent = user_agent
        self._context: BrowserContext | None = None

    @property
    def _page(self) -> Page:
        page: Page = self._watch.page
        return page

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._page.url

    async def open(self) -> None:
        """Make the context, guarded and recorded as the task wants it, and the page."""
        await _told(self._open())

    async def goto(self, url: str) -> None:
        """Go there and wait until the document is parsed."""
        await _told(self._page.goto(url, timeout=0, wait_until="domcontentloaded"))

    async def evaluate(self, script: str, argument: object) -> Any:
        """The value of a function in the page's own world."""
        return await _told(self._page.evaluate(script, argument))

    async def pause(self, seconds: float) -> None:
        """Wait for so long."""
        await asyncio.sleep(seconds)

    async def visible(self, selector: str) -> bool:
        """Whether anything visible matches."""
        return await _told(self._page.locator(selector).filter(visible=True).count()) > 0

    async def text(self, selector: str) -> list[str]:
        """The text of the first match, if there is one."""
        return await _told(self._page.locator(selector).first.all_inner_texts())

    async def screenshot(self, path: Path) -> None:
        """Write a picture of what is in view, unless it might show a secret."""
        await _told(self._screenshot(path))

    async def keep_trace(self, path: Path) -> None:
        """Write what was recorded."""
        if self._context is not None:
            await _told(self._context.tracing.stop(path=path))
            without_film(path, self._task.redactor)

    async def close(self) -> None:
        """End the context."""
        if self._context is not None:
            await _told(self._context.close())

    async def _screenshot(self, path: Path) -> None:
        page = self._page
        session = await page.context.new_cdp_session(page)

        async def aside(script: str) -> Any:
            made = await session.send(*world(await session.send(FRAMES)))
            return value_of(await session.send(*evaluation(script, made)))

        content = await take(picture(self._task.redactor), aside, page.screenshot)
        if content is not None:
            path.write_bytes(content)  # noqa: ASYNC240  # some kilobytes

    async def _open(self) -> None:
        context = self._context = await self._browser.new_context(
            user_agent=self._user_agent,
            extra_http_headers=dict(self._task.headers),
            service_workers="block",
            accept_downloads=False,
        )
        self._watch.follow(context)
        if self._task.redactor is not None:
            learn_async(context, self._task.redactor)
        if self._task.allowed is not None:
            task = self._task
            rules = Rules(self._task.allowed, task.routed, task.sealed, task.pace)
            await refuse_async(context, rules, self._watch)
        if self._task.trace and self._task.evidence is not None:
            await context.tracing.start(screenshots=may_be_filmed(self._task.redactor), snapshots=True)
        self._watch.page = await context.new_page()


async def _told(action: Awaitable[_T]) -> _T:
    from playwright.async_api import Error

    try:
        return await action
    except Error as error:
        raise BrowserError(error.message) from error
