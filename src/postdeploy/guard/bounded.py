"""HTTP for Python tests with the bounds of declared checks: a wall clock, and caps on headers, body and unpacking.

httpx2 bounds each read, so a server that sends a byte now and then is waited for without end; and it unpacks whatever
comes. Here every read is given what is left of the time, and a body is unpacked by us.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import httpcore2
import httpx2

from postdeploy.domain.charset import charset_of
from postdeploy.domain.strict_json import UnreadableError, read_json
from postdeploy.guard.limits import BODY_LIMIT, HEADER_LIMIT, INTERIM_LIMIT, LINES_LIMIT
from postdeploy.guard.unpacking import PACKINGS, HostileAnswerError, Unpacker

__all__ = ["ACCEPT_ENCODING", "BoundedStream", "BoundedTransport"]

ACCEPT_ENCODING: Final = "gzip, deflate"
"""What can be unpacked with a bound."""

_CONNECTIONS: Final = 100
_KEPT: Final = 20
_EXPIRY: Final = 5.0
_READ: Final = 64 * 1024
_SWITCHING: Final = 101
_BODILESS: Final = frozenset({204, 304})


class BoundedTransport(httpx2.HTTPTransport):
    """httpx2's own transport on connections that heed a wall clock.

    The longest of a request's timeouts is the time that the whole exchange may take, reading the body included.

    Args:
        trust: for https.
        issued: told of method, headers and body of every answer that was read.
    """

    def __init__(
        self,
        trust: ssl.SSLContext | None,
        issued: Callable[[str, Iterable[tuple[str, str]], bytes], None] = lambda _method, _headers, _body: None,
    ) -> None:
        self._current = _Current()
        self._issued = issued
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trust,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_KEPT,
            keepalive_expiry=_EXPIRY,
            network_backend=_Backend(self._current),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; what comes is read within the bounds. Raises HostileAnswerError or httpx2's errors."""
        exchange = self._current.exchange = _Exchange(_wall(request))
        answer = super().handle_request(request)
        exchange.head_is_over()
        told = answer.headers
        _require_sound(request.method, answer.status_code, told)
        length = _length(request.method, answer.status_code, told)
        stream = BoundedStream(answer, exchange, self._current, length)
        response = _BoundedResponse(answer.status_code, headers=told.raw, stream=stream, extensions=answer.extensions)
        response.tell = lambda body: self._issued(request.method, told.multi_items(), body)
        return response


def _wall(request: httpx2.Request) -> float | None:
    limits = [seconds for seconds in request.extensions.get("timeout", {}).values() if seconds is not None]
    return max(limits) if limits else None


def _require_sound(method: str, status: int, headers: httpx2.Headers) -> None:
    del method
    if len(headers.raw) > LINES_LIMIT:
        raise HostileAnswerError("protocol_too_large", f"the answer has more than {LINES_LIMIT} lines of headers")
    if status == _SWITCHING:
        raise HostileAnswerError("protocol_upgrade", "it switches to a protocol that nobody asked for")
    if "content-length" in headers and "transfer-encoding" in headers:
        text = "the answer has both Content-Length and Transfer-Encoding (RFC 9112 §6.3)"
        raise HostileAnswerError("protocol_ambiguous", text)


def _length(method: str, status: int, headers: httpx2.Headers) -> int | None:
    """How long the body is by its header."""
    told = headers.get("content-length", "")
    bodiless = method == "HEAD" or status in _BODILESS
    return 0 if bodiless else int(told) if told.isascii() and told.isdecimal() else None


class _Current(threading.local):
    """The exchange of this thread: connections serve one exchange after the other."""

    exchange: _Exchange | None = None


class _Exchange:
    """The time and the bytes of one request and its answer."""

    def __init__(self, wall: float | None) -> None:
        self._wall = wall
        self._ends = None if wall is None else time.monotonic() + wall
        self._head = bytearray()
        self._in_head = True
        self._interim = 0
        self.excess = 0

    def left(self, timeout: float | None, late: type[Exception]) -> float | None:
        """Seconds that an operation may take. Raises an error of httpcore2 if the time is over."""
        if self._ends is None:
            return timeout
        left = self._ends - time.monotonic()
        if left <= 0:
            raise late(f"no complete answer within {self._wall:g} s")
        return left if timeout is None else min(timeout, left)

    def came(self, data: bytes) -> None:
        """Count what belongs to the answer. Raises an error of httpcore2 for a head without end."""
        if not self._in_head:
            self.excess += len(data)
            return
        self._head += data
        self._skip_interim()
        if len(self._head) > HEADER_LIMIT + _READ or self._interim > INTERIM_LIMIT:
            raise httpcore2.RemoteProtocolError(
                f"headers of more than {HEADER_LIMIT} bytes, or more than {INTERIM_LIMIT} interim answers"
            )

    def head_is_over(self) -> None:
        """From here on it is the body; ``excess`` counts what came of it."""
        end = self._head.find(b"\r\n\r\n")
        self.excess = len(self._head) - end - 4 if end >= 0 else 0
        self._in_head = False
        self._head = bytearray()

    def _skip_interim(self) -> None:
        while self._head[:5] == b"HTTP/" and self._head[9:10] == b"1" and self._head[9:12] != b"101":
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._interim += 1
            del self._head[: end + 4]


