from __future__ import annotations

import gzip
import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack

import pytest
import trustme

from postdeploy.domain.check import HttpProbe
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Location
from postdeploy.errors import GuardRefusalError, ProbeError
from postdeploy.probes.http_body import BODY_LIMIT
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest, request_of
from tests.web_server import Answer, WebServer, respond

Serve = Callable[..., WebServer]
Outcome = HttpObservation | ProbeError


@pytest.fixture
def web() -> Iterator[Serve]:
    """Start a web server."""
    with ExitStack() as stack:

        def start(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> WebServer:
            server = WebServer(context, host)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def server(web: Serve) -> WebServer:
    """Give a server that answers ``{}`` to everything."""
    return web()


@pytest.fixture
def fetch() -> Iterator[Callable[[HttpRequest], Outcome]]:
    """Perform one exchange on a loop that starts when it is first needed."""
    loops: list[HttpLoop] = []

    def go(request: HttpRequest) -> Outcome:
        if not loops:
            loops.append(HttpLoop())
            loops[0].start()
        outcome: Future[Outcome] = Future()
        loops[0].call_soon(lambda: loops[0].fetch(request, outcome.set_result))
        return outcome.result(5)

    yield go
    for loop in loops:
        loop.stop()


Fetch = Callable[[HttpRequest], Outcome]


def seen(outcome: Outcome) -> HttpObservation:
    """The observation that came."""
    assert isinstance(outcome, HttpObservation), outcome
    return outcome


def fault(outcome: Outcome) -> ProbeError:
    """The error that came instead."""
    assert isinstance(outcome, ProbeError), outcome
    return outcome


# Requests.


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_is_sent_as_it_is(server: WebServer, fetch: Fetch, method: str) -> None:
    """The method arrives, and the answer is read to its end."""
    server.script(
        "/", Answer((b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + (b"" if method == "HEAD" else b"ok"),))
    )
    assert seen(fetch(HttpRequest(method, server.url + "/"))).status == 200
    assert server.seen[0].method == method


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_a_body_is_sent_as_it_is(server: WebServer, fetch: Fetch, method: str) -> None:
    """Every method may have a body, of any bytes."""
    fetch(HttpRequest(method, server.url + "/", body=b"\0\xff" * 5000))
    assert (server.seen[0].method, server.seen[0].body) == (method, b"\0\xff" * 5000)


def test_no_body_is_no_content_type(server: WebServer, fetch: Fetch) -> None:
    """A POST without a body does not pretend to be a form."""
    fetch(HttpRequest("POST", server.url + "/"))
    assert server.seen[0].headers["content-length"] == "0"
    assert "content-type" not in server.seen[0].headers


def test_an_empty_body_is_a_body(server: WebServer, fetch: Fetch) -> None:
    """An empty text has a content type."""
    fetch(HttpRequest("POST", server.url + "/", body=b""))
    assert server.seen[0].headers["content-type"] == "text/plain; charset=utf-8"


def test_nothing_is_sent_that_nobody_asked_for(server: WebServer, fetch: Fetch) -> None:
    """There is no Expect, whatever the size of the body, and the encodings that we read are asked for."""
    fetch(HttpRequest("POST", server.url + "/", {"X-A": ""}, b"x" * 2_000_000))
    headers = server.seen[0].headers
    assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length", "x-a"}
    assert headers["accept-encoding"] == "gzip, deflate"


def test_own_headers_win(server: WebServer, fetch: Fetch) -> None:
    """What a probe names replaces ours, however it is written."""
    probe = HttpProbe("GET", Location("web", "/"), {"user-agent": "me", "Accept-Encoding": "br"})
    fetch(request_of(probe, server.url + "/", headers={"User-Agent": "us"}, timeout=1))
    headers = server.seen[0].headers
    assert (headers["user-agent"], headers["accept-encoding"]) == ("me", "br")


def test_json_is_sent_in_utf8(server: WebServer, fetch: Fetch) -> None:
    """A JSON body is UTF-8 with its content type; null is a body too."""
    for value in ({"이름": "é"}, None):
        probe = HttpProbe("POST", Location("web", "/"), json=value, has_json=True, auth="Bearer t")
        fetch(request_of(probe, server.url + "/", headers={}, timeout=1))
    assert [json.loads(each.body) for each in server.seen] == [{"이름": "é"}, None]
    assert server.seen[0].headers["content-type"] == "application/json"
    assert server.seen[0].headers["authorization"] == "Bearer t"


def test_half_a_surrogate_pair_can_be_sent_back(server: WebServer, fetch: Fetch) -> None:
    """What a hostile answer gave is valid JSON when it is sent on."""
    probe = HttpProbe("POST", Location("web", "/"), {"x-v": "\ud800"}, {"v": "\ud800"}, True)
    fetch(request_of(probe, server.url + "/\ud800", headers={}, timeout=1))
    assert server.seen[0].body == b'{"v": "\\ud800"}'


def test_an_address_with_other_letters_is_encoded(server: WebServer, fetch: Fetch) -> None:
    """Blanks and Korean are percent-encoded, escapes and dots stay as they are."""
    fetch(HttpRequest("GET", server.url + "/한 글/../%2e%2E/?q=é"))
    assert server.seen[0].path == "/%ED%95%9C%20%EA%B8%80/../%2E%2E/?q=%C3%A9"


@pytest.mark.parametrize("header", [{"x": "a\r\nb: c"}, {"x\n": "a"}, {"x": "\0"}])
def test_a_header_is_one_line(server: WebServer, fetch: Fetch, header: dict[str, str]) -> None:
    """What would be another header is not sent, and that is our fault."""
    error = fault(fetch(HttpRequest("GET", server.url + "/", header)))
    assert (error.code, error.target_fault, server.seen) == ("invalid_request", False, [])


def test_an_impossible_address_is_our_fault(fetch: Fetch) -> None:
    """An address that libcurl cannot read was never asked."""
    assert (error := fault(fetch(HttpRequest("GET", "http://[::1")))).code == "invalid_request"
    assert not error.target_fault


def test_proxies_of_the_environment_are_not_used(
    server: WebServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we see is the target, not what a proxy says of it."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).status == 200


def test_ipv6_is_spoken(web: Serve, fetch: Fetch) -> None:
    """A service may be at an address of IPv6."""
    server = web(host="::1")
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).address == "::1"


# Redirects.


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("GET", 301, ("GET", False)), ("HEAD", 303, ("HEAD", False)), ("POST", 301, ("GET", False)),
        ("POST", 302, ("GET", False)), ("PUT", 302, ("PUT", True)), ("PUT", 303, ("GET", False)),
        ("POST", 307, ("POST", True)), ("DELETE", 308, ("DELETE", True)),
    ],
)  # fmt: skip
def test_a_redirect_keeps_what_the_standard_keeps(method: str, status: int, expected: tuple[str, bool]) -> None:
    """Method and body follow a redirect as in browsers."""
    body = b"x" if expected[1] or method in {"POST", "PUT"} else None
    request = HttpRequest(method, "http://h/a", {"Content-Type": "a/b"}, body)
    following = request.redirected(_redirect(status, "/b"))
    assert (following.method, following.body is not None, "Content-Type" in following.headers) == (
        expected[0], expected[1], expected[1],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("location", "kept"),
    [("/b", True), ("http://h/b", True), ("http://h:81/b", False), ("https://h/b", False), ("//e/b", False)],
)
def test_credentials_do_not_leave_their_origin(location: str, kept: bool) -> None:
    """Another scheme, host or port gets no header that could be a credential, such as X-Api-Key."""
    request = HttpRequest("GET", "http://h/a", {"Authorization": "t", "cookie": "c", "X-Api-Key": "a", "Accept": "b"})
    headers = request.redirected(_redirect(302, location)).headers
    assert set(headers) == ({"Authorization", "cookie", "X-Api-Key", "Accept"} if kept else {"Accept"})


