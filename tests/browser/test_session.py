from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Error

from postdeploy.browser.find import Browser
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.recorder import PageRecorder
from postdeploy.browser.session import BrowserSession
from postdeploy.browser.toll import Rules
from postdeploy.errors import BrowserUnavailableError, GuardRefusalError

Asked = list[tuple[str, str, dict[str, str]]]


def no_writes(method: str, _url: str) -> str | None:
    """Refuse everything but GET."""
    return None if method == "GET" else f"{method} is not allowed"


def test_context(session: BrowserSession, site: str, asked: Asked) -> None:
    """A context has the base address, the identity and whatever else the test asks for."""
    context = session.open_context(
        site,
        user_agent="postdeploy/1",
        extra_http_headers={"x-run": "7"},
        locale="ko-KR",
        viewport={"width": 400, "height": 300},
    )
    page = context.new_page()
    page.goto("/ok")

    assert page.title() == "TalkStudio"
    assert page.evaluate("[navigator.language, innerWidth]") == ["ko-KR", 400]
    assert (asked[0][2]["User-Agent"], asked[0][2]["x-run"]) == ("postdeploy/1", "7")
    context.close()


def test_storage_state(session: BrowserSession, site: str, asked: Asked) -> None:
    """A context may start with the cookies of an earlier one."""
    cookie = {"name": "sid", "value": "1", "url": site}
    first = session.open_context(site)
    first.add_cookies([cookie])  # type: ignore[list-item]  # three of the keys of a TypedDict
    second = session.open_context(site, storage_state=first.storage_state())
    second.new_page().goto("/ok")

    assert asked[0][2]["Cookie"] == "sid=1"
    first.close()
    second.close()


def test_recording(session: BrowserSession, site: str, tmp_path: Path) -> None:
    """Errors of all pages are findings, answers are counted, and a failing test keeps what explains it."""
    recorder = PageRecorder(trace=True, release_header="x-release", counts=lambda url: url.startswith(site))
    context = session.open_context(site, recorder=recorder)
    context.new_page().goto("/console")
    with context.expect_page() as popup:
        context.pages[0].evaluate("window.open('/asset')")
    popup.value.wait_for_load_state()
    paths = recorder.keep(tmp_path / "kept")
    context.close()

    assert [message.text for message in recorder.console[:2]] == ["boom", "Uncaught TypeError: late"]
    assert [request.reason for request in recorder.requests] == ["HTTP 404"]
    assert {finding.subject for finding in recorder.findings()} == {"console", "requests"}
    assert (recorder.exchanges, recorder.releases) == (3, {"r1": 3})
    assert [Path(path).name for path in paths] == ["screenshot.png", "trace.zip", "console.txt", "requests.txt"]
    assert all(Path(path).stat().st_size for path in paths)


def test_expected_errors(session: BrowserSession, site: str) -> None:
    """Errors that a test expects are no findings."""
    recorder = PageRecorder()
    context = session.open_context(site, recorder=recorder)
    context.new_page().goto("/asset")
    recorder.allow_console("404")
    recorder.allow_requests(r"GET .*/missing\.png: HTTP 404")
    context.close()

    assert recorder.findings() == ()


def test_nothing_is_kept(session: BrowserSession, site: str, tmp_path: Path) -> None:
    """A test that passed leaves no files, even if it was traced."""
    recorder = PageRecorder(trace=True)
    context = session.open_context(site, recorder=recorder)
    context.new_page().goto("/ok")
    recorder.discard()
    context.close()

    assert list(tmp_path.iterdir()) == []


def test_refused(session: BrowserSession, site: str, asked: Asked) -> None:
    """Neither pages nor the client beside them send what is not allowed."""
    recorder = PageRecorder()
    context = session.open_context(site, recorder=recorder, rules=Rules(no_writes))
    page = context.new_page()
    page.goto("/writes")
    page.wait_for_timeout(100)
    for send in (context.request.post, page.request.delete):
        with pytest.raises(GuardRefusalError, match="is not allowed"):
            send("/ok")
    with pytest.raises(GuardRefusalError, match="PUT"):
        page.request.fetch("/ok", method="PUT")

    assert page.request.get("/ok").status == 200
    assert [request.reason for request in recorder.refusals] == ["POST is not allowed"]
    assert {method for method, _, _ in asked} == {"GET"}
    assert recorder.exchanges == 2
    context.close()


def test_call_that_never_returns(chromium: Callable[[], Browser], session: BrowserSession, site: str) -> None:
    """Killing the browser from another thread frees a test that hangs; the next one gets a fresh browser."""
    page = session.open_context(site).new_page()
    timer = threading.Timer(0.5, session.kill)
    timer.start()
    started = time.perf_counter()
    with pytest.raises(Error):
        page.evaluate("while (true) {}")

    assert time.perf_counter() - started < 2
    assert session.open_context(site).new_page().goto("/ok") is not None


def test_driver_that_ends(session: BrowserSession, site: str, browsers: Callable[[], dict[int, str]]) -> None:
    """A session whose driver was killed starts again."""
    before = browsers()
    session.open_context(site).close()
    drivers = [pid for pid, name in browsers().items() if "node" in name]
    assert drivers, before
    for pid in drivers:
        os.kill(pid, signal.SIGKILL)
    context = session.open_context(site)

    assert context.new_page().goto("/ok") is not None
    context.close()


def test_beside_a_pool(session: BrowserSession, chromium: Callable[[], Browser], site: str) -> None:
    """The loop that the synchronous API leaves on this thread does not disturb a pool, nor the other way round."""
    context = session.open_context(site)
    page = context.new_page()
    pool = PagePool(chromium)
    future = pool.submit(PageTask(site + "/ok", "web:/ok", 5.0))
    page.goto("/ok")

    assert future.result().title == page.title() == "TalkStudio"
    pool.close()
    context.close()


def test_playwright_that_runs_already(session: BrowserSession, site: str, chromium: Callable[[], Browser]) -> None:
    """A session may use the Playwright that this thread has, and leaves it running."""
    guest = BrowserSession(chromium, playwright=session.playwright)
    guest.open_context(site).new_page().goto("/ok")
    guest.close()

    assert session.open_context(site).new_page().goto("/ok") is not None


def test_browser_that_does_not_start(session: BrowserSession) -> None:
    """A browser that cannot be started is unavailable, with the command that installs one."""
    broken = BrowserSession(lambda: Browser(Path("/bin/false"), "false", "setting"), playwright=session.playwright)
    with pytest.raises(BrowserUnavailableError, match=r"/bin/false did not start.*install one with"):
        broken.open_context()


def test_no_browser() -> None:
    """What the search says about a missing browser reaches the test, before Playwright is asked for anything."""

    def missing() -> Browser:
        raise BrowserUnavailableError("install one")

    with pytest.raises(BrowserUnavailableError, match="install one"):
        BrowserSession(missing).open_context()
    with pytest.raises(BrowserUnavailableError, match="install one"):
        _ = BrowserSession(missing).playwright


def test_clients_of_no_context_are_refused(session: BrowserSession) -> None:
    """Nobody could ask about what they send."""
    with pytest.raises(GuardRefusalError, match=r"use context\.request"):
        session.playwright.request.new_context()
