"""A browser that another process has started and goes on with: used, emptied, and given back."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Final

from postdeploy.browser.devtools.browser import DevToolsBrowser
from postdeploy.browser.devtools.connection import Connection, Facts
from postdeploy.browser.faults import BrowserError
from postdeploy.browser.loan import LentPipes, Loan, Wish
from postdeploy.browser.running import CLOSE

__all__ = ["LentBrowser", "borrow"]

_JOIN: Final = 2.0
"""Seconds within which a browser that runs already has to answer."""

_NOTICE: Final = 0.002


class _LentConnection(Connection):
    """A connection over pipes that were there before."""

    def __init__(self, first: int) -> None:
        super().__init__(first)
        self._ends: tuple[asyncio.ReadTransport, asyncio.WriteTransport] | None = None

    async def join(self, pipes: LentPipes) -> None:
        """Talk from now on. Raises OSError."""
        loop = asyncio.get_running_loop()
        reading, writing = (os.dup(end) for end in (pipes.reading, pipes.writing))
        writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(writing, "wb", 0))
        reader, _ = await loop.connect_read_pipe(lambda: _Ear(self), os.fdopen(reading, "rb", 0))
        self._ends = reader, writer

    def part(self) -> None:
        """Read and say nothing more."""
        ends, self._ends, self.alive = self._ends, None, False
        for end in ends or ():
            end.close()

    def _commands(self) -> asyncio.WriteTransport | None:
        return self._ends[1] if self._ends is not None else None


class _Ear(asyncio.Protocol):
    """Passes on what comes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def data_received(self, data: bytes) -> None:
        """The browser tells something."""
        self._connection.pipe_data_received(1, data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._connection.pipe_connection_lost(1, exc)


class LentBrowser(DevToolsBrowser):
    """See ``DevToolsBrowser``; closing it gives it back.

    Args:
        connection: what is told to it and what it tells.
        loan: who hears of that.
        process: the number of its process.
        route: the proxy of its contexts.
    """

    def __init__(self, connection: _LentConnection, loan: Loan, process: int, route: Facts) -> None:
        super().__init__(connection, process, route=route)
        self._lent = connection
        self._loan = loan

    async def close(self) -> None:
        """Give it back with nothing of ours in it, or end it."""
        clean = False
        with suppress(BrowserError, TimeoutError, KeyError):
            async with asyncio.timeout(CLOSE):
                clean = self.alive and await self._empty()
        self._lent.part()  # at once: what comes from now on is for the next one
        if not clean:
            self.kill()
        self._loan.give_back(clean=clean)

    async def _empty(self) -> bool:
        """End everything that is open in it; returns whether nothing is. Raises BrowserError."""
        root = self._lent.root
        await self.follow(attach=False)
        for context in (await root.call("Target.getBrowserContexts"))["browserContextIds"]:
            await root.call("Target.disposeBrowserContext", browserContextId=context)
        rest = await root.call("Target.getBrowserContexts"), await root.call("Target.getTargets")
        while not self._lent.settled:  # noqa: ASYNC110  # asked once, as a rule: the answers are there
            await asyncio.sleep(_NOTICE)
        return self.alive and not rest[0]["browserContextIds"] and not rest[1]["targetInfos"]


async def borrow(loan: Loan, wish: Wish, route: tuple[str, str]) -> LentBrowser | None:
    """The browser that is lent, if it is what is wanted and well; whoever gets None starts an own one.

    All its contexts go through the proxy ``route[0]``, but for what the rules ``route[1]`` say.
    """
    pipes = loan.take(wish)
    if pipes is None:
        return None
    connection = _LentConnection(pipes.first)
    browser = LentBrowser(connection, loan, pipes.process, {"proxyServer": route[0], "proxyBypassList": route[1]})
    answered = False
    try:
        async with asyncio.timeout(_JOIN):
            await connection.join(pipes)
            await browser.follow()
            answered = True
    except (BrowserError, OSError, TimeoutError):
        browser.kill()
    finally:
        if not answered:  # also where the run is over by now, whose monitor then ends the browser
            connection.part()
    return browser if answered else None
