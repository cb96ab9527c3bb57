"""N01 to N09: whose fault is it that no answer comes?"""

from __future__ import annotations

import random
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.faults.expected import Expected, hold, promote, rollback
from tests.faults.network import CONTROL, NAME, TARGET, Network, network
from tests.faults.project import Project, Run
from tests.faults.server import Answer, FaultServer, Seen, serve

_OURS: Final = hold("runner_fault")
_OURS_AT_ANOTHER_TIME: Final = Expected("inconclusive", "runner_fault", "hold", 10, (10, 30))
"""The gate, whose clock is right, may take the verdict for one of another day; it holds either way."""

_NOT_LIVE: Final = hold("target_not_live")

_TEST = """
    def test_it(api):
        assert api.get("/ok/test").status_code == 200
"""


@pytest.fixture
def net(root: None) -> Iterator[Network]:
    """Three machines."""
    with network() as made:
        yield made


@pytest.fixture
def control() -> Iterator[FaultServer]:
    """A server that does not fail with the target."""
    with serve() as server:
        yield server


def _aim(project: Project, net: Network, more: str = "", *, control: bool = True) -> None:
    project.url = net.target.url
    project.target((f"control: {{url: {net.control.url}/ok, timeout: 1s}}\n" if control else "") + more)
    project.suite("- {name: declared, get: 'api:/ok/declared', expect: {status: 200}, timeout: 1s}")
    project.tests(_TEST)


def _run(project: Project, net: Network, *arguments: str) -> Run:
    return project.run(*arguments, python=net.python, timeout=90)


def _codes(run: Run, probe: str = "url") -> set[tuple[bool, str | None]]:
    """What the journal says of a control probe."""
    told = [record["control"] for record in run.records("control")]
    return {(each["healthy"], each["code"]) for each in told if each["probe"] == probe}


def _service(run: Run) -> str | None:
    code: str | None = run.document["services"]["api"]["code"]
    return code


def test_a_healthy_network(project: Project, net: Network) -> None:
    """What the rows start from: the target and the control are reached, and the run passes."""
    _aim(project, net)
    run = _run(project, net)
    run.require(promote())
    assert _codes(run, "route") == {(True, None)}


@pytest.mark.row("N01", "both links are down from the start")
def test_the_link_is_down(project: Project, net: Network) -> None:
    """No route leads anywhere, so nothing is known of the target."""
    _aim(project, net)
    net.cut()
    run = _run(project, net)
    run.require(_OURS)
    assert _service(run) == "network_unreachable"
    assert _codes(run, "route") == {(False, "no_default_route")}


@pytest.mark.row("N01", "both links go down while a check waits")
def test_the_link_goes_down(project: Project, net: Network) -> None:
    """What is lost on the way was not lost by the target."""
    _aim(project, net)
    once = threading.Event()

    def cut(_seen: Seen) -> Answer:
        if not once.is_set():
            once.set()
            net.cut()
        return Answer()

    net.target.on("/cut", cut)
    project.suite("- {name: declared, get: 'api:/cut', expect: {status: 200}, timeout: 1s}")
    run = project.ended(project.start(net.runner(project.pytest())), timeout=90)
    run.require(_OURS)
    assert (False, "network_unreachable") in _codes(run)


@pytest.mark.row("N02", "it refuses connections, and the control URL answers")
def test_the_target_refuses(project: Project, net: Network) -> None:
    """It is down, although it never was live."""
    _aim(project, net)
    net.refuse()
    run = _run(project, net)
    run.require(rollback())
    assert (_service(run), _codes(run)) == ("connection_refused", {(True, None)})


@pytest.mark.row("N02", "it refuses connections, and so does the control URL")
def test_everything_refuses(project: Project, net: Network) -> None:
    """A firewall in front of the runner refuses everything."""
    _aim(project, net)
    net.refuse()
    project.target(f"control: {{url: 'http://{CONTROL}:9/', timeout: 1s}}\n")
    run = _run(project, net)
    run.require(_OURS)
    assert (False, "connection_refused") in _codes(run)


