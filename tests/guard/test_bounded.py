"""The transport of Python tests against a server of raw answers; the malformed ones are row R02."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx2
import pytest

from postdeploy.domain.strict_json import UnreadableError
from postdeploy.guard.bounded import BoundedStream, BoundedTransport
from postdeploy.guard.unpacking import HostileAnswerError
from tests.faults.raw_server import RawServer, serve_raw

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def raw() -> Iterator[RawServer]:
    """Give a server of raw answers."""
    with serve_raw() as server:
        yield server


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    """A client on the bounded transport."""
    with httpx2.Client(transport=BoundedTransport(None), trust_env=False, timeout=1) as one:
        yield one


def body(content: bytes, headers: bytes = b"") -> bytes:
    """A well-formed answer."""
    return HEAD + headers + b"Content-Length: %d\r\n\r\n" % len(content) + content


def test_an_ordinary_answer_is_as_ever(raw: RawServer, client: httpx2.Client) -> None:
    """Text, JSON and a packed body; a hint before the answer changes nothing."""
    packed = gzip.compress(b'{"a": "\xc3\xbc"}')
    raw.scripts["/"] = b"HTTP/1.1 103 Early Hints\r\n\r\n" + body(packed, b"Content-Encoding: gzip\r\n")
    answer = client.get(raw.url)
    assert (answer.text, answer.json()) == ('{"a": "ü"}', {"a": "ü"})


def test_json_is_read_strictly(raw: RawServer, client: httpx2.Client) -> None:
    """A key twice is no document, unless a test asks for the lenient reader by its arguments."""
    raw.scripts["/"] = body(b'{"a": 1, "a": 2}')
    answer = client.get(raw.url)
    with pytest.raises(UnreadableError):
        answer.json()
    assert answer.json(parse_int=str) == {"a": "2"}


def test_a_character_set_that_is_none_is_refused(raw: RawServer, client: httpx2.Client) -> None:
    """It would be an error of Python's otherwise."""
    raw.scripts["/"] = body(b"x", b"Content-Type: text/plain; charset=rot13\r\n")
    with pytest.raises(HostileAnswerError, match="rot13"):
        _ = client.get(raw.url).text


class _Counting(BoundedTransport):
    """Tells how much of each body came."""

    def __init__(self) -> None:
        super().__init__(None)
        self.ends: list[int] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """As the transport does."""
        response = super().handle_request(request)
        assert isinstance(response.stream, BoundedStream)
        response.stream.ended = self.ends.append
        return response


def test_the_end_of_a_body_is_told_once_with_its_size(raw: RawServer) -> None:
    """As many bytes as came, packed as they were; also of a body that nobody reads to its end."""
    raw.scripts["/"] = body(b"0123456789", b"Connection: close\r\n")
    transport = _Counting()
    with httpx2.Client(transport=transport, trust_env=False, timeout=1) as client:
        client.get(raw.url)
        assert transport.ends == [10]
        with client.stream("GET", raw.url):
            pass
    assert transport.ends == [10, 0]