class _Backend(httpcore2.SyncBackend):
    """Opens connections within the time of the exchange that needs them."""

    def __init__(self, current: _Current) -> None:
        self._current = current

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect."""
        exchange = self._current.exchange
        patience = exchange.left(timeout, httpcore2.ConnectTimeout) if exchange else timeout
        return _Stream(super().connect_tcp(host, port, patience, local_address, socket_options), self._current)


class _Stream(httpcore2.NetworkStream):
    """A connection whose operations take no longer than the exchange may."""

    def __init__(self, inner: httpcore2.NetworkStream, current: _Current) -> None:
        self._inner = inner
        self._current = current

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        exchange = self._current.exchange
        if exchange is None:
            return self._inner.read(max_bytes, timeout)
        data = self._inner.read(max_bytes, exchange.left(timeout, httpcore2.ReadTimeout))
        exchange.came(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        exchange = self._current.exchange
        self._inner.write(buffer, exchange.left(timeout, httpcore2.WriteTimeout) if exchange else timeout)

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Secure it."""
        exchange = self._current.exchange
        patience = exchange.left(timeout, httpcore2.ConnectTimeout) if exchange else timeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, patience), self._current)

    def get_extra_info(self, info: str) -> Any:
        """Facts of the connection."""
        return self._inner.get_extra_info(info)


class BoundedStream(httpx2.SyncByteStream):
    """The raw body, as long as it may be; ``ended`` is told once how many bytes of it came."""

    ended: Callable[[int], None] | None = None

    def __init__(self, answer: httpx2.Response, exchange: _Exchange, current: _Current, length: int | None) -> None:
        self._inner: Any = answer.stream
        self._connection = answer.extensions.get("network_stream")
        self._exchange = exchange
        self._current = current
        self._length = length
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Piece by piece. Raises HostileAnswerError or httpx2's errors."""
        pieces = iter(self._inner)
        while True:
            self._current.exchange = self._exchange
            piece = next(pieces, None)
            if piece is None:
                break
            self._size += len(piece)
            if self._size > BODY_LIMIT:
                raise HostileAnswerError("protocol_too_large", f"the answer has a body of more than {BODY_LIMIT} bytes")
            yield piece
        if self._length is not None and self._exchange.excess > self._length:
            if self._connection is not None:  # what came would be taken for the next answer
                self._connection.close()
            text = f"the body ends at offset {self._length} by its header, and more came"
            raise HostileAnswerError("protocol_length", text)

    def close(self) -> None:
        """Give the connection back."""
        ended, self.ended = self.ended, None
        if ended is not None:
            ended(self._size)
        self._inner.close()


class _BoundedResponse(httpx2.Response):
    """httpx2's response, read strictly."""

    tell: Callable[[bytes], None]

    def read(self) -> bytes:
        """The decoded body."""
        fresh = not hasattr(self, "_content")
        body = super().read()
        if fresh and hasattr(self, "tell"):
            self.tell(body)
        return body

    def json(self, **kwargs: Any) -> Any:
        """The body as JSON, strictly unless arguments for ``json.loads`` are given. Raises UnreadableError."""
        return super().json(**kwargs) if kwargs else read_json(self.content)

    @property
    def charset_encoding(self) -> str | None:
        """The character set that the header names. Raises HostileAnswerError for what is none."""
        given = self.headers.get("content-type", "")
        try:
            charset = charset_of(given)
        except UnreadableError as error:
            raise HostileAnswerError("protocol_charset", str(error)) from error
        return charset if "charset" in given.lower() else None

    def _get_content_decoder(self) -> Any:
        if not hasattr(self, "_decoder"):
            names = [name.strip().lower() for name in self.headers.get_list("content-encoding", split_commas=True)]
            unpacker: Any = Unpacker([name for name in names if name in PACKINGS])
            self._decoder = unpacker
        return self._decoder
