from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.expected import Expected, rollback
from tests.faults.project import Project
from tests.faults.raw_server import RawServer, serve_raw

FINE = b"<title>fine</title><h1>fine</h1>"
BUSY = b"<title>busy</title><script>setTimeout(() => { while (true); }, 50)</script>"
DRIVER = 10.0
"""Seconds that Playwright may take to start on a busy machine, before the time of a page begins."""

STUCK = b"<title>stuck</title><script>Object.defineProperty(document, 'title', {get() { while (true); }})</script>"

TESTS = '''
    import os
    import pathlib
    import signal
    import threading
    import time

    def kill(word):
        """Every process below this one whose command has the word."""
        below, processes = {os.getpid()}, {}
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
                processes[int(path.name)] = parent, path.joinpath("cmdline").read_bytes()
            except OSError:
                continue
        for _ in processes:
            below |= {number for number, (parent, _) in processes.items() if parent in below}
        for number in below - {os.getpid()}:
            if word in processes[number][1]:
                os.kill(number, signal.SIGKILL)

    @pytest.mark.timeout(4)
    @pytest.mark.check(repeatable=False)
    def test_1_evaluate_for_ever(page):
        page.goto("/fine")
        page.evaluate("new Promise(() => {})")

    @pytest.mark.timeout(4)
    @pytest.mark.check(repeatable=False)
    def test_2_busy_loop(page):
        page.goto("/fine")
        page.evaluate("while (true);")

    @pytest.mark.check(repeatable=False)
    def test_3_browser_killed(page):
        threading.Timer(0.5, kill, [b"--headless"]).start()
        page.goto("/fine")
        page.evaluate("new Promise(() => {})")

    @pytest.mark.check(repeatable=False)
    def test_4_driver_killed(page):
        threading.Timer(0.5, kill, [b"run-driver"]).start()
        page.goto("/fine")
        page.evaluate("new Promise(() => {})")

    def test_5_fine(page):
        page.goto("/fine")
        assert page.title() == "fine"
'''


@pytest.fixture
def raw() -> Iterator[RawServer]:
    """Give a server of two pages."""
    with serve_raw() as server:
        for path, content in (("/fine", FINE), ("/busy", BUSY), ("/stuck", STUCK)):
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            server.scripts[path] = head % len(content) + content
        yield server


@pytest.mark.row("R04", "a page, a browser or a driver that does not answer")
def test_a_stuck_browser_is_freed(alone: Project, raw: RawServer) -> None:
    """Each ends in time as failed or errored, and the next check has a browser again."""
    alone.url = raw.url
    alone.target(services=f", web: {raw.url}", policy="deadline: 1m")
    alone.suite("""
        - {name: declared busy, page: "web:/busy", timeout: 2s, expect: {title: {eq: never}}}
        - {name: declared fine, page: "web:/fine", timeout: 10s, expect: {title: fine}}
    """)
    alone.tests(TESTS)
    run = alone.run()
    run.require(Expected(("fail", "inconclusive"), None, ("rollback", "hold"), (20, 10), (20, 10)))
    outcomes = run.outcomes()
    assert outcomes.pop("test_5_fine") == "passed", run.out
    assert outcomes.pop("declared fine") == "passed", run.out
    assert set(outcomes.values()) <= {"failed", "errored"}, outcomes
    for check in run.document["checks"]:
        limit = 4 if check["name"].startswith("declared") else 6
        assert check["attempts"][0]["duration"] <= limit, check["name"]


@pytest.mark.row("R04", "a declared page on which a script of ours never returns, over DevTools and over Playwright")
def test_a_declared_page_that_never_answers_is_given_up(alone: Project, raw: RawServer) -> None:
    """Both attempts end within two seconds after their time, and the next page has a browser again."""
    alone.url = raw.url
    alone.target(services=f", web: {raw.url}", policy="deadline: 1m")
    alone.suite("""
        - {name: stuck, page: "web:/stuck", timeout: 2s, expect: {title: {eq: never}}}
        - {name: fine, page: "web:/fine", timeout: 10s, expect: {title: fine}}
    """)
    run = alone.run()
    run.require(rollback())
    found = {check["name"]: check for check in run.document["checks"]}
    assert found["fine"]["outcome"] == "passed"
    first, second = (attempt["duration"] for attempt in found["stuck"]["attempts"])
    assert first <= 4
    assert second <= 4 + DRIVER
