from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from postdeploy.domain.check import WebsocketProbe
from postdeploy.domain.observation import WebsocketObservation
from postdeploy.domain.target import Location, Service, Target
from postdeploy.errors import ProbeError
from postdeploy.probes import websocket

ToTarget = Callable[[str], Target]
Talk = Callable[[ServerConnection], None]
ServeSocket = Callable[..., str]
Serve = Callable[..., int]
HOME = Location("web", "/ws")


@contextmanager
def running(talk: Talk, tls: ssl.SSLContext | None, subprotocols: list[Subprotocol] | None) -> Iterator[str]:
    """Serve WebSockets on loopback; gives the URL."""

    def until_closed(connection: ServerConnection) -> None:
        try:
            talk(connection)
            while True:
                connection.recv()
        except ConnectionClosed:
            pass

    with serve(until_closed, "127.0.0.1", 0, ssl=tls, subprotocols=subprotocols) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.fixture
def speak() -> Iterator[ServeSocket]:
    """Start a real WebSocket server that talks like this to each client; gives its URL."""
    with ExitStack() as stack:
        yield lambda talk, tls=None, subprotocols=None: stack.enter_context(running(talk, tls, subprotocols))


def echo(connection: ServerConnection) -> None:
    """Send everything back."""
    for message in connection:
        connection.send(message)


def look(url: str, timeout: float = 0.5, **options: object) -> WebsocketObservation:
    """What the probe sees of the service at this URL."""
    probe = WebsocketProbe(**({"location": HOME} | options))  # type: ignore[arg-type]  # the options of each test
    return websocket.observe(probe, Target("test", {"web": Service("web", url)}), timeout=timeout)


def refusal(url: str, timeout: float = 0.5, **options: object) -> ProbeError:
    """Why the probe sees nothing of the service at this URL."""
    with pytest.raises(ProbeError) as caught:
        look(url, timeout, **options)
    return caught.value


def test_texts_go_in_turn(speak: ServeSocket) -> None:
    """What the probe sends comes back in order from a server that echoes."""
    assert look(speak(echo), send=("one", "둘", ""), receive=3).messages == ("one", "둘", "")


def test_place_and_phases(speak: ServeSocket) -> None:
    """A session is timed by phase, and its place is written as in the suites."""
    seen = look(speak(echo), send=("a", "b"), receive=2)
    assert seen.place == "web:/ws"
    assert list(seen.phases) == ["dns", "connect", "upgrade", "first_message", "transfer"]
    assert sum(seen.phases.values()) <= seen.duration < 0.5


def test_connection_alone(speak: ServeSocket) -> None:
    """A probe that waits for no message sees the connection."""
    seen = look(speak(echo), receive=0)
    assert (seen.connected, seen.messages) == (True, ())


def test_more_than_asked_for_is_left(speak: ServeSocket) -> None:
    """Reading ends with the last message that was asked for, whatever else came with it."""

    def three(connection: ServerConnection) -> None:
        for text in ("a", "b", "c"):
            connection.send(text)

    assert look(speak(three), receive=2).messages == ("a", "b")


def test_fragments_are_one_message(speak: ServeSocket) -> None:
    """A message in parts is a message."""
    assert look(speak(lambda connection: connection.send(iter(["a", "한", "c"])))).messages == ("a한c",)


def test_bytes_are_read_as_text(speak: ServeSocket) -> None:
    """A binary message is text with what is not UTF-8 escaped."""
    assert look(speak(lambda connection: connection.send(b"\xffok"))).messages == ("\\xffok",)


def test_large_message(speak: ServeSocket) -> None:
    """A message of many frames and reads comes whole."""
    assert look(speak(lambda connection: connection.send("x" * 500_000))).messages == ("x" * 500_000,)


def test_ping_is_answered(speak: ServeSocket) -> None:
    """A server that first wants to know whether somebody is there is told so."""

    def ask(connection: ServerConnection) -> None:
        if connection.ping().wait(0.4):
            connection.send("alive")

    assert look(speak(ask)).messages == ("alive",)


def test_pong_is_passed_over(speak: ServeSocket) -> None:
    """A server may send a pong that nobody asked for."""

    def wave(connection: ServerConnection) -> None:
        connection.pong()
        connection.send("hello")

    assert look(speak(wave)).messages == ("hello",)


def test_farewell_is_orderly(speak: ServeSocket) -> None:
    """The probe leaves with a close frame, so that the server logs no broken connection."""
    codes: list[int | None] = []

    def note(connection: ServerConnection) -> None:
        connection.send("hello")
        for _ in connection:
            pass
        codes.append(connection.close_code)

    look(speak(note))
    deadline = time.monotonic() + 1
    while not codes and time.monotonic() < deadline:
        time.sleep(0.005)
    assert codes == [1000]


def tell_request(connection: ServerConnection) -> None:
    """Send what was asked for."""
    assert connection.request is not None
    headers = {name.lower(): value for name, value in connection.request.headers.raw_items()}
    connection.send(json.dumps({"path": connection.request.path, "headers": headers}))


def test_request_carries_what_the_probe_says(speak: ServeSocket) -> None:
    """Headers, credentials, path and query reach the server."""
    url = speak(tell_request)
    seen = look(
        url + "/api", location=Location("web", "/방/1?q=a b"), headers={"Origin": "https://a.test"}, auth="Bearer x"
    )
    said = json.loads(seen.messages[0])
    assert said["path"] == "/api/%EB%B0%A9/1?q=a%20b"
    assert said["headers"]["origin"] == "https://a.test"
    assert said["headers"]["authorization"] == "Bearer x"
    assert said["headers"]["host"] == url.removeprefix("http://")


