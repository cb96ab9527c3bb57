"""The process: command line, start, TLS, going down, ending, and how much work it takes."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from websockets.sync.client import connect

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)


def test_help_shows_examples() -> None:
    """--help explains and gives examples."""
    assert "python -m demo --blue-green" in run("--help").stdout


def test_every_fault_is_listed_and_documented() -> None:
    """--list-faults has one sentence each, and the README says the same."""
    listing = run("--list-faults").stdout.strip().splitlines()
    readme = (ROOT / "demo" / "README.md").read_text("utf-8")
    assert len(listing) > 40
    for line in listing:
        usage, _, sentence = line.partition("  ")
        assert sentence.strip().endswith(".")
        assert f"| `{usage.replace('|', chr(92) + '|')}` | {sentence.strip()} |" in readme


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fault", "api-50"], "did you mean api-500?"),
        (["--fault", "self-signed"], "self-signed needs --tls"),
        (["--fault", "api-500@green"], "no slot 'green'"),
        (["--release", "a b"], "visible ASCII"),
        (["--port", "70000"], "65535"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: list[str], message: str) -> None:
    """What cannot be is said, with exit status 2."""
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_taken_port_is_said() -> None:
    """A port in use ends the process with status 1 and a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--port", str(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "cannot listen on 127.0.0.1" in result.stderr


def test_the_server_is_light() -> None:
    """Serving loads neither pytest nor what only TLS needs."""
    heavy = {"pytest", "trustme", "cryptography", "jsonschema"}
    code = f"import demo.__main__, sys; print(sorted({heavy!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_one_line_says_where(start: Callable[..., Demo]) -> None:
    """The one line that is printed has the real port, and the server answers there at once."""
    demo = start()
    assert demo.line.startswith("TalkStudio demo listening on http://127.0.0.1:")
    assert demo.get("/healthz").json()["release"] == "local"


def test_sigterm_ends_it_at_once(start: Callable[..., Demo]) -> None:
    """Open websockets and hanging requests do not keep the process, and it ends with status 0."""
    demo = start("--fault", "hang")
    with connect(demo.url.replace("http", "ws", 1) + "/ws/chat/x", proxy=None) as chat:
        chat.recv(timeout=3)
        hanging = threading.Thread(target=swallow, args=(demo,))
        hanging.start()
        while demo.log()["total"] < 2:
            time.sleep(0.01)
        assert demo.stop() < 1
    hanging.join()
    assert demo.process.returncode == 0


def swallow(demo: Demo) -> None:
    """Ask for what hangs."""
    with suppress(httpx2.HTTPError):
        httpx2.get(f"{demo.url}/api/v1/agents", trust_env=False)


def test_without_control(start: Callable[..., Demo]) -> None:
    """--no-control leaves nothing to change."""
    demo = start("--no-control")
    assert demo.get("/_demo").status_code == 404
    assert demo.post("/_demo/faults", json={}).status_code == 404


def test_requests_are_printed_unless_quiet() -> None:
    """Without --quiet each request is a line."""
    command = [sys.executable, "-m", "demo", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        httpx2.get(f"{url}/healthz", trust_env=False)
        assert process.stdout.readline().startswith("GET /healthz 200 ")
        process.terminate()


def test_down_after_a_number_of_requests(start: Callable[..., Demo]) -> None:
    """The given number of requests is answered, then connections are refused and the process stays."""
    demo = start("--fault", "down-after-start=3")
    assert [demo.get("/healthz").status_code for _ in range(3)] == [200, 200, 200]
    with suppress(httpx2.TransportError):  # one that came while the door was closing may be cut off instead
        demo.get("/healthz")
    with pytest.raises(httpx2.ConnectError):
        demo.get("/healthz")
    assert demo.process.poll() is None


def test_down_after_a_time(start: Callable[..., Demo]) -> None:
    """With seconds the time counts, not the requests."""
    demo = start("--fault", "down-after-start=1s")
    assert [demo.get("/healthz").status_code for _ in range(30)] == [200] * 30
    time.sleep(1.1)
    with pytest.raises((httpx2.ConnectError, httpx2.RemoteProtocolError)):
        demo.get("/healthz")


def handshake(demo: Demo) -> dict[str, object]:
    """Return the server's certificate as a client that trusts the CA sees it."""
    host, _, port = demo.url.removeprefix("https://").rpartition(":")
    context = ssl.create_default_context(cafile=demo.ca)
    with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain, server_hostname=host) as safe:
        return dict(safe.getpeercert() or {})


def days_left(demo: Demo) -> float:
    """Return how long the certificate is valid."""
    return (ssl.cert_time_to_seconds(str(handshake(demo)["notAfter"])) - time.time()) / 86400


def test_tls_is_trusted_by_its_ca(tls: Demo) -> None:
    """Who trusts ca.pem trusts the server, for longer than three weeks."""
    tls.suffer()
    assert 80 < days_left(tls) <= 90


def test_a_certificate_that_expires_soon(tls: Demo) -> None:
    """expiring-certificate is valid, but not for long."""
    tls.suffer("expiring-certificate")
    assert 2 < days_left(tls) <= 3


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("expired-certificate", "certificate has expired"),
        ("wrong-host-certificate", "IP address mismatch"),
        ("self-signed", "self-signed certificate"),
        ("missing-intermediate", "unable to get local issuer certificate"),
    ],
)
def test_certificates_that_nobody_should_trust(tls: Demo, fault: str, message: str) -> None:
    """Each wrong certificate fails for its own reason, and the right one comes back afterwards."""
    tls.suffer(fault)
    with pytest.raises(ssl.SSLCertVerificationError, match=message):
        handshake(tls)
    tls.suffer()
    assert handshake(tls)["subjectAltName"]


def test_a_wrong_certificate_from_the_start(start: Callable[..., Demo], tmp_path: Path) -> None:
    """A certificate fault on the command line bites before the first handshake."""
    demo = start("--tls", "--tls-dir", str(tmp_path), "--fault", "expired-certificate", verify=False)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(demo)


def test_a_thousand_requests_cost_little(start: Callable[..., Demo]) -> None:
    """With a delay of 50 ms, 50 connections get 1,000 answers for less than 1.5 s of the server's CPU."""
    demo = start("--delay", "50")
    before = cpu_seconds(demo)
    with ThreadPoolExecutor() as thread:
        # A thread of its own, because the browser tests leave a running loop in this one.
        statuses = thread.submit(asyncio.run, crowd(demo.url, connections=50, requests=20)).result()
    assert statuses == {b"200": 1000}
    assert cpu_seconds(demo) - before < 1.5


def cpu_seconds(demo: Demo) -> float:
    """Return the CPU time that the server has used."""
    fields = Path(f"/proc/{demo.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def crowd(url: str, connections: int, requests: int) -> dict[bytes, int]:
    """Make many requests at once over plain connections and count the statuses."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    counts: dict[bytes, int] = {}

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(requests):
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
            status = head.split(b" ")[1]
            counts[status] = counts.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return counts
