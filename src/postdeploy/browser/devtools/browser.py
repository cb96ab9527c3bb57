"""A browser that is started and driven by us alone, without Playwright's driver; its contexts, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from postdeploy.browser.devtools.connection import Connection, Facts, Session
from postdeploy.browser.devtools.context import Context
from postdeploy.browser.devtools.profile import Profile
from postdeploy.browser.devtools.switches import PIPES, switches
from postdeploy.browser.devtools.tab import DevToolsTab
from postdeploy.browser.faults import BrowserError
from postdeploy.browser.find import Browser
from postdeploy.browser.processes import kill_process
from postdeploy.browser.running import ANSWER, LAUNCH, start_error
from postdeploy.browser.task import PageTask
from postdeploy.browser.watch import Watch

__all__ = ["DevToolsBrowser"]

_FOLLOWED: Final = frozenset({"page", "shared_worker"})


class DevToolsBrowser:
    """The process and its connection.

    Args:
        connection: what is told to it and what it tells.
        process: the number of its process.
        profile: the folder of its state, which goes when it ends, if that is ours.
        route: the proxy of its contexts, if it is not that of the browser.
    """

    def __init__(
        self, connection: Connection, process: int, profile: Profile | None = None, route: Facts | None = None
    ) -> None:
        self._connection = connection
        self._process = process
        self._profile = profile
        self._route = route or {}
        self._contexts: dict[str, Context] = {}
        connection.root.listener = self._hear

    @classmethod
    async def start(cls, found: Browser, arguments: Sequence[str], user_agent: str | None) -> DevToolsBrowser:
        """Start it. Raises BrowserUnavailableError."""
        profile = Profile()
        named = (f"--user-agent={user_agent}",) if user_agent else ()
        browser = None
        try:
            async with asyncio.timeout(LAUNCH):
                process, connection = await asyncio.get_running_loop().subprocess_exec(
                    Connection, *PIPES, str(found.executable), *switches(profile.path, (*named, *arguments)),
                    start_new_session=True,
                )  # fmt: skip
                browser = cls(connection, process.get_pid(), profile)
                await browser.follow()
                return browser
        except (BrowserError, OSError, TimeoutError) as error:
            if browser is not None:
                browser.kill()
            profile.remove()
            raise start_error(found, error) from error

    async def follow(self, *, attach: bool = True) -> None:
        """Have it tell (or no longer tell) of whatever is opened in it before that runs. Raises BrowserError."""
        facts = {"autoAttach": attach, "waitForDebuggerOnStart": attach, "flatten": True}
        await self._connection.root.call("Target.setAutoAttach", **facts)

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self._connection.alive

    async def answers(self) -> bool:
        """Whether the browser itself responds, whatever its pages do."""
        try:
            await asyncio.wait_for(self._connection.root.call("Browser.getVersion"), ANSWER)
        except (BrowserError, TimeoutError):
            return False
        return self.alive

    def kill(self) -> None:
        """End the browser at once: every call that waits for one of its pages fails."""
        self._connection.alive = False
        kill_process(self._process)

    async def close(self) -> None:
        """End the browser, by force: it has nothing to save."""
        self.kill()
        if self._profile is not None:
            self._profile.remove()

    def tab(self, task: PageTask, watch: Watch) -> DevToolsTab:
        """A page for a task, which is yet to be opened."""
        return DevToolsTab(self._connection.root, self._contexts, task, watch, self._route)

    def _hear(self, method: str, facts: Facts) -> None:
        if method == "Target.attachedToTarget":
            self._attached(self._connection.root.child(facts["sessionId"]), facts["targetInfo"])
        elif method == "Target.detachedFromTarget":
            for context in self._contexts.values():
                context.detached(facts["sessionId"])

    def _attached(self, session: Session, found: Facts) -> None:
        context = self._contexts.get(found.get("browserContextId", ""))
        if context is not None and found["type"] in _FOLLOWED:
            context.attached(session, found)
            return
        session.post("Runtime.runIfWaitingForDebugger")
        self._connection.root.post("Target.detachFromTarget", sessionId=session.number)