@pytest.mark.parametrize(("headers", "agent"), [({}, "pytest-postdeploy/"), ({"user-agent": "mine"}, "mine")])
def test_probe_says_who_it_is(speak: ServeSocket, headers: dict[str, str], agent: str) -> None:
    """The server's log names this program unless the probe asks for another name."""
    assert json.loads(look(speak(tell_request), headers=headers).messages[0])["headers"]["user-agent"].startswith(agent)


def test_header_comes_before_credentials(speak: ServeSocket) -> None:
    """A probe that writes its own Authorization header sends that one."""
    seen = look(speak(tell_request), headers={"authorization": "Basic a"}, auth="Bearer b")
    assert json.loads(seen.messages[0])["headers"]["authorization"] == "Basic a"


def test_subprotocol_is_agreed_on(speak: ServeSocket) -> None:
    """A server may choose among the protocols that the probe's header offers."""
    url = speak(lambda connection: connection.send(str(connection.subprotocol)), subprotocols=[Subprotocol("chat.v2")])
    assert look(url, headers={"Sec-WebSocket-Protocol": "chat.v1, chat.v2"}).messages == ("chat.v2",)


@pytest.mark.usefixtures("trusted")
def test_tls(speak: ServeSocket, tls: Callable[..., ssl.SSLContext]) -> None:
    """A service on https is spoken to over TLS, with a phase of its own."""
    seen = look(speak(echo, tls()), send=("a",))
    assert seen.messages == ("a",)
    assert list(seen.phases) == ["dns", "connect", "tls", "upgrade", "first_message"]


def test_untrusted_tls(speak: ServeSocket, tls: Callable[..., ssl.SSLContext]) -> None:
    """Nothing is said to a service whose certificate is not trusted."""
    assert refusal(speak(echo, tls())).code == "certificate_untrusted"


def respond(text: bytes) -> Callable[[socket.socket], None]:
    """Read a request and answer with these bytes."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)

    return answer


@pytest.mark.parametrize("status", [200, 302, 401, 404, 503])
def test_refused_upgrade(serve: Serve, status: int) -> None:
    """A server that answers anything but the protocol has refused, and its status says why."""
    answer = f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nno".encode()
    error = refusal(f"http://127.0.0.1:{serve(respond(answer))}")
    assert (error.code, error.target_fault) == ("upgrade_refused", True)
    assert error.message == f"web:/ws: the upgrade was refused with status {status}"
    assert set(error.phases) == {"dns", "connect", "upgrade"}


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: \xff\r\n\r\n",
        b"",
        b"HTTP/1.1 200 X\r\nX: " + b"x" * 100_000,
    ],
    ids=["not HTTP", "wrong key", "not ASCII", "nothing", "endless header"],
)
def test_broken_handshake(serve: Serve, answer: bytes) -> None:
    """An answer that breaks the protocol is the target's fault."""
    error = refusal(f"http://127.0.0.1:{serve(respond(answer))}")
    assert (error.code, error.target_fault) == ("protocol_error", True)


def test_close_before_enough_came(speak: ServeSocket) -> None:
    """A server that closes early has not said enough, and its code says why."""

    def leave(connection: ServerConnection) -> None:
        connection.send("one")
        connection.close(4001, "enough")

    error = refusal(speak(leave), receive=2)
    assert (error.code, error.target_fault) == ("closed", True)
    assert error.message == "web:/ws: closed with code 4001 after 1 of 2 messages"
    assert set(error.phases) == {"dns", "connect", "upgrade", "first_message", "transfer"}


def test_connection_that_ends_without_farewell(speak: ServeSocket) -> None:
    """A connection that just ends is closed with the code that RFC 6455 gives it."""
    error = refusal(speak(lambda connection: connection.socket.shutdown(socket.SHUT_RDWR)))
    assert (error.code, "1006" in error.message) == ("closed", True)


def test_silence_costs_the_timeout(speak: ServeSocket) -> None:
    """A server that sends nothing costs the time-out and no more."""
    start = time.monotonic()
    error = refusal(speak(lambda _: None), timeout=0.15)
    assert (error.code, error.target_fault) == ("timeout", True)
    assert "first_message" in error.message
    assert time.monotonic() - start < 0.4


def test_pings_do_not_put_off_the_deadline(speak: ServeSocket) -> None:
    """A server that is busy with anything but messages is late all the same."""

    def nag(connection: ServerConnection) -> None:
        while True:
            connection.ping()
            time.sleep(0.02)

    start = time.monotonic()
    assert refusal(speak(nag), timeout=0.15).code == "timeout"
    assert time.monotonic() - start < 0.4


@pytest.mark.parametrize("size", [1 << 20, (1 << 20) + 1])
def test_messages_are_bounded(speak: ServeSocket, size: int) -> None:
    """One MiB of messages in all is read, and not a byte more."""
    url = speak(lambda connection: (connection.send("x"), connection.send("x" * (size - 1)))[0])
    if size == 1 << 20:
        assert len(look(url, receive=2).messages[1]) == size - 1
    else:
        assert refusal(url, receive=2).code == "protocol_too_large"


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}, {"X": "\ud800"}])
def test_request_that_cannot_be_sent(speak: ServeSocket, headers: dict[str, str]) -> None:
    """A header that would break out of its line is not sent, and is not the target's fault."""
    error = refusal(speak(echo), headers=headers)
    assert (error.code, error.target_fault) == ("invalid_request", False)


def test_closed_port(closed_port: int) -> None:
    """Where nobody listens, the connection is refused."""
    assert refusal(f"http://127.0.0.1:{closed_port}").code == "connection_refused"
