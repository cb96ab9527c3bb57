"""The DevTools protocol over the two pipes of a browser: commands and their answers, and events by session.

See https://chromedevtools.github.io/devtools-protocol/; messages are JSON, each ends with a zero byte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

from postdeploy.browser.faults import BrowserError

__all__ = ["Connection", "Facts", "Session"]

Facts = Mapping[str, Any]
"""The parameters of an event, or the result of a command."""

_T = TypeVar("_T")

_GONE: Final = "Browser has been closed"
_COMPLAINT: Final = 2000


def _unheard(_method: str, _facts: Facts) -> None:
    """Nobody listens yet."""


class Session:
    """One target of a browser or, with an empty id, the browser itself.

    Args:
        connection: the pipes.
        number: the id of the session.
    """

    def __init__(self, connection: Connection, number: str = "") -> None:
        self.number = number
        self.listener: Callable[[str, Facts], None] = _unheard
        self._connection = connection
        self._calls: set[asyncio.Future[Any]] = set()
        self._failure: str | None = None
        connection.sessions[number] = self

    def post(self, method: str, **parameters: Any) -> None:
        """Send a command whose answer does not matter."""
        if self._failure is None:
            self._connection.send(self.number, method, parameters)

    async def call(self, method: str, **parameters: Any) -> Facts:
        """Send a command and wait for its answer. Raises BrowserError."""
        return await self.start(method, **parameters)

    def start(self, method: str, **parameters: Any) -> asyncio.Future[Facts]:
        """Send a command; its answer can be waited for."""
        return self._tied(self._connection.send(self.number, method, parameters))

    def expect(self) -> asyncio.Future[None]:
        """Something that will be set when it happens, and that fails with everything else that waits."""
        event: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        event.add_done_callback(_heard)
        return self._tied(event)

    def _tied(self, call: asyncio.Future[_T]) -> asyncio.Future[_T]:
        if self._failure is not None and not call.done():
            call.set_exception(BrowserError(self._failure))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def child(self, number: str) -> Session:
        """The session of a target that the browser attached us to."""
        return Session(self._connection, number)

    def fail(self, text: str) -> None:
        """End every call that waits, and refuse those to come."""
        self._failure = self._failure or text
        for call in tuple(self._calls):
            if not call.done():
                call.set_exception(BrowserError(text))

    def end(self) -> None:
        """Forget a session whose target is not there any more."""
        self.fail("Target page has been closed")
        self._connection.sessions.pop(self.number, None)


class Connection(asyncio.SubprocessProtocol):
    """What is told to the browser goes into its standard input, what it tells comes out of its standard output.

    Args:
        first: a number below those of all commands.
    """

    def __init__(self, first: int = 0) -> None:
        self.sessions: dict[str, Session] = {}
        self.root = Session(self)
        self.alive = True
        self._calls: dict[int, asyncio.Future[Facts]] = {}
        self._asked: set[int] = set()  # commands to the browser itself that it has not answered
        self._number = first
        self._rest = b""
        self._complaint = b""
        self._transport: asyncio.SubprocessTransport | None = None

    def send(self, session: str, method: str, parameters: Facts) -> asyncio.Future[Facts]:
        """Send a command; a future that nobody waits for is silent about errors."""
        self._number += 1
        call: asyncio.Future[Facts] = asyncio.get_running_loop().create_future()
        call.add_done_callback(_heard)
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        pipe = self._commands() if self.alive else None
        if pipe is None:
            call.set_exception(BrowserError(_GONE))
        else:
            self._calls[self._number] = call
            if not session:
                self._asked.add(self._number)
            pipe.write(json.dumps(message).encode() + b"\0")
        return call

    @property
    def settled(self) -> bool:
        """Whether the browser itself has answered everything, and what came was whole messages."""
        return not self._asked and not self._rest

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where commands go."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Take what came; what the browser writes to its standard error explains why it did not start."""
        if fd == 2:  # noqa: PLR2004  # standard error
            self._complaint = (self._complaint + data)[:_COMPLAINT]
            return
        *messages, self._rest = (self._rest + data).split(b"\0")
        for message in messages:
            self._receive(json.loads(message))

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002  # the name of the protocol
        """A browser whose pipes are closed is gone."""
        if fd != 2:  # noqa: PLR2004  # standard error
            self._end()

    def process_exited(self) -> None:
        """So is one whose process has ended."""
        self._end()

    def _commands(self) -> asyncio.WriteTransport | None:
        """Where commands go."""
        pipe = self._transport.get_pipe_transport(0) if self._transport is not None else None
        return cast("asyncio.WriteTransport | None", pipe)

    def _receive(self, message: Facts) -> None:
        if "id" in message:
            self._answer(message)
            return
        session = self.sessions.get(message.get("sessionId", ""))
        if session is not None:
            session.listener(message["method"], message["params"])

    def _answer(self, message: Facts) -> None:
        self._asked.discard(message["id"])
        call = self._calls.pop(message["id"], None)
        if call is None or call.done():
            return
        if "error" in message:
            call.set_exception(BrowserError(message["error"]["message"]))
        else:
            call.set_result(message["result"])

    def _end(self) -> None:
        self.alive = False
        text = self._complaint.decode("utf-8", "replace").strip() or _GONE
        for session in tuple(self.sessions.values()):
            session.fail(text if session is self.root else _GONE)


def _heard(call: asyncio.Future[Any]) -> None:
    """Mark the error of a command as seen, which many are sent without interest in."""
    if not call.cancelled():
        call.exception()
