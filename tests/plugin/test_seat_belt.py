"""Code of tests that goes around our clients: refused, an error of its test, and an incident of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

BYPASSES = {
    "socket": "import socket; socket.create_connection((HOST, PORT), timeout=2).sendall(REQUEST)",
    "connect_ex": "import socket; socket.socket().connect_ex((HOST, PORT))",
    "mapped": "import socket; socket.socket(socket.AF_INET6).connect(('::ffff:127.0.0.1', PORT))",
    "udp": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (HOST, PORT))",
    "urllib": "import urllib.request; urllib.request.urlopen(URL, data=b'x')",
    "httpx2": "import httpx2; httpx2.post(URL)",
    "asyncio": "import asyncio; asyncio.run(asyncio.open_connection(HOST, PORT))",
    "thread": "import threading, socket\n    def go():\n        try: socket.create_connection((HOST, PORT))\n"
    "        except Exception: pass\n    t = threading.Thread(target=go); t.start(); t.join()",
    "subprocess": "import subprocess; subprocess.run(['curl', '-d', 'x', URL])",
    "system": "import os; os.system(f'curl -d x {URL}')",
    "child": "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1)'])",
    "ctypes": "import ctypes; ctypes.CDLL(None).connect",
    "library": "import ctypes; ctypes.CDLL('libc.so.6')",
    "pycurl": "import pycurl; c = pycurl.Curl(); c.setopt(c.URL, URL); c.setopt(c.POSTFIELDS, 'x'); c.perform()",
    "multi": "import pycurl; c = pycurl.Curl(); c.setopt(c.URL, URL); m = pycurl.CurlMulti(); m.add_handle(c)\n"
    "    while m.perform()[1]: pass",
    "uvloop": "import uvloop, asyncio; loop = uvloop.new_event_loop()\n"
    "    loop.run_until_complete(loop.create_connection(asyncio.Protocol, HOST, PORT))",
}
"""By name: the body of a test that reaches a server, if nobody stops it."""


def _tests(project: Project, *names: str, access: str = "read-only", swallow: bool = False) -> None:
    path = project.path / "targets.yaml"
    text = path.read_text().replace("deadline: 30s", "deadline: 2m")
    path.write_text(text.replace("access: read-write", f"access: {access}", 1))
    host, _, port = project.url.removeprefix("http://").partition(":")
    facts = f"\nHOST, PORT, URL = {host!r}, {port}, {project.url!r} + '/bypass'\n"
    facts += "REQUEST = b'POST /bypass HTTP/1.0\\r\\n\\r\\n'\n"
    mark = "@pytest.mark.check(repeatable=False)"
    tests = (f"\n{mark}\ndef test_{name}(evidence):\n    evidence('sent')\n    {BYPASSES[name]}\n" for name in names)
    body = "".join(tests)
    if swallow:
        body = body.replace("('sent')\n    ", "('sent')\n    try:\n        ") + "    except Exception: pass\n"
    (project.path / "suites" / "test_it.py").write_text("import pytest\n" + facts + body)
    project.suite("- {name: reads, get: 'api:/a', expect: {status: 200}}")


def test_nothing_goes_around_the_clients(both: Project) -> None:
    """On a read-only target even the target itself is out of reach: nobody could see what is sent."""
    _tests(both, *BYPASSES)
    run = both.run()
    run.require(10, "safety_violation")
    outcomes = run.outcomes()
    assert outcomes.pop("reads") == "passed"
    assert outcomes.pop("test_thread") == "passed"
    assert set(outcomes.values()) == {"errored"}, outcomes
    told = {incident["message"] for incident in run.verdict["incidents"]}
    assert all(any(f"::test_{name} tried to" in message for message in told) for name in BYPASSES)
    assert both.peer is not None
    assert "/bypass" not in {path for _, path in both.peer.seen}


def test_an_attempt_that_is_swallowed_is_an_incident(project: Project) -> None:
    """A test that catches everything cannot hide it."""
    _tests(project, "socket", swallow=True)
    run = project.run()
    run.require(10, "safety_violation")
    assert run.outcomes()["test_socket"] == "passed"
    assert "tried to connect to 127.0.0.1" in run.verdict["summary"]


def test_a_writable_target_may_be_reached_by_other_means(project: Project) -> None:
    """And what the target lists, on any target."""
    _tests(project, "socket", "connect_ex", access="read-write")
    assert project.run().outcomes() == {"reads": "passed", "test_socket": "passed", "test_connect_ex": "passed"}
    where = project.url.removeprefix("http://")
    _tests(project, "socket", access=f'read-only\n    connect: ["{where}"]')
    assert project.run().outcomes() == {"reads": "passed", "test_socket": "passed"}


def test_a_listed_program_may_be_started(project: Project) -> None:
    """By its name; others may not, and the message says which line would allow them."""
    _tests(project, "child", access="read-only")
    run = project.run()
    assert "programs: [" in run.check("test_child")["attempts"][0]["error"]
    _tests(project, "child", access="read-only")
    name = run.check("test_child")["attempts"][0]["error"].partition('programs: ["')[2].partition('"')[0]
    path = project.path / "targets.yaml"
    path.write_text(path.read_text().replace("access: read-only", f"access: read-only\n    programs: [{name}]", 1))
    project.run().require(0, "all_required_passed")


def test_modules_are_watched_while_they_are_imported(project: Project) -> None:
    """Code at the top of a file is code of a test."""
    _tests(project, "socket")
    path = project.path / "suites" / "test_it.py"
    path.write_text(path.read_text() + f"\n{BYPASSES['socket']}\n")
    run = project.run()
    run.require(10, "safety_violation")
    assert "importing suites/test_it.py" in run.verdict["summary"]


@pytest.mark.parametrize("fixture", ["api", "client"])
def test_our_own_clients_are_no_violation(both: Project, fixture: str) -> None:
    """They were asked already."""
    both.tests(f"""
        def test_reads({fixture}):
            one = {fixture} if "{fixture}" == "api" else {fixture}("api")
            assert one.get("/a").status_code == 200
    """)
    both.run().require(0, "all_required_passed")