def test_a_body_does_not_leave_its_origin() -> None:
    """Where the method would keep it, the redirect is refused."""
    request = HttpRequest("POST", "http://h/a", body=b"password=p")
    with pytest.raises(GuardRefusalError, match="the body was not sent to another origin"):
        request.redirected(_redirect(307, "http://e/b"))
    assert request.redirected(_redirect(303, "http://e/b")).body is None


def test_time_before_a_redirect_counts() -> None:
    """A followed redirect has what is left of the time."""
    following = HttpRequest("GET", "http://h/a", timeout=1.0).redirected(_redirect(302, "/b#here"))
    assert (following.url, following.timeout, following.spent) == ("http://h/b", 0.75, 0.25)


def _redirect(status: int, location: str) -> HttpObservation:
    return HttpObservation(
        place="", duration=0.25, method="GET", url="", status=status, headers=(("location", location),), body=b""
    )


# Answers.


def test_an_answer_is_read_whole(server: WebServer, fetch: Fetch) -> None:
    """Status, headers in lower case and in order, body, release, version and address are there."""
    server.script("/", respond(201, "body", X_A="1", x_a="2", x_release="r1"))
    answer = seen(fetch(HttpRequest("GET", server.url + "/", release_header="x-release")))
    assert (answer.status, answer.text, answer.release, answer.http_version) == (201, "body", "r1", "1.1")
    assert (answer.header("x-a"), answer.address) == ("1, 2", "127.0.0.1")


