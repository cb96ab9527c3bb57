from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.target import Control, Service
from postdeploy.probes.control import Question, has_anything_to_ask, observe_control
from tests.web_server import WebServer, respond

DAY = 86400.0
LOCAL = {"web": Service("web", "http://127.0.0.1:9")}
NAMED = {"web": Service("web", "https://web.invalid")}

Serve = Callable[..., WebServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers, which end after the test."""
    with ExitStack() as stack:

        def start(context: ssl.SSLContext | None = None, **headers: Any) -> WebServer:
            server = WebServer(context).script("*", respond(204, b"", **headers))
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Give an authority that everything of this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def ask(control: Control = Control(), services: Any = LOCAL, **more: Any) -> dict[ControlProbe, ControlResult]:  # noqa: B008
    """One round of control probes, by what was asked."""
    question = Question(control, services, more.pop("moment", Moment.FAILURE), **more)
    return {result.probe: result for result in observe_control(question)}


def test_nothing_to_ask() -> None:
    """A target on this machine without a control has nothing that could be told from it."""
    assert not has_anything_to_ask(Control(), LOCAL)
    assert has_anything_to_ask(Control(), NAMED)
    assert has_anything_to_ask(Control(name="example.com"), LOCAL)
    assert ask() == {}


def test_a_control_url_that_answers(serve: Serve) -> None:
    """An answer of 2xx says that the network works, and its Date that the clock is right."""
    server = serve(date=formatdate(usegmt=True))
    found = ask(Control(url=server.url), headers={"X-Synthetic-Test": "run=1"})
    assert [(probe, each.healthy, each.code) for probe, each in found.items()] == [
        (ControlProbe.URL, True, None),
        (ControlProbe.CLOCK, True, None),
    ]
    assert server.seen[0].headers["x-synthetic-test"] == "run=1"


@pytest.mark.parametrize("status", [302, 404, 503])
def test_a_control_url_that_answers_something_else(serve: Serve, status: int) -> None:
    """What is not 2xx may come from a portal or a gateway, so it proves nothing."""
    server = serve().script("*", respond(status))
    found = ask(Control(url=server.url))
    assert (found[ControlProbe.URL].healthy, found[ControlProbe.URL].code) == (False, f"http_{status}")


def test_a_control_url_that_refuses(serve: Serve) -> None:
    """Where nothing listens the runner may be cut off."""
    server = serve()
    server.down()
    found = ask(Control(url=server.url))[ControlProbe.URL]
    assert (found.healthy, found.code) == (False, "connection_refused")


@pytest.mark.parametrize(
    ("age", "healthy", "skew"), [("0", True, 0.0), ("oops", True, 0.0), ("7200", False, -7200.0), ("30", True, -30.0)]
)
def test_a_date_from_a_cache(serve: Serve, age: str, *, healthy: bool, skew: float) -> None:
    """A cached answer is as much older as the cache says."""
    server = serve(date=formatdate(usegmt=True), age=age)
    clock = ask(Control(url=server.url))[ControlProbe.CLOCK]
    assert clock.healthy is healthy
    assert clock.skew == pytest.approx(skew, abs=3.0)


@pytest.mark.parametrize(("offset", "word"), [(60 * DAY, "ahead of"), (-3600.0, "behind")])
def test_a_clock_that_is_wrong(serve: Serve, offset: float, word: str) -> None:
    """A clock that is too far from that of the control URL is told with its distance."""
    server = serve(date=formatdate(usegmt=True))
    clock = ask(Control(url=server.url), wall=lambda: time.time() + offset)[ControlProbe.CLOCK]
    assert (clock.healthy, clock.code) == (False, "clock_skew")
    assert clock.skew == pytest.approx(offset, abs=3.0)
    assert word in clock.message


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_no_date(serve: Serve, date: str) -> None:
    """An answer without a date says nothing of the clock."""
    assert ControlProbe.CLOCK not in ask(Control(url=serve(date=date).url))


def _expired(authority: trustme.CA) -> ssl.SSLContext:
    from datetime import UTC, datetime

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(context)
    return context


def test_a_control_url_whose_certificate_our_clock_refuses(serve: Serve, trusted: trustme.CA) -> None:
    """Its date is read all the same: where it differs, the clock is to blame and the network is not."""
    server = serve(_expired(trusted), date=formatdate(time.time() - 60 * DAY, usegmt=True))
    found = ask(Control(url=server.url))
    assert [(found[probe].healthy, found[probe].code) for probe in (ControlProbe.URL, ControlProbe.CLOCK)] == [
        (True, None),
        (False, "clock_skew"),
    ]


def test_a_control_url_whose_certificate_has_expired(serve: Serve, trusted: trustme.CA) -> None:
    """Where the clocks agree, the certificate of the control URL is what is wrong."""
    found = ask(Control(url=serve(_expired(trusted), date=formatdate(usegmt=True)).url))
    assert (found[ControlProbe.URL].code, found[ControlProbe.CLOCK].healthy) == ("certificate_expired", True)


def test_the_date_of_the_target_where_there_is_no_control_url(serve: Serve, trusted: trustme.CA) -> None:
    """A certificate that has expired by our clock, on a server that takes another date for today, leaves a doubt."""
    server = serve(_expired(trusted), date=formatdate(time.time() - 60 * DAY, usegmt=True))
    services = {"web": Service("web", server.url)}
    assert ask(services=services, code="connection_refused", url=server.url) == {}
    clock = ask(services=services, code="certificate_expired", url=server.url)[ControlProbe.CLOCK]
    assert not clock.healthy
    assert clock.skew == pytest.approx(60 * DAY, abs=3.0)
    server.down()
    assert ask(services=services, code="certificate_expired", url=server.url) == {}


def test_a_resolver_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of a service that does not exist shows that somebody answers; a known name has to resolve."""
    assert ask(services=NAMED)[ControlProbe.RESOLVER].healthy or _offline()
    known = ask(Control(name="known.invalid"), NAMED)[ControlProbe.RESOLVER]
    assert not known.healthy


def _offline() -> bool:
    import socket

    try:
        socket.getaddrinfo("web.invalid", 443)
    except socket.gaierror as error:
        return error.errno != socket.EAI_NONAME
    return False
