"""A browser that stays while runs come and go: whoever gets it finds it empty, and behind a fence of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from postdeploy.browser.loan import Loan, Said, Wish, read_loan, read_said
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.resident import ResidentBrowser
from postdeploy.domain.observation import PageObservation
from postdeploy.domain.target import Access, AccessMode, Service, Target
from postdeploy.guard.fence import BrowserFence
from tests.browser.conftest import find
from tests.browser.test_pool_life import wait_until
from tests.browser.vectors import Neighbourhood

WISH = Wish(str(find().executable), "tests/1")
KEEPS = """<title>wait</title><script>
const told = [document.cookie, localStorage.length, sessionStorage.length];
document.cookie = 'seen=1; max-age=9999'; localStorage.seen = '1'; sessionStorage.seen = '1';
(async () => {
  const stores = await caches.keys(), bases = await indexedDB.databases();
  const workers = await navigator.serviceWorker.getRegistrations();
  await caches.open('seen'); indexedDB.open('seen');
  await fetch('/kept');
  document.title = JSON.stringify([...told, stores.length, bases.length, workers.length]);
})();
</script>"""


class Run:
    """What a run does with its loan: ``said`` is what the monitor hears of it."""

    def __init__(self, resident: ResidentBrowser, fence: BrowserFence, wish: Wish = WISH) -> None:
        self._heard, self._telling = os.pipe()
        os.set_blocking(self._heard, False)
        self.fence = fence
        lent = Loan(self._telling, resident.wish, resident.lend())
        self.pool = PagePool(
            find,
            user_agent=wish.user_agent,
            launch_arguments=fence.arguments(),
            loan=read_loan(lent.text()),
            route=fence.route(),
        )

    def look(self, task: PageTask) -> PageObservation:
        """Visit a page."""
        return self.pool.submit(task).result()

    @property
    def said(self) -> Said | None:
        """The last word."""
        try:
            return read_said(os.read(self._heard, 4096))
        except BlockingIOError:
            return None

    def close(self) -> None:
        """It is over; what it has said can be read yet."""
        self.pool.close()
        self.fence.close()


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    """Servers."""
    servers = Neighbourhood()
    from tests.web_server import respond

    servers.home.script("/keeps", respond(body="<link rel=icon href='data:,'>" + KEEPS, content_type="text/html"))
    servers.home.script("/kept", respond(body="x", content_type="text/plain", cache_control="max-age=9999"))
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def resident() -> Iterator[ResidentBrowser]:
    """One that is lent to all tests but those that end it."""
    browser = ResidentBrowser(WISH)
    yield browser
    browser.end()


@contextmanager
def running(
    resident: ResidentBrowser, around: Neighbourhood, mode: AccessMode = AccessMode.READ_WRITE, *allowed: str
) -> Iterator[Run]:
    """A run against the target of these tests."""
    target = Target("t", {"web": Service("web", around.home.url)}, Access(mode), third_party=allowed)
    run = Run(resident, BrowserFence(target))
    try:
        yield run
    finally:
        run.close()


def task(url: str, fence: BrowserFence, settled: Callable[[PageObservation], bool]) -> PageTask:
    """A guarded look at a page."""
    return PageTask(
        url,
        "web:/",
        10,
        settled=settled,
        allowed=fence.refusal,
        routed=fence.routed,
        sealed=fence.sealed,
        pace=fence.pace,
    )


def waited(seconds: float) -> Callable[[object], bool]:
    """Settles a page after this time."""
    begun = time.monotonic()
    return lambda _seen: time.monotonic() - begun > seconds


def attack(run: Run, around: Neighbourhood) -> PageObservation:
    """Go to the page that tries every way out."""
    around.forget()
    return run.look(task(around.home.url + "/", run.fence, waited(0.8)))


def titled(seen: PageObservation) -> bool:
    """Whether the page is ready."""
    return "title" in seen.subjects() and seen.subject("title") != "wait"


def test_each_run_has_the_fence_of_its_own_target(resident: ResidentBrowser, around: Neighbourhood) -> None:
    """A host that one run may ask is out of reach for the next, by every way out, in the same browser."""
    with running(resident, around, AccessMode.READ_WRITE, around.evil.url.removeprefix("http://")) as first:
        attack(first, around)
        assert {"img", "fetch-post", "websocket"} <= around.reached()
    for mode in AccessMode:
        with running(resident, around, mode) as second:
            seen = attack(second, around)
        assert (around.reached(), around.evil.connections, around.packets) == (set(), 0, 0)
        assert {"img", "websocket"} <= {item.url.rsplit("/", 1)[1] for item in seen.refusals}
        assert mode is AccessMode.READ_WRITE or around.written() == []
        assert second.said == Said(WISH, clean=True)
    assert resident.alive