def test_informational_answers_are_passed_over(server: WebServer, fetch: Fetch) -> None:
    """Headers of a 103 are not those of the answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    server.script("/", Answer((hints + b"HTTP/1.1 200 OK\r\nx-b: 1\r\ncontent-length: 0\r\n\r\n",)))
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).headers == (("x-b", "1"), ("content-length", "0"))


def test_headers_that_are_no_utf8_are_escaped(server: WebServer, fetch: Fetch) -> None:
    """Any bytes in a header become valid text."""
    server.script("/", Answer((b"HTTP/1.1 200 OK\r\nx-b: \xff\xfe\r\ncontent-length: 0\r\n\r\n",)))
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).header("x-b") == "\\xff\\xfe"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("x-gzip", gzip.compress(b"hello", mtime=0)),
        ("gzip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("gzip, deflate", zlib.compress(gzip.compress(b"hello", mtime=0))),
        ("identity", b"hello"),
        ("GZIP", gzip.compress(b"hello", mtime=0) + b"trailing"),
    ],
)
def test_encodings_are_taken_off(server: WebServer, fetch: Fetch, encoding: str, packed: bytes) -> None:
    """What servers send as gzip and deflate is read, raw deflate and several members too."""
    server.script("/", respond(200, packed, content_encoding=encoding))
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).body == b"hello"


@pytest.mark.parametrize(
    ("encoding", "packed", "code"),
    [
        ("gzip", gzip.compress(b"hello" * 99, mtime=0)[:-12], "protocol_truncated"),
        ("gzip", b"no gzip at all", "protocol_encoding"),
        ("deflate", b"\xff\xff\xff", "protocol_encoding"),
        ("gzip, gzip, gzip, gzip", b"x", "protocol_encoding"),
    ],
)
def test_a_broken_encoding_is_the_targets_fault(
    server: WebServer, fetch: Fetch, encoding: str, packed: bytes, code: str
) -> None:
    """A body that cannot be unpacked breaks the protocol, and the time that it took is known."""
    server.script("/", respond(200, packed, content_encoding=encoding))
    error = fault(fetch(HttpRequest("GET", server.url + "/")))
    assert (error.code, error.target_fault) == (code, True)
    assert error.phases["first_byte"] > 0


def test_a_bomb_is_refused_quickly(server: WebServer, fetch: Fetch) -> None:
    """A small body that unpacks to 200 MB costs neither time nor memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()
    server.script("/", respond(200, bomb, content_encoding="gzip"))
    begun = time.monotonic()
    assert fault(fetch(HttpRequest("GET", server.url + "/"))).code == "protocol_too_large"
    assert time.monotonic() - begun < 0.5


