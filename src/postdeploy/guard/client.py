"""The HTTP client of Python tests: httpx2's own, with one transport through which everything passes the guard."""

from __future__ import annotations

import shlex
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import httpx2

from postdeploy.domain.target import Service, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.authorities import authorities
from postdeploy.guard.bounded import ACCEPT_ENCODING, BoundedStream, BoundedTransport
from postdeploy.guard.budget import BudgetSpentError, Meter
from postdeploy.guard.limits import REDIRECT_LIMIT
from postdeploy.guard.outgoing import require_permission
from postdeploy.guard.redirects import Hop, following, kept_headers, same_origin
from postdeploy.guard.seat_belt import by_ourselves
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Exchanged", "open_client"]

_CURL_BODY: Final = 4096
_LEFT_OUT: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "traceparent",
        "user-agent",
        "x-synthetic-test",
    }
)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One exchange of a client, for the record of the test that made it."""

    method: str
    url: str
    status: int
    release: str | None
    curl: str
    phases: Mapping[str, float]
    retry_after: str | None = None


def open_client(
    target: Target,
    service: Service,
    *,
    headers: Callable[[], Mapping[str, str]],
    exchanged: Callable[[Exchanged], None],
    failed: Callable[[str, Exception], None] = lambda _url, _error: None,
    issued: Callable[[str, Iterable[tuple[str, str]], bytes], None] = lambda _method, _headers, _body: None,
    refused: Callable[[GuardRefusalError], None] = lambda _error: None,
    meter: Meter | None = None,
    before: Callable[[], None] = lambda: None,
    timeout: float = 10.0,
) -> httpx2.Client:
    """A client whose paths are relative to the service; redirects are not followed unless a call asks for it.

    Args:
        target: whose access decides; a refused request raises GuardRefusalError.
        service: where relative paths lead.
        headers: added to every request, such as those that identify synthetic traffic.
        exchanged: told of every answer.
        failed: told of every request without one, by its URL and why.
        issued: told of method, headers and body of every answer that was read, for it may hold credentials.
        refused: told of every request that was not sent, before GuardRefusalError is raised.
        meter: what counts the traffic of the run.
        before: called before a permitted request leaves; may wait, or raise what the caller then gets.
        timeout: seconds for a whole request, reading the answer included.
    """
    release = target.release.header if target.release else None
    transport = _GuardedTransport(
        target, BoundedTransport(_trust(target), issued), headers, exchanged, failed, before, release, meter
    )
    return _Client(
        refused,
        base_url=service.url,
        transport=transport,
        timeout=timeout,
        trust_env=False,
        headers={"Accept-Encoding": ACCEPT_ENCODING},
        max_redirects=REDIRECT_LIMIT,
    )


def _trust(target: Target) -> ssl.SSLContext | None:
    """The authorities that declared checks trust; a target without https needs none, and saves their loading."""
    if not any(service.scheme == "https" for service in target.services.values()):
        return None
    return ssl.create_default_context(cafile=authorities())


class _Client(httpx2.Client):
    """Follows redirects as every client of ours: another origin gets neither credentials nor a body."""

    def __init__(self, refused: Callable[[GuardRefusalError], None], **options: Any) -> None:
        super().__init__(**options)
        self._refused = refused

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """As ``httpx2.Client.send``. Raises GuardRefusalError."""
        try:
            return self._send(request, **options)
        except GuardRefusalError as error:
            self._refused(error)
            raise

    def _send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        follow = options.pop("follow_redirects", httpx2.USE_CLIENT_DEFAULT)
        wanted = self.follow_redirects if isinstance(follow, type(httpx2.USE_CLIENT_DEFAULT)) else bool(follow)
        history: list[httpx2.Response] = []
        while True:
            response = super().send(request, follow_redirects=False, **options)
            response.history = list(history)
            onward = _onward(request, response) if wanted else None
            if onward is None:
                return response
            if len(history) >= self.max_redirects:
                raise httpx2.TooManyRedirects("Exceeded maximum allowed redirects.", request=request)
            response.read()
            history.append(response)
            if not same_origin(str(request.url), str(onward.url)):
                options["auth"] = None
            request = onward


def _onward(request: httpx2.Request, response: httpx2.Response) -> httpx2.Request | None:
    """The next request as httpx2 makes it, without what another origin must not see."""
    onward = response.next_request
    if onward is None:
        return None
    hop = Hop(request.method, str(request.url), dict(request.headers), _has_body(request))
    following(hop, response.status_code, response.headers.get("location"))  # which refuses a body for another origin
    kept = kept_headers(dict(onward.headers), hop.url, str(onward.url), body=True)
    for name in set(onward.headers) - set(kept) - {"host", "cookie"}:  # the jar gives each host its own cookies
        del onward.headers[name]
    return onward


def _has_body(request: httpx2.Request) -> bool:
    """Whether a request carries a body; one of unknown length does."""
    length = request.headers.get("content-length")
    return "transfer-encoding" in request.headers or (length is not None and length != "0")


class _GuardedTransport(httpx2.BaseTransport):
    """The one choke point: every request, also each hop of a redirect, is asked about before it leaves."""

    def __init__(
        self,
        target: Target,
        inner: httpx2.BaseTransport,
        headers: Callable[[], Mapping[str, str]],
        exchanged: Callable[[Exchanged], None],
        failed: Callable[[str, Exception], None],
        before: Callable[[], None],
        release_header: str | None,
        meter: Meter | None = None,
    ) -> None:
        self._target = target
        self._inner = inner
        self._headers = headers
        self._exchanged = exchanged
        self._failed = failed
        self._before = before
        self._release_header = release_header
        self._meter = meter or Meter(target.budget)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a permitted request. Raises GuardRefusalError."""
        require_permission(self._target, request.method, str(request.url), body=_has_body(request))
        self._before()
        for name, value in self._headers().items():
            request.headers[name] = value
        self._admit(request)
        begun = time.monotonic()
        try:
            with by_ourselves():
                response = self._inner.handle_request(request)
        except BaseException as error:
            self._meter.give_back()
            if isinstance(error, httpx2.TransportError):
                self._failed(str(request.url), error)
            raise
        self._count(response)
        self._exchanged(
            Exchanged(
                request.method,
                str(request.url),
                response.status_code,
                response.headers.get(self._release_header) if self._release_header else None,
                _curl(request),
                {"first_byte": time.monotonic() - begun},
                response.headers.get("retry-after"),
            )
        )
        return response

    def _admit(self, request: httpx2.Request) -> None:
        """Wait until the budget of the run lets the request go."""
        try:
            while (pause := self._meter.take(time.monotonic())) > 0:
                time.sleep(pause)
        except BudgetSpentError as error:
            raise GuardRefusalError(
                f"{request.method} {request.url}: {error}", allow="more under 'budget' in targets.yaml"
            ) from error

    def _count(self, response: httpx2.Response) -> None:
        """The request is over when its body has been read, or nobody wants more of it."""
        head = sum(len(name) + len(value) + 4 for name, value in response.headers.raw)
        if isinstance(response.stream, BoundedStream):
            response.stream.ended = lambda body: self._meter.give_back(head + body)
        else:
            self._meter.give_back(head)

    def close(self) -> None:
        """Close what is underneath."""
        self._inner.close()


def _curl(request: httpx2.Request) -> str:
    words = ["curl", "-sS", "-i"]
    if request.method != "GET":
        words += ["-X", request.method]
    for name, value in request.headers.items():
        if name.lower() not in _LEFT_OUT:
            words += ["-H", f"{name}: {value}"]
    body = _body(request)
    if body:
        words += ["--data-binary", body]
    return shlex.join([*words, str(request.url)])


def _body(request: httpx2.Request) -> str:
    try:
        content: Any = request.content
    except httpx2.RequestNotRead:
        return "@-"
    return bytes(content[:_CURL_BODY]).decode("utf-8", "backslashreplace")
