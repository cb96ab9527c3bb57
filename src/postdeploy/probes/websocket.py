"""A WebSocket session with a service: some texts there, some messages back."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, urlsplit

from postdeploy import __version__
from postdeploy.domain.check import WebsocketProbe
from postdeploy.domain.observation import WebsocketObservation
from postdeploy.domain.target import Target
from postdeploy.errors import ProbeError
from postdeploy.probes.connection import Timeline, connect, secure

if TYPE_CHECKING:
    from wsproto.events import Event, Request

__all__ = ["observe"]

_ALL_MESSAGES: Final = 1 << 20
_CHUNK: Final = 1 << 16
_PORTS: Final = {"ws": 80, "wss": 443}
_WRITTEN: Final = "%/:?#[]@!$&'()*+,;=~"


def observe(
    probe: WebsocketProbe, target: Target, *, timeout: float, clock: Callable[[], float] = time.monotonic
) -> WebsocketObservation:
    """The first messages that came, as many as the probe asks for. Raises ProbeError where fewer came."""
    url = urlsplit(target.services[probe.service].websocket(probe.location.path))
    context = ssl.create_default_context() if url.scheme == "wss" else None
    timeline = Timeline(str(probe.location), timeout, clock)
    with _valid(timeline.place):
        request = _request(probe, url)
    with _dial(url, context, timeline) as sock:
        session = _Session(sock, timeline)
        with timeline.phase("upgrade"):
            session.upgrade(request)
        messages = _converse(session, probe, timeline)
        elapsed = timeline.elapsed
        session.close()
    return WebsocketObservation(place=timeline.place, duration=elapsed, phases=timeline.phases, messages=messages)


@contextmanager
def _valid(place: str) -> Iterator[None]:
    from h11 import LocalProtocolError

    try:
        yield
    except (LocalProtocolError, ValueError) as error:  # such as a line break in a header
        text = f"{place}: what the probe would send is not valid ({error})"
        raise ProbeError("invalid_request", text, target_fault=False) from error


def _dial(url: SplitResult, context: ssl.SSLContext | None, timeline: Timeline) -> socket.socket:
    host = url.hostname or ""
    sock = connect(host, url.port or _PORTS[url.scheme], timeline)
    return sock if context is None else secure(sock, host, context, timeline)


def _converse(session: _Session, probe: WebsocketProbe, timeline: Timeline) -> tuple[str, ...]:
    messages = session.messages(probe.receive)
    with timeline.phase("first_message"):
        session.say(probe.send)
        received = list(islice(messages, min(1, probe.receive)))
    if probe.receive > 1:
        with timeline.phase("transfer"):
            received += islice(messages, probe.receive - 1)
    return tuple(received)


def _request(probe: WebsocketProbe, url: SplitResult) -> Request:
    from wsproto.events import Request

    names = {name.lower() for name in probe.headers}
    headers = dict(probe.headers)
    if "user-agent" not in names:
        headers["User-Agent"] = f"pytest-postdeploy/{__version__}"
    if probe.auth and "authorization" not in names:
        headers["Authorization"] = probe.auth
    offered = [value for name, value in headers.items() if name.lower() == "sec-websocket-protocol"]
    return Request(
        host=url.netloc.rpartition("@")[2],
        target=quote(url.path or "/", safe=_WRITTEN) + (f"?{quote(url.query, safe=_WRITTEN)}" if url.query else ""),
        subprotocols=[word.strip() for value in offered for word in value.split(",")],
        extra_headers=[
            (name.encode(), value.encode())
            for name, value in headers.items()
            if name.lower() != "sec-websocket-protocol"
        ],
    )


class _Session:
    """The WebSocket protocol over one connection."""

    def __init__(self, sock: socket.socket, timeline: Timeline) -> None:
        from wsproto import ConnectionType, WSConnection

        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._sock = sock
        self._timeline = timeline

    def upgrade(self, request: Request) -> None:
        """Ask for the protocol. Raises ProbeError where it is refused."""
        from wsproto.events import RejectConnection

        self._send(request)
        event = next(self._events())
        if isinstance(event, RejectConnection):
            text = f"{self._timeline.place}: the upgrade was refused with status {event.status_code}"
            raise ProbeError("upgrade_refused", text)

    def say(self, texts: tuple[str, ...]) -> None:
        """Send one message for each text."""
        from wsproto.events import TextMessage

        for text in texts:
            self._send(TextMessage(text))

    def messages(self, wanted: int) -> Iterator[str]:
        """Messages as they become complete, pings answered. Raises ProbeError where the other side closes."""
        from wsproto.events import CloseConnection, Message, Ping

        part, size, count = b"", 0, 0
        for event in self._events():
            if isinstance(event, Ping):
                self._send(event.response())
            elif isinstance(event, CloseConnection):
                text = f"{self._timeline.place}: closed with code {event.code} after {count} of {wanted} messages"
                raise ProbeError("closed", text)
            elif isinstance(event, Message):
                data = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
                size += len(data)
                self._bound(size)
                part += data
                if event.message_finished:
                    yield part.decode("utf-8", "backslashreplace")
                    part, count = b"", count + 1

    def close(self) -> None:
        """Take leave; the other side may be gone already."""
        from wsproto.events import CloseConnection

        with suppress(OSError):
            self._send(CloseConnection(code=1000))

    def _bound(self, size: int) -> None:
        if size > _ALL_MESSAGES:
            raise ProbeError(
                "protocol_too_large", f"{self._timeline.place}: more than {_ALL_MESSAGES} bytes of messages came"
            )

    def _send(self, event: Event) -> None:
        with _valid(self._timeline.place):
            data = self._protocol.send(event)
        self._sock.settimeout(self._timeline.left())
        self._sock.sendall(data)

    def _events(self) -> Iterator[Event]:
        from wsproto.utilities import RemoteProtocolError

        while True:
            yield from self._protocol.events()
            self._sock.settimeout(self._timeline.left())
            data = self._sock.recv(_CHUNK)
            try:
                self._protocol.receive_data(data or None)
            except (RemoteProtocolError, ValueError) as error:
                text = f"{self._timeline.place}: the answer breaks the WebSocket protocol ({error})"
                raise ProbeError("protocol_error", text) from error
