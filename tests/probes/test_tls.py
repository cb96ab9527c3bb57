from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from postdeploy.domain.check import TlsProbe
from postdeploy.domain.observation import TlsObservation
from postdeploy.domain.target import Target
from postdeploy.errors import ProbeError
from postdeploy.probes import tls as probe

ToTarget = Callable[[str], Target]
Serve = Callable[..., int]
Tls = Callable[..., ssl.SSLContext]
ServeTls = Callable[[ssl.SSLContext], int]


@pytest.fixture
def look(target: ToTarget, serve_tls: ServeTls) -> Callable[..., TlsObservation]:
    """Give what the probe sees of a server with this context."""

    def at(context: ssl.SSLContext, host: str = "127.0.0.1") -> TlsObservation:
        url = f"https://{host}:{serve_tls(context)}"
        return probe.observe(TlsProbe("web"), target(url), timeout=0.5)

    return at


@pytest.mark.usefixtures("trusted")
def test_trusted_certificate(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A certificate of a trusted authority is seen whole: who, by whom, for which names, for how long."""
    seen = look(tls("127.0.0.1", "staging.test", "::1", days=30))
    assert (seen.trusted, seen.trust_error) == (True, None)
    assert seen.days_left == pytest.approx(30, abs=0.01)
    assert seen.expires == pytest.approx(time.time() + 30 * 86400, abs=900)
    assert seen.subject_name == "the service"
    assert seen.issuer.startswith("OU=Testing CA")
    assert ", O=trustme v" in seen.issuer
    assert set(seen.names) == {"127.0.0.1", "staging.test", "::1"}


@pytest.mark.usefixtures("trusted")
def test_version_and_cipher(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """What was agreed on is named as OpenSSL names it."""
    seen = look(tls())
    assert seen.version == "TLSv1.3"
    assert seen.cipher.startswith("TLS_")


@pytest.mark.usefixtures("trusted")
def test_phases(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A handshake is timed by phase."""
    seen = look(tls())
    assert set(seen.phases) == {"dns", "connect", "tls"}
    assert sum(seen.phases.values()) <= seen.duration < 0.5


@pytest.mark.usefixtures("trusted")
def test_name_goes_to_the_server(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """The host name is sent along, so that a server with many certificates gives the right one."""
    asked: list[str | None] = []
    context = tls("localhost")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    assert look(context, "localhost").trusted
    assert asked == ["localhost"]


def untrusted(seen: TlsObservation) -> str:
    """What was wrong with an untrusted certificate."""
    assert seen.trusted is False
    assert seen.trust_error is not None
    return seen.trust_error


@pytest.mark.usefixtures("trusted")
def test_unknown_authority(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A certificate of an authority that nobody knows is observed as not trusted."""
    seen = look(tls(days=40, issuer=trustme.CA()))
    assert "verify code 20" in untrusted(seen)
    assert seen.days_left == pytest.approx(40, abs=0.01)


@pytest.mark.usefixtures("trusted")
def test_expired(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """An expired certificate has negative days left, and is read all the same."""
    seen = look(tls(days=-3))
    assert "certificate has expired (verify code 10)" in untrusted(seen)
    assert seen.days_left == pytest.approx(-3, abs=0.01)
    assert seen.subject_name == "the service"


@pytest.mark.usefixtures("trusted")
def test_not_yet_valid(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A certificate of tomorrow is not trusted today."""
    assert "verify code 9" in untrusted(look(tls(begins=1)))


@pytest.mark.usefixtures("trusted")
def test_wrong_host(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A certificate for another host is not trusted, and its names say for which one it is."""
    seen = look(tls("other.test"), "localhost")
    assert "verify code 62" in untrusted(seen)
    assert seen.names == ("other.test",)


@pytest.mark.usefixtures("trusted")
def test_wrong_address(look: Callable[..., TlsObservation], tls: Tls) -> None:
    """A certificate for another address is not trusted."""
    assert "verify code 64" in untrusted(look(tls("127.0.0.2")))


def test_authority_comes_from_the_environment(
    look: Callable[..., TlsObservation], tls: Tls, monkeypatch: pytest.MonkeyPatch, trusted: Path
) -> None:
    """Without SSL_CERT_FILE the same certificate is not trusted."""
    monkeypatch.delenv("SSL_CERT_FILE")
    assert trusted.exists()
    assert "verify code" in untrusted(look(tls()))


@pytest.mark.usefixtures("trusted")
def test_chain_lasts_as_long_as_its_shortest_part(
    look: Callable[..., TlsObservation], tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intermediate certificate that ends first decides on the days that are left."""
    chain = [certificate("Jan  1 00:00:00 2040 GMT"), certificate("Jan  1 00:00:00 2030 GMT")]
    monkeypatch.setattr(probe, "_chain", lambda *_, **__: chain)
    seen = look(tls())
    assert seen.days_left == pytest.approx((1893456000 - time.time()) / 86400, abs=0.01)


def certificate(ends: str) -> dict[str, object]:
    """A certificate as the ssl module gives it."""
    return {"notAfter": ends, "issuer": (), "subject": ()}


def test_subject_without_common_name() -> None:
    """Where there is no common name, the whole name stands for it."""
    assert (
        probe._subject(((("countryName", "US"),), (("organizationName", "Let's Encrypt"),))) == "O=Let's Encrypt, C=US"
    )


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        ("DNS", "a.test", "a.test"),
        ("IP Address", "0:0:0:0:0:0:0:1\n", "::1"),
        ("DirName", ((("commonName", "a"),),), "CN=a"),
    ],
)
def test_alternative_names(kind: str, value: object, seen: str) -> None:
    """Names of every kind are texts, and addresses are written as people write them."""
    assert probe._alternative(kind, value) == seen


def test_unreadable_certificate(
    target: ToTarget, serve_tls: ServeTls, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that cannot be read is the target's fault."""

    def broken(_text: str) -> int:
        raise ValueError("Bad time value")

    monkeypatch.setattr(ssl, "cert_time_to_seconds", broken)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(ProbeError) as caught:
        probe.observe(TlsProbe("web"), target(f"https://127.0.0.1:{serve_tls(tls())}"), timeout=0.5)
    assert caught.value.code == "certificate_untrusted"
    assert isinstance(caught.value.__cause__, ProbeError)
    assert caught.value.__cause__.code == "certificate_unreadable"


def code_at(target: Target) -> tuple[str, bool]:
    """Why the probe sees nothing, and whether the target is to blame."""
    with pytest.raises(ProbeError) as caught:
        probe.observe(TlsProbe("web"), target, timeout=0.3)
    return caught.value.code, caught.value.target_fault


def test_plain_http(target: ToTarget, serve: Serve) -> None:
    """A port that speaks HTTP does not speak TLS."""

    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    assert code_at(target(f"https://127.0.0.1:{serve(answer)}")) == ("not_tls", True)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocol_only(target: ToTarget, serve_tls: ServeTls, tls: Tls) -> None:
    """A server of TLS 1.1 at most and this client have no version in common."""
    context = tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert code_at(target(f"https://127.0.0.1:{serve_tls(context)}")) == ("tls_version", True)


def test_handshake_broken_off(target: ToTarget, serve: Serve) -> None:
    """A server that hangs up in the handshake is at fault."""

    def hang_up(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.shutdown(socket.SHUT_RDWR)

    assert code_at(target(f"https://127.0.0.1:{serve(hang_up)}")) == ("tls_handshake", True)


def test_silent_server(target: ToTarget, serve: Serve) -> None:
    """A server that takes the connection and says nothing costs the time-out, in the phase tls."""
    port = serve(lambda _: None)
    with pytest.raises(ProbeError) as caught:
        probe.observe(TlsProbe("web"), target(f"https://127.0.0.1:{port}"), timeout=0.15)
    assert (caught.value.code, caught.value.target_fault) == ("timeout", True)
    assert 0.05 < caught.value.phases["tls"] < 0.4


def test_closed_port(target: ToTarget, closed_port: int) -> None:
    """Where nobody listens, it is the connection that fails, not the handshake."""
    assert code_at(target(f"https://127.0.0.1:{closed_port}")) == ("connection_refused", True)


def test_second_look_fails(target: ToTarget, serve: Serve, tls: Tls) -> None:
    """Where an untrusted certificate cannot be looked at again, it is the distrust that is reported."""
    context, seen = tls(issuer=trustme.CA()), []

    def once(connection: socket.socket) -> None:
        seen.append(connection)
        if len(seen) == 1:
            context.wrap_socket(connection, server_side=True)

    assert code_at(target(f"https://127.0.0.1:{serve(once)}")) == ("certificate_untrusted", True)