@pytest.mark.row("N02", "it drops packets, and the control URL answers")
def test_the_target_drops_packets(project: Project, net: Network) -> None:
    """Silence beside a control that answers is that of the target."""
    _aim(project, net)
    net.drop()
    run = _run(project, net)
    run.require(rollback())
    assert _service(run) == "connect_timeout"


@pytest.mark.row("N02", "no host there, and the control URL answers")
def test_no_host(project: Project, net: Network) -> None:
    """A host that is gone is a fault of the target, once the network is known to work."""
    _aim(project, net)
    net.ip("r", "route", "add", "unreachable", f"{TARGET}/32")
    run = _run(project, net)
    run.require(rollback())
    assert _service(run) == "host_unreachable"


@pytest.mark.row("N02", "no host there, and no control is configured")
def test_no_host_and_no_control(project: Project, net: Network) -> None:
    """Nobody can tell whether the host or the network is gone."""
    _aim(project, net, control=False)
    net.ip("r", "route", "add", "unreachable", f"{TARGET}/32")
    _run(project, net).require(_NOT_LIVE)


@pytest.mark.row("N02", "the runner itself forbids the way: ip route blackhole, prohibit")
@pytest.mark.parametrize(("kind", "code"), [("blackhole", "network_unreachable"), ("prohibit", "not_permitted")])
def test_the_runner_forbids_the_way(project: Project, net: Network, kind: str, code: str) -> None:
    """What the kernel of the runner refuses was never sent."""
    _aim(project, net)
    net.ip("r", "route", "add", kind, f"{TARGET}/32")
    run = _run(project, net)
    run.require(_OURS)
    assert _service(run) == code


@pytest.mark.row("N03", "nobody answers at the resolver's address")
def test_the_resolver_is_dead(project: Project, net: Network) -> None:
    """A name that nobody could be asked for may well exist."""
    _aim(project, net)
    project.url = f"http://{NAME}:9"
    project.target()
    net.ip("r", "addr", "del", "10.91.2.1/24", "dev", "c0")
    run = _run(project, net)
    run.require(_OURS)


@pytest.mark.row("N03", "the name does not exist, and another one does")
def test_the_name_does_not_exist(project: Project, net: Network) -> None:
    """The resolver works, and so does the network: it is the target that has no such name."""
    _aim(project, net)
    project.url = "http://unknown.postdeploy.test:8000"
    project.target(f"control: {{url: {net.control.url}/ok, name: {NAME}, timeout: 1s}}\n")
    run = _run(project, net)
    run.require(rollback())
    assert (_service(run), _codes(run, "resolver")) == ("dns_not_found", {(True, None)})


@pytest.mark.row("N03", "no name exists, as of a resolver that lies")
def test_no_name_exists(project: Project, net: Network) -> None:
    """A resolver that does not know what surely exists says nothing of the target."""
    _aim(project, net)
    project.url = "http://unknown.postdeploy.test:8000"
    project.target(f"control: {{url: {net.control.url}/ok, name: also.unknown.test, timeout: 1s}}\n")
    run = _run(project, net)
    run.require(_OURS)
    assert _codes(run, "resolver") == {(False, "dns_not_found")}


@pytest.mark.row("N04", "429 for ever")
def test_too_many_requests(project: Project, server: FaultServer) -> None:
    """Asked once more after the pause, then left alone."""
    server.on("/ok/declared", Answer(429, headers={"retry-after": "1"}))
    project.suite()
    run = project.run()
    run.require(hold("required_check_not_proven"))
    assert server.asked("/ok/declared") == 2


@pytest.mark.row("N04", "429 for Python tests")
def test_too_many_requests_of_a_test(alone: Project, server: FaultServer) -> None:
    """The attempt after the pause is the last request; a test that comes later is not even sent."""
    server.on("/ok/test", Answer(429, headers={"retry-after": "1"}))
    alone.tests(_TEST + """
    def test_later(api):
        assert api.get("/ok/later").status_code == 200
    """)  # fmt: skip
    run = alone.run("--reruns=1")
    run.require(hold("required_check_not_proven"))
    assert (server.asked("/ok/test"), server.asked("/ok/later")) == (2, 0)
    assert run.outcomes() == {"test_it": "errored", "test_later": "errored"}
    first, second = (seen.at for seen in server.seen if seen.path == "/ok/test")
    assert second - first >= 1.0


