"""A page of one context over the DevTools protocol: where it goes, and what can be asked of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from pathlib import Path
from typing import Any, Final

from postdeploy.browser.devtools.connection import Facts, Session
from postdeploy.browser.devtools.context import Context
from postdeploy.browser.devtools.engine import NoEngineError, engine_script, query_script
from postdeploy.browser.devtools.target import Target
from postdeploy.browser.faults import BrowserError, is_gone, is_navigating
from postdeploy.browser.task import PageTask
from postdeploy.browser.veil import FRAMES, evaluation, picture, take, value_of, world
from postdeploy.browser.watch import Watch

__all__ = ["DevToolsTab"]

_WORLD: Final = "postdeploy"


class DevToolsTab:
    """See ``running.Tab``.

    Args:
        browser: the session of the browser itself.
        contexts: where it looks for whose a target is.
        task: what is asked of the page.
        watch: told what happens in it.
        route: what is asked of the context beyond that: its proxy, if it is not that of the browser.
    """

    def __init__(
        self, browser: Session, contexts: dict[str, Context], task: PageTask, watch: Watch, route: Facts
    ) -> None:
        self._browser = browser
        self._contexts = contexts
        self._task = task
        self._watch = watch
        self._route = route
        self._context = ""
        self._engine: asyncio.Task[int] | None = None
        self._changed = asyncio.Event()

    @property
    def _page(self) -> Target:
        page: Target = self._watch.page
        return page

    @property
    def url(self) -> str:
        """Where the page is."""
        return self._page.url

    async def open(self) -> None:
        """Make the context."""
        made = await self._browser.call("Target.createBrowserContext", disposeOnDetach=True, **self._route)
        self._context = made["browserContextId"]
        context = self._contexts[self._context] = Context(self._task, self._watch, self._adopt)
        self._browser.post("Browser.setDownloadBehavior", behavior="deny", browserContextId=self._context)
        for end in ("requestfinished", "requestfailed"):
            context.on(end, self._note_rest)

    def _adopt(self, page: Target) -> None:
        self._watch.page = page
        page.on_document = self._forget_engine
        page.on_load = self._note_rest

    async def close(self) -> None:
        """End the context, with all that is open in it."""
        context = self._contexts.get(self._context)
        if context is not None:
            await self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
            del self._contexts[self._context]
            context.end()

    async def goto(self, url: str) -> None:
        """Open the page there and wait until the document is parsed. Raises BrowserError.

        The browser holds the page until we are prepared. An empty page that went there then would cost a document more.
        """
        await self._browser.call("Target.createTarget", url=url, browserContextId=self._context)
        await asyncio.shield(self._page.arrival.done)
        await asyncio.gather(*self._page.ready)
        await asyncio.shield(self._page.loaded)

    async def evaluate(self, script: str, argument: object) -> Any:
        """The value of a function in the page's own world. Raises BrowserError."""
        self._changed.clear()
        return await self._value(f"(\n{script}\n)({json.dumps(argument)})")

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until the page has what it asked for."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    async def visible(self, selector: str) -> bool:
        """Whether anything visible matches. Raises BrowserError or NoEngineError."""
        return bool(await self._query(f"{selector} >> visible=true", texts=False))

    async def text(self, selector: str) -> list[str]:
        """The text of the first match, if there is one. Raises BrowserError or NoEngineError."""
        return list(await self._query(f"{selector} >> nth=0", texts=True))

    async def screenshot(self, path: Path) -> None:
        """Write a picture of what is in view, unless it might show a secret. Raises BrowserError."""
        content = await take(picture(self._task.redactor), self._aside, self._capture)
        if content is not None:
            _write(path, content)

    async def _capture(self) -> bytes:
        answer = await self._page.session.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def _aside(self, script: str) -> Any:
        """The value of a script in a world where the page cannot look on."""
        session = self._page.session
        method, facts = world(await session.call(FRAMES))
        method, facts = evaluation(script, await session.call(method, **facts))
        return value_of(await session.call(method, **facts))

    async def keep_trace(self, path: Path) -> None:
        """Do nothing: Playwright alone records traces."""

    def _note_rest(self, *_fact: object) -> None:
        if self._watch.quiet:
            self._changed.set()

    async def _query(self, selector: str, *, texts: bool) -> Any:
        script = query_script(selector, texts=texts)
        if self._engine is None:
            self._engine = asyncio.ensure_future(self._load_engine(engine_script()))
        return await self._value(script, contextId=await asyncio.shield(self._engine))

    async def _load_engine(self, script: str) -> int:
        world = await self._page.session.call(
            "Page.createIsolatedWorld", frameId=self._page.id, worldName=_WORLD, grantUniveralAccess=True
        )
        context = int(world["executionContextId"])
        try:
            await self._value(script, contextId=context)
        except BrowserError as error:
            if is_gone(error.message) or is_navigating(error.message):
                raise
            raise NoEngineError(error.message) from error  # it is made otherwise than we know
        return context

    def _forget_engine(self) -> None:
        """Another document has none yet."""
        self._engine = None

    async def _value(self, expression: str, **where: Any) -> Any:
        answer = await self._page.session.call("Runtime.evaluate", expression=expression, returnByValue=True, **where)
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise BrowserError(str(thrown.get("exception", {}).get("description") or thrown["text"]))
        return answer["result"].get("value")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
