"""The fence around a browser, held against every way out that we know of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Error

from postdeploy.browser.pages import PagePool
from postdeploy.browser.recorder import PageRecorder
from postdeploy.browser.session import BrowserSession
from postdeploy.browser.task import PageTask
from postdeploy.browser.toll import Rules
from postdeploy.domain.target import Access, AccessMode, Service, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.fence import BrowserFence
from tests.browser.conftest import find
from tests.browser.vectors import VECTORS, Neighbourhood


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    """Servers."""
    servers = Neighbourhood()
    yield servers
    servers.close()


def visit(around: Neighbourhood, fence: BrowserFence | None) -> PageRecorder:
    """Go to the page that tries everything, then leave it."""
    around.forget()
    recorder = PageRecorder()
    session = BrowserSession(find, launch_arguments=fence.arguments() if fence else ())
    try:
        context = session.open_context(
            around.home.url,
            recorder=recorder,
            rules=Rules(fence.refusal, fence.routed, fence.sealed, fence.pace) if fence else None,
        )
        page = context.new_page()
        page.goto("/")
        page.wait_for_timeout(800)
        page.goto("/away")
        page.wait_for_timeout(400)
        for send in (context.request.post, page.request.delete):
            try:
                send(f"{around.evil.url}/direct")
            except (GuardRefusalError, Error):
                continue
    finally:
        session.close()
        if fence:
            fence.close()
    return recorder


def target(around: Neighbourhood, mode: AccessMode, **facts: object) -> Target:
    """The target of these tests."""
    return Target("t", {"web": Service("web", around.home.url)}, Access(mode), **facts)  # type: ignore[arg-type]


def test_the_vectors_are_real(around: Neighbourhood) -> None:
    """Without a fence all but one (service workers are blocked anyway) reach the other host, so the test can fail."""
    visit(around, None)
    silent = {*VECTORS, "direct"} - around.reached() - {"preconnect"}
    assert silent <= {"service-worker"}, silent
    assert around.packets
    assert around.written()


@pytest.mark.parametrize("mode", list(AccessMode))
def test_no_vector_reaches_another_host(around: Neighbourhood, mode: AccessMode) -> None:
    """Neither a request, nor a connection, nor a packet, whatever the target's access."""
    recorder = visit(around, BrowserFence(target(around, mode)))
    assert around.reached() == set()
    assert (around.evil.connections, around.packets) == (0, 0)
    assert {"img", "websocket"} <= {item.url.rsplit("/", 1)[1] for item in recorder.refusals}


def test_nothing_is_written_to_a_read_only_target(around: Neighbourhood) -> None:
    """Not by beacons when the page goes, nor by shared workers."""
    visit(around, BrowserFence(target(around, AccessMode.READ_ONLY)))
    assert around.written() == []


def test_a_listed_third_party_may_be_used(around: Neighbourhood) -> None:
    """Others are refused with the line that would allow them."""
    host = around.evil.url.removeprefix("http://")
    recorder = visit(around, BrowserFence(target(around, AccessMode.READ_ONLY, third_party=(host,))))
    assert {"img", "fetch-redirect"} <= around.reached()
    assert not [seen for seen in around.evil.seen if seen.method not in {"GET", "HEAD"}]
    assert not [item for item in recorder.refusals if "third_party" in item.reason]


def test_what_was_refused_names_the_way_out(around: Neighbourhood) -> None:
    """So that people know which line to add."""
    recorder = visit(around, BrowserFence(target(around, AccessMode.READ_WRITE)))
    host = around.evil.url.removeprefix("http://")
    assert any(f'third_party: ["{host}"]' in item.reason for item in recorder.refusals)
    assert recorder.console == ()


@pytest.mark.parametrize("direct", [True, False], ids=["devtools", "playwright"])
@pytest.mark.parametrize("mode", list(AccessMode))
def test_nor_does_a_page_of_a_declared_check(around: Neighbourhood, mode: AccessMode, direct: bool) -> None:
    """By either driver; and what was refused does not count against a page that is as expected."""
    around.forget()
    fence = BrowserFence(target(around, mode))
    pool = PagePool(find, launch_arguments=fence.arguments(), direct=direct)
    try:
        task = PageTask(
            around.home.url + "/",
            "web:/",
            10,
            settled=_waited(0.8),
            allowed=fence.refusal,
            routed=fence.routed,
            sealed=fence.sealed,
            pace=fence.pace,
        )
        seen = pool.submit(task).result()
    finally:
        pool.close()
        fence.close()
    assert around.reached() == set()
    assert (around.evil.connections, around.packets) == (0, 0)
    assert {"img", "websocket"} <= {item.url.rsplit("/", 1)[1] for item in seen.refusals}
    assert seen.subject("console") == ()
    assert mode is AccessMode.READ_WRITE or around.written() == []


def _waited(seconds: float) -> Callable[[object], bool]:
    begun = time.monotonic()
    return lambda _seen: time.monotonic() - begun > seconds
