from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from postdeploy.serving.route import BadRequestError, Request, Response, Route, json_response
from postdeploy.serving.server import Limits, serving

TOKEN = "a-token-of-some-length"
LIMITS = Limits(connections=3, head=2048, body=1000, read=0.5, answer=0.5)


def _echo(request: Request) -> Response:
    return json_response(200, {"method": request.method, "query": request.query, "bytes": len(request.body)})


def _refuse(_request: Request) -> Response:
    raise BadRequestError("no")


def _break(_request: Request) -> Response:
    raise ZeroDivisionError


def _sleep(_request: Request) -> Response:
    time.sleep(0.8)
    return _echo(_request)


ROUTES = {
    "/echo": Route(_echo, ("GET", "POST")),
    "/well": Route(_echo, public=True),
    "/refuse": Route(_refuse),
    "/break": Route(_break),
    "/slow": Route(_sleep),
    "/large": Route(lambda _: Response(200, bytes(20_000_000))),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with tight limits that asks for nothing."""
    with serving(ROUTES, limits=LIMITS) as address:
        yield address


def fetch(
    url: str, path: str = "/echo", method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    """Ask on a connection of its own."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()


def raw(url: str, sent: bytes, wait: float = 3.0) -> bytes:
    """Send bytes as they are, and read until the other side closes."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=wait) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_routes(url: str) -> None:
    """A path is answered by its handler with the methods it has; HEAD has no body, everything else is 404."""
    assert fetch(url, "/echo?a=1") == (200, b'{"method":"GET","query":"a=1","bytes":0}\n')
    assert fetch(url, "/echo", "POST", b"x" * 1000)[0] == 200
    assert fetch(url, "/echo", "HEAD") == (200, b"")
    assert fetch(url, "/echo", "DELETE")[0] == 405
    assert fetch(url, "/well", "POST")[0] == 405
    assert fetch(url, "/echo/")[0] == fetch(url, "/../echo")[0] == fetch(url, "//echo")[0] == 404


def test_one_connection_for_several_questions(url: str) -> None:
    """A connection stays open, and no answer may be kept by anybody between."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
        for _ in range(3):
            connection.request("GET", "/echo")
            response = connection.getresponse()
            assert (response.status, response.headers["cache-control"]) == (200, "no-store")
            response.read()
            port = connection.sock.getsockname()[1]
            assert port == connection.sock.getsockname()[1]


@pytest.mark.parametrize(("path", "status"), [("/refuse", 400), ("/break", 500), ("/slow", 503)])
def test_handlers_that_do_not_answer(url: str, path: str, status: int) -> None:
    """A question that is refused, a handler that breaks, one that takes too long: none of them is 200."""
    assert fetch(url, path)[0] == status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /echo HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 9000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 9000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431),
        (b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n" + b"y" * 1001, 413),
        (b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n" + b"y" * 1001, 413),
        (b"GET /echo HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
    ],
    ids=["headers", "line", "body", "chunked", "no host", "tls", "two lengths"],
)
def test_too_much_and_nonsense(url: str, sent: bytes, status: int) -> None:
    """What is too large or no HTTP is told so, and the connection ends."""
    assert raw(url, sent).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /echo HT", b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx"]
)
def test_whoever_dawdles_is_cut_off(url: str, sent: bytes) -> None:
    """A request that does not come whole in time is not waited for."""
    assert raw(url, sent) == b""


def test_a_trickle_is_no_request(url: str) -> None:
    """Time is counted for the whole request, not from byte to byte."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=3) as connection:
        begun = time.monotonic()
        with pytest.raises(OSError, match=r"."):  # noqa: PT012  # some send is the first to notice
            for _ in range(40):
                connection.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - begun < 2


def test_one_more_than_there_may_be(url: str) -> None:
    """A connection too many is told so at its first question; the others are served."""
    place = urlsplit(url)
    held = [socket.create_connection((place.hostname or "", place.port or 0)) for _ in range(LIMITS.connections)]
    try:
        _until(lambda: fetch(url)[0] == 503)
        held[0].sendall(b"GET /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert held[0].recv(100).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in held:
            connection.close()
    _until(lambda: fetch(url)[0] == 200)


def test_whoever_takes_no_answer_is_cut_off(url: str) -> None:
    """A client that does not read its answer keeps its place for a while, and not for ever."""
    place = urlsplit(url)
    held = [socket.create_connection((place.hostname or "", place.port or 0)) for _ in range(LIMITS.connections)]
    try:
        for connection in held:
            connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        _until(lambda: fetch(url)[0] == 200)
    finally:
        for connection in held:
            connection.close()


def _until(said: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not said():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_token() -> None:
    """Where a token is set, only public paths are answered without it; a wrong path says nothing of its own."""
    with serving(ROUTES, token=TOKEN) as url:
        assert fetch(url)[0] == fetch(url, Authorization="Bearer no")[0] == fetch(url, Authorization=TOKEN)[0] == 401
        assert fetch(url, Authorization=f"Basic {TOKEN}")[0] == fetch(url, Authorization=f"Bearer {TOKEN}x")[0] == 401
        assert fetch(url, Authorization=f"Bearer {TOKEN}")[0] == fetch(url, Authorization=f"bearer  {TOKEN}")[0] == 200
        assert fetch(url, "/well")[0] == 200


def test_ending(caplog: pytest.LogCaptureFixture) -> None:
    """Who has asked is answered, who only waits is let go, and the port is free again; nothing is said of it."""
    answers: list[tuple[int, bytes]] = []
    begun = threading.Event()

    def slow(request: Request) -> Response:
        begun.set()
        time.sleep(0.3)
        return _echo(request)

    with serving({"/slow": Route(slow)}) as url:
        idle = socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0))
        asking = threading.Thread(target=lambda: answers.append(fetch(url, "/slow")))
        asking.start()
        assert begun.wait(5)
    asking.join(5)
    assert [status for status, _ in answers] == [200]
    assert idle.recv(1) == b""
    idle.close()
    with pytest.raises(OSError, match="refused"):
        fetch(url)
    assert caplog.text == ""


def test_a_port_that_is_taken(url: str) -> None:
    """Where it cannot listen, it says so and leaves no thread behind."""
    before = threading.active_count()
    with pytest.raises(OSError, match="in use"), serving(ROUTES, port=urlsplit(url).port or 0):
        pass
    assert threading.active_count() == before