def test_a_body_may_have_five_megabytes(server: WebServer, fetch: Fetch) -> None:
    """At the limit a body is read, above it is refused."""
    server.script("/at", respond(200, b"x" * BODY_LIMIT)).script("/over", respond(200, b"x" * (BODY_LIMIT + 1)))
    assert len(seen(fetch(HttpRequest("GET", server.url + "/at"))).body) == BODY_LIMIT
    assert fault(fetch(HttpRequest("GET", server.url + "/over"))).code == "protocol_too_large"


def test_headers_have_a_limit(server: WebServer, fetch: Fetch) -> None:
    """Endless headers are refused."""
    server.script("/", Answer((b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 60_000 + b"\r\n",)))
    assert fault(fetch(HttpRequest("GET", server.url + "/"))).code == "protocol_too_large"


def test_a_trickle_is_bounded_by_the_timeout(server: WebServer, fetch: Fetch) -> None:
    """A body that never ends is not waited for longer than told, however often a byte comes."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    server.script("/", Answer((head, *(b"1\r\nx\r\n",) * 50), pause=0.02))
    begun = time.monotonic()
    error = fault(fetch(HttpRequest("GET", server.url + "/", timeout=0.2)))
    assert time.monotonic() - begun < 0.5
    assert (error.code, error.target_fault) == ("timeout", True)
    assert set(error.phases) == {"dns", "connect", "first_byte", "transfer"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(hang=True), "timeout"),
        (Answer(reset=True), "connection_reset"),
        (Answer(close=True), "protocol_no_answer"),
        (Answer((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx",), close=True), "protocol_truncated"),
        (Answer((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), close=True), "protocol_not_http"),
        (Answer((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",), close=True), "protocol_chunks"),
    ],
)
def test_what_is_no_answer_has_a_code(server: WebServer, fetch: Fetch, answer: Answer, code: str) -> None:
    """Silence, cuts and other protocols are the target's faults, each with its word."""
    server.script("/", answer)
    error = fault(fetch(HttpRequest("GET", server.url + "/", timeout=0.2)))
    assert (error.code, error.target_fault) == (code, True)


def test_a_closed_port_refuses(closed_port: int, fetch: Fetch) -> None:
    """A refused connection has the same code as in the other probes."""
    error = fault(fetch(HttpRequest("GET", f"http://127.0.0.1:{closed_port}/")))
    assert (error.code, error.message, error.target_fault) == ("connection_refused", "the connection was refused", True)


def test_a_port_that_swallows_packets_is_late(black_hole: int, fetch: Fetch) -> None:
    """A connection that does not come about is told from an answer that does not come."""
    error = fault(fetch(HttpRequest("GET", f"http://127.0.0.1:{black_hole}/", timeout=0.2)))
    assert (error.code, error.target_fault) == ("connect_timeout", True)
    assert error.phases["connect"] == pytest.approx(0.2, abs=0.1)


def test_a_name_that_does_not_exist(fetch: Fetch) -> None:
    """A host that does not resolve has its own code."""
    assert fault(fetch(HttpRequest("GET", "http://nobody.invalid/", timeout=4))).code in {"dns_not_found", "timeout"}


# Time.


def test_phases_add_up(server: WebServer, fetch: Fetch) -> None:
    """The phases are where the time went, and together all of it."""
    server.script("/", respond(pause=0.05))
    answer = seen(fetch(HttpRequest("GET", server.url + "/")))
    assert sum(answer.phases.values()) == pytest.approx(answer.duration, abs=0.001)
    assert 0.05 <= answer.phases["first_byte"] < 0.2


def test_a_used_connection_has_no_connect_phase(server: WebServer, fetch: Fetch) -> None:
    """The second exchange takes the connection of the first, and its phases say so."""
    first, second = (seen(fetch(HttpRequest("GET", server.url + "/"))) for _ in range(2))
    assert "connect" in first.phases
    assert set(second.phases) <= {"first_byte", "transfer"}
    assert server.connections == 1


