"""The chat websocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from tests.demo.conftest import Demo


@contextmanager
def chat(demo: Demo, path: str = "/ws/chat/room-1") -> Iterator[ClientConnection]:
    """Be in a room."""
    with connect(demo.url.replace("http", "ws", 1) + path, proxy=None) as socket:
        yield socket


def hear(socket: ClientConnection) -> Any:
    """Return the next event."""
    return json.loads(socket.recv(timeout=3))


@pytest.mark.parametrize("path", ["/ws/chat/room-1", "/api/v1/ws/chat/room-1"])
def test_a_client_is_welcomed(demo: Demo, path: str) -> None:
    """Both addresses welcome a client, and the handshake names the release."""
    with chat(demo, path) as socket:
        assert hear(socket) == {"type": "welcome", "conversation": "room-1"}
        assert socket.response is not None
        assert socket.response.headers["x-release"] == "4f9d2c1"


def test_everybody_in_the_room_hears_a_message(demo: Demo) -> None:
    """A message reaches all clients of its room and nobody else."""
    with chat(demo) as one, chat(demo, "/api/v1/ws/chat/room-1") as two, chat(demo, "/ws/chat/room-2") as other:
        for socket in (one, two, other):
            hear(socket)
        one.send('{"type": "message", "text": "안녕"}')
        assert hear(one) == hear(two)
        other.send('{"type": "ping"}')
        assert hear(other) == {"type": "pong"}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{", "INVALID_JSON"),
        ("[]", "UNKNOWN_TYPE"),
        ('{"type": "x"}', "UNKNOWN_TYPE"),
        ('{"type": "message"}', "INVALID_MESSAGE"),
    ],
)
def test_what_makes_no_sense_is_an_error(demo: Demo, sent: str, code: str) -> None:
    """Nonsense is answered with an error, and the connection stays."""
    with chat(demo) as socket:
        hear(socket)
        socket.send(sent)
        assert hear(socket)["error"]["code"] == code
        socket.send('{"type": "ping"}')
        assert hear(socket) == {"type": "pong"}


def test_the_log_sees_websockets(demo: Demo) -> None:
    """A websocket is in the server's log as a request that changed nothing."""
    with chat(demo):
        pass
    log = demo.log()
    assert log["mutating"] == 0
    assert [(one["method"], one["status"]) for one in log["requests"]] == [("WEBSOCKET", 101)]


def test_refused(demo: Demo) -> None:
    """websocket-refused answers the handshake with 403."""
    demo.suffer("websocket-refused")
    with pytest.raises(InvalidStatus) as caught, chat(demo):
        pass
    assert caught.value.response.status_code == 403


def test_silent(demo: Demo) -> None:
    """websocket-silent connects and sends nothing."""
    demo.suffer("websocket-silent")
    with chat(demo) as socket, pytest.raises(TimeoutError):
        socket.recv(timeout=0.2)


def test_closes(demo: Demo) -> None:
    """websocket-closes ends the connection with 1011."""
    demo.suffer("websocket-closes")
    with chat(demo) as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=3)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1011
