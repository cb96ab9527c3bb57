from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from standardwebhooks.webhooks import Webhook

from postdeploy.domain.receiver import MailReceiver
from postdeploy.domain.secret import Secret
from postdeploy.errors import NotificationError
from postdeploy.notify.message import Message
from postdeploy.notify.post import Post, deliver
from postdeploy.notify.sender import Delivery, send_all
from tests.notify.conftest import receiver
from tests.web_server import Answer, Seen, WebServer, respond

LONG = "T0123456789ABCDEFGH"
KEY = "whsec_" + "c2VjcmV0LW9mLXRoZS13ZWJob29rLWZvci10ZXN0cw=="


def post(server: WebServer, path: str = "/hook") -> None:
    """One small request, without waiting between attempts."""
    deliver(Post(server.url + path, b"{}", {"Content-Type": "application/json"}), lambda _: None, 0.4)


def test_a_request(server: WebServer) -> None:
    """The body goes out as JSON, once."""
    post(server)
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/hook", b"{}")
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("first", [respond(429), respond(503), Answer(reset=True), Answer(hang=True)])
def test_what_may_help_is_tried_again(server: WebServer, first: Answer) -> None:
    """Busy, broken, cut off, hanging: a second attempt may get through."""
    server.script("/hook", first, respond(200))
    post(server)
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_what_does_not_help_is_not(server: WebServer, status: int) -> None:
    """A refusal is told with its text; no redirect is followed with what may be a credential."""
    server.script("/hook", respond(status, "invalid_token", location=f"{server.url}/elsewhere"))
    with pytest.raises(NotificationError, match=f"^answered {status}: invalid_token$"):
        post(server)
    assert server.paths() == ["/hook"]


def test_nobody_there(server: WebServer) -> None:
    """That nobody listens or answers is told in our words."""
    server.script("/hook", Answer(hang=True))
    with pytest.raises(NotificationError, match=r"^no answer within 0\.4 s$"):
        post(server)
    server.down()
    with pytest.raises(NotificationError, match=r"^nobody listens there$"):
        post(server)


def test_an_answer_without_end(server: WebServer) -> None:
    """Of a long answer, the beginning is enough."""
    server.script("/hook", respond(400, "x" * 1_000_000))
    with pytest.raises(NotificationError) as caught:
        post(server)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("kind", ["slack", "teams", "discord", "pagerduty", "webhook"])
def test_every_kind_is_delivered(server: WebServer, bad: Message, kind: str) -> None:
    """What arrives is the JSON of its kind; PagerDuty's has the routing key."""
    assert send_all([(receiver(server, kind, key="0" * 32), bad)])[0].problem is None
    said = json.loads(server.seen[0].body)
    assert said.get("routing_key") == ("0" * 32 if kind == "pagerduty" else None)
    assert ("webhook-signature" in server.seen[0].headers) == (kind == "webhook")


@pytest.mark.parametrize("key", [KEY, "any text will do"])
def test_signatures_verify(server: WebServer, bad: Message, key: str) -> None:
    """The specification's own library accepts what was signed, and nothing else."""
    send_all([(receiver(server, key=key), bad)])
    (seen,) = server.seen
    library = Webhook(KEY) if key == KEY else Webhook(key.encode())
    assert library.verify(seen.body, seen.headers)["action"] == "rollback"
    with pytest.raises(Exception, match="signature"):
        library.verify(seen.body.replace(b"rollback", b"promote"), seen.headers)


def test_one_that_fails_keeps_nobody_else(server: WebServer, bad: Message) -> None:
    """All are told at once; a problem is that receiver's own, and shows neither URL nor key."""

    def echo(seen: Seen) -> Answer:
        return respond(404, f"no {seen.path} at {server.url}{seen.path}")

    server.script("/fine", respond(200)).script(f"/services/{LONG}", echo)
    told = [receiver(server, "slack", f"/services/{LONG}"), receiver(server, "discord", "/fine")]
    refused, fine = send_all((each, bad) for each in told)
    assert fine.problem is None
    assert refused.problem
    assert refused.problem.startswith("answered 404: no /services/***")
    assert LONG not in refused.problem


def test_who_takes_too_long_is_left_behind(server: WebServer, bad: Message) -> None:
    """Nobody is waited for beyond the time that all have together."""
    server.script("/hook", Answer(hang=True))
    begun = time.monotonic()
    assert send_all([(receiver(server), bad)], 0.2)[0].problem == "took too long"
    assert time.monotonic() - begun < 3


class _Box:
    """Keeps what it gets; refuses one address."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802  # its name in aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any
    ) -> str:
        """Take an address."""
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        self.envelopes.append(envelope)
        return "250 taken"


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and data.password == b"the-password-of-mail"
    return AuthResult(success=known, handled=False)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Who vouches for the mail server."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


@pytest.fixture
def box() -> _Box:
    """A mailbox."""
    return _Box()


@pytest.fixture
def smtp(box: _Box, authority: trustme.CA) -> Iterator[int]:
    """A real server that demands STARTTLS and a login; gives its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    demanded: dict[str, Any] = {"require_starttls": True, "auth_required": True, "authenticator": _knows}
    controller = Controller(box, "127.0.0.1", port, tls_context=context, **demanded)
    controller.start()
    yield port
    controller.stop()


def _mailbox(port: int, *to: str, password: str = "the-password-of-mail", **changes: Any) -> MailReceiver:
    facts: dict[str, Any] = {"user": "gate", "password": Secret("password", password)}
    return MailReceiver("team", to or ("a@example.com",), "gate@example.com", "127.0.0.1", port, **facts | changes)


def _mailed(mailbox: MailReceiver, message: Message) -> Delivery:
    return send_all([(mailbox, message)])[0]


def test_mail_is_delivered(smtp: int, box: _Box, bad: Message) -> None:
    """A mail goes out over TLS, after a login, to everybody at once."""
    assert _mailed(_mailbox(smtp, "a@example.com", "b@example.com"), bad).problem is None
    (envelope,) = box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("gate@example.com", ["a@example.com", "b@example.com"])
    assert isinstance(envelope.content, bytes)
    assert b"Subject: staging: FAIL, roll back\r\n" in envelope.content


def test_mail_that_is_refused(smtp: int, box: _Box, bad: Message) -> None:
    """Wrong passwords, unknown addresses and servers that are not there are told, and the password never is."""
    wrong = _mailed(_mailbox(smtp, password="wrong-and-secret-password"), bad).problem
    assert wrong
    assert wrong.startswith("answered 535: ")
    assert "wrong-and" not in wrong
    assert _mailed(_mailbox(smtp, "a@example.com", "nobody@example.com"), bad).problem == "refused 1 of 2 addresses"
    refused = _mailed(_mailbox(1), bad).problem
    assert refused
    assert "refused" in refused
    assert len(box.envelopes) == 1


def test_mail_is_not_sent_in_the_clear(smtp: int, box: _Box, bad: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose certificate nobody vouches for gets nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    problem = _mailed(_mailbox(smtp), bad).problem
    assert problem
    assert "certificate" in problem.lower()
    assert box.envelopes == []