def test_a_fresh_connection_is_fresh(server: WebServer, fetch: Fetch) -> None:
    """It is opened for one exchange and used by no other, before or after."""
    for fresh in (False, True, True, False):
        fetch(HttpRequest("GET", server.url + "/", fresh=fresh))
    assert [each.connection for each in server.seen] == [1, 2, 3, 1]


def test_an_unusual_request_leaves_no_trace(server: WebServer, fetch: Fetch) -> None:
    """A handle that sent a body or HEAD is an ordinary one afterwards."""
    fetch(HttpRequest("POST", server.url + "/", {"x-a": "b"}, b"body"))
    server.script("/", Answer((b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n",)), respond(200, "ok"))
    fetch(HttpRequest("HEAD", server.url + "/"))
    assert seen(fetch(HttpRequest("GET", server.url + "/"))).body == b"ok"
    assert (server.seen[2].method, server.seen[2].body, "x-a" in server.seen[2].headers) == ("GET", b"", False)


# TLS.


def test_a_trusted_certificate(web: Serve, fetch: Fetch, tls: Callable[..., ssl.SSLContext], trusted: object) -> None:
    """The authority of SSL_CERT_FILE is trusted, and the handshake is a phase."""
    server = web(tls("127.0.0.1"))
    answer = seen(fetch(HttpRequest("GET", server.url + "/")))
    assert set(answer.phases) >= {"connect", "tls", "first_byte"}


@pytest.mark.parametrize(
    ("name", "days", "code"),
    [("127.0.0.1", -1, "certificate_expired"), ("other.example", 90, "certificate_wrong_host")],
)
def test_a_wrong_certificate_has_a_code(
    web: Serve, fetch: Fetch, tls: Callable[..., ssl.SSLContext], trusted: object, name: str, days: int, code: str
) -> None:
    """What is wrong with a certificate is said by the same words as in the TLS probe."""
    error = fault(fetch(HttpRequest("GET", web(tls(name, days=days)).url + "/")))
    assert (error.code, error.target_fault) == (code, True)


def test_a_certificate_of_the_future(
    web: Serve, fetch: Fetch, tls: Callable[..., ssl.SSLContext], trusted: object
) -> None:
    """A certificate that is not valid yet has its own code."""
    error = fault(fetch(HttpRequest("GET", web(tls(begins=5, days=90)).url + "/")))
    assert error.code == "certificate_not_yet_valid"


def test_a_certificate_of_an_unknown_authority(
    web: Serve, fetch: Fetch, tls: Callable[..., ssl.SSLContext], trusted: object
) -> None:
    """An authority that nobody here knows is not trusted."""
    error = fault(fetch(HttpRequest("GET", web(tls(issuer=trustme.CA())).url + "/")))
    assert error.code == "certificate_untrusted"


def test_plain_text_is_not_tls(serve: Callable[..., int], fetch: Fetch) -> None:
    """A port that does not speak TLS fails the handshake."""

    def talk(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1000)

    error = fault(fetch(HttpRequest("GET", f"https://127.0.0.1:{serve(talk)}/", timeout=0.5)))
    assert (error.code, error.target_fault) == ("tls_handshake", True)


def test_silence_on_a_used_connection_is_the_targets_fault(server: WebServer, fetch: Fetch) -> None:
    """A connection that was good before and then hangs is late, and it was not the look-up that took so long."""
    server.script("/", respond(), Answer(hang=True))
    fetch(HttpRequest("GET", server.url + "/"))
    error = fault(fetch(HttpRequest("GET", server.url + "/", timeout=0.1)))
    assert (error.code, error.target_fault, set(error.phases)) == ("timeout", True, {"first_byte"})


def test_missing_authorities_are_our_fault(
    web: Serve, fetch: Fetch, tls: Callable[..., ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of authorities that is not there says nothing about the target."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    error = fault(fetch(HttpRequest("GET", web(tls()).url + "/")))
    assert (error.code, error.target_fault) == ("authorities_unreadable", False)