@pytest.mark.row("N04", "429 once")
def test_too_many_requests_once(project: Project, server: FaultServer) -> None:
    """What is answered after the pause counts."""
    server.on("/ok/declared", lambda _seen: Answer(429 if server.asked("/ok/declared") == 1 else 200))
    project.suite()
    project.run().require(promote())


@pytest.mark.row("N04", "503 with Retry-After; a page of maintenance with 200")
@pytest.mark.parametrize(
    "answer", [Answer(503, headers={"retry-after": "60"}), Answer(200, b"We will be back soon")], ids=["503", "page"]
)
@pytest.mark.parametrize(("means", "expected"), [("fail", rollback()), ("hold", _NOT_LIVE)])
def test_maintenance(project: Project, server: FaultServer, answer: Answer, means: str, expected: Expected) -> None:
    """A failure, or a reason to hold: the policy says."""
    server.on("/ok/declared", answer)
    project.target("maintenance: {contains: be back soon}\n", policy=f"deadline: 30s, on_maintenance: {means}")
    project.suite()
    run = project.run()
    run.require(expected)
    assert run.document["checks"][0]["attempts"][-1]["fault"]["code"] == "http_maintenance"


@pytest.mark.row("N05", "401 at the login for the account of the checks, or for every account")
@pytest.mark.parametrize(("other", "expected"), [(200, _OURS), (401, rollback())])
def test_expired_credentials(project: Project, server: FaultServer, other: int, expected: Expected) -> None:
    """Credentials are to blame where those of another account are accepted, the login where they are not."""
    server.on("/login", lambda seen: Answer(401 if b"password-1" in seen.body else other))
    project.target("""\
        secrets: {mine: password-1, other: password-2}
        control: {login: {post: "api:/login", test: {password: mine}, control: {password: other}}}
    """)
    project.suite("""
        - name: login
          post: "api:/login"
          json: {password: "${secrets.mine}"}
          expect: {status: 200}
          repeatable: true
    """)
    run = project.run()
    run.require(expected)
    assert _codes(run, "credentials") == ({(False, "credentials_refused")} if expected is _OURS else set())


# TLS and clocks.


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """What the runs of a test trust."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return made


Secure = Callable[[trustme.LeafCert], FaultServer]


@pytest.fixture
def secure() -> Iterator[Secure]:
    """Start servers that speak TLS."""
    with ExitStack() as stack:

        def start(certificate: trustme.LeafCert, *, old: bool = False) -> FaultServer:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if old:
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1
                context.set_ciphers("ALL:@SECLEVEL=0")
            certificate.configure_cert(context)
            return stack.enter_context(serve(context=context))

        yield start


def _fresh(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate of these weeks."""
    now = datetime.now(UTC)
    return authority.issue_cert("127.0.0.1", not_before=now - timedelta(minutes=9), not_after=now + timedelta(days=30))


def _trusting(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} | more


def _secured(project: Project, url: str, control: str | None) -> None:
    project.url = url
    project.target(f"control: {{url: {control}, timeout: 2s}}\n" if control else "")
    project.suite()
    project.tests(_TEST)


def _library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("needs libfaketime")
    return str(found[0])


def _at(offset: str) -> dict[str, str]:
    return {"LD_PRELOAD": _library(), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


@pytest.mark.row("N06", "faketime +60d, -1h, with a control URL")
@pytest.mark.parametrize("offset", ["+60d", "-1h"])
def test_the_clock_is_wrong(
    project: Project, tmp_path: Path, authority: trustme.CA, secure: Secure, control: FaultServer, offset: str
) -> None:
    """A certificate is not valid by a clock that differs from that of the control."""
    _secured(project, secure(_fresh(authority)).url, control.url)
    run = project.ended(project.start(project.pytest(), _trusting(tmp_path, **_at(offset))))
    run.require(_OURS_AT_ANOTHER_TIME)
    assert (False, "clock_skew") in _codes(run, "clock")


@pytest.mark.row("N06", "faketime +60d, without any control")
def test_the_clock_is_wrong_and_there_is_no_control(
    project: Project, tmp_path: Path, authority: trustme.CA, secure: Secure
) -> None:
    """The target itself takes another date for today: nobody can tell, so nobody rolls back."""
    project.url = secure(_fresh(authority)).url
    project.target("control: {name: localhost}\n")
    project.suite()
    project.ended(project.start(project.pytest(), _trusting(tmp_path, **_at("+60d")))).require(_OURS_AT_ANOTHER_TIME)


def _expired(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1", not_after=datetime(2024, 1, 1, tzinfo=UTC))


_BAD_TLS: Final[dict[str, Callable[[trustme.CA], trustme.LeafCert]]] = {
    "certificate_expired": _expired,
    "certificate_untrusted": lambda _authority: trustme.CA().issue_cert("127.0.0.1"),
    "certificate_wrong_host": lambda authority: authority.issue_cert("elsewhere.test"),
    "tls_handshake": _fresh,
}


@pytest.mark.row("N07", "expired, self-signed, wrong host, TLS 1.0")
@pytest.mark.parametrize("code", list(_BAD_TLS))
def test_bad_tls(
    project: Project, tmp_path: Path, authority: trustme.CA, secure: Callable[..., FaultServer],
    control: FaultServer, code: str,
) -> None:  # fmt: skip
    """The target shows what nobody should trust, and the clock of the runner is right."""
    server = secure(_BAD_TLS[code](authority), old=code == "tls_handshake")
    _secured(project, server.url, control.url)
    run = project.run(env=_trusting(tmp_path))
    run.require(rollback())
    assert _service(run) == code


# A part of all requests.

ONE_PROCESS = pytest.mark.parametrize("workers", [0], indirect=True, ids=["n0"])


def _failing(server: FaultServer, share: float, answer: Answer, seed: int) -> None:
    chance, lock = random.Random(seed), threading.Lock()

    def reply(_seen: Seen) -> Answer:
        with lock:
            return answer if chance.random() < share else Answer()

    for number in range(30):
        server.on(f"/ok/{number}", reply)


@ONE_PROCESS
@pytest.mark.row("N08", "25 % of requests are answered 500: no run of 10 passes")
def test_a_quarter_of_all_requests(project: Project, server: FaultServer) -> None:
    """Checks that ask ten times each find it, and no run is a pass."""
    project.suite("\n".join(
        f"- {{name: c{number}, get: 'api:/ok/{number}', expect: {{status: 200}}, repeat: {{times: 10, pass: 10}}}}"
        for number in range(4)
    ))  # fmt: skip
    for seed in range(9):
        _failing(server, 0.25, Answer(500), seed)
        document = project.run().document
        assert document["verdict"] == "fail", (seed, document["reason"], document["summary"], document["counts"])
    _failing(server, 0.25, Answer(500), 9)
    project.run().require(rollback())


@ONE_PROCESS
@pytest.mark.row("N08", "0.5 % of connections are reset: no run of 10 fails")
def test_a_few_resets(project: Project, server: FaultServer) -> None:
    """What is seen once is asked for again, and is no failure."""
    project.suite("\n".join(
        f"- {{name: c{number}, get: 'api:/ok/{number}', expect: {{status: 200}}}}" for number in range(30)
    ))  # fmt: skip
    for seed in range(9):
        _failing(server, 0.005, Answer(reset=True), seed)
        assert project.run().document["verdict"] == "pass", seed
    _failing(server, 0.005, Answer(reset=True), 9)
    project.run().require(Expected("pass", ("all_required_passed", "passed_with_warnings"), "promote", 0, 0))


@pytest.mark.row("N09", "the old release answers for as long as anybody waits")
def test_another_release(project: Project, server: FaultServer) -> None:
    """Nothing is known of a release that never came."""
    server.on("/release", Answer(body=b'{"commit": "old"}'))
    project.target("release: {from: 'api:/release', json: $.commit, within: 1s, interval: 100ms}\n")
    project.suite()
    run = project.run("--release=new")
    run.release = "new"
    run.require(hold("wrong_release"))
    assert run.document["release"]["observed"] == {"api": "old"}
    assert server.asked("/ok/declared") == 0


def test_no_namespace_is_left(root: None) -> None:
    """The networks of the rows are gone."""
    with network() as made:
        stem = made.stem
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert stem not in names
