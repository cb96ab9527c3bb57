"""A browser that stays while runs come and go: whoever gets it finds it empty, and behind a fence of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from postdeploy.browser.loan import Loan, Said, Wish, read_loan, read_said
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.resident import ResidentBrowser
from postdeploy.domain.observation import PageObservation
from postdeploy.domain.target import Access, AccessMode, Service, Target
from postdeploy.errors import ProbeError
from postdeploy.guard.fence import CLOSED_OFF, BrowserFence
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
    return seen.title != "wait"


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


def test_it_reaches_nothing_by_itself(around: Neighbourhood) -> None:
    """A context that was given no route is cut off, also from the target."""
    around.forget()
    pool = PagePool(find, launch_arguments=CLOSED_OFF)
    try:
        with pytest.raises(ProbeError, match="proxy"):
            pool.submit(PageTask(around.home.url + "/", "web:/", 8.0)).result()
    finally:
        pool.close()
    assert around.home.seen == []


def test_nothing_that_a_page_keeps_is_seen_by_the_next_run(resident: ResidentBrowser, around: Neighbourhood) -> None:
    """Neither cookies nor any store, nor the cache, nor a service worker."""
    around.forget()
    titles = []
    for _ in range(2):
        with running(resident, around) as run:
            titles.append(run.look(task(around.home.url + "/keeps", run.fence, titled)).title)
    assert titles == ['["",0,0,0,0,0]'] * 2
    assert [seen.path for seen in around.home.seen].count("/kept") == 2


@pytest.mark.parametrize("path", ["/ok", "/console", "/asset", "/words", "/throws", "/worker", "/frame", "/asks"])
def test_it_sees_what_an_own_browser_sees(
    resident: ResidentBrowser, around: Neighbourhood, site: str, own: PagePool, path: str
) -> None:
    """All that is told of a page, but how long it took."""
    wanted = PageTask(site + path, f"web:{path}", 8.0, selectors=("h1",), texts=("title",), settled=waited(0.4))
    framed = site.removeprefix("http://").replace("127.0.0.1", "localhost")
    target = Target("t", {"web": Service("web", site)}, Access(AccessMode.READ_WRITE), third_party=(framed,))
    run = Run(resident, BrowserFence(target))
    try:
        lent, alone = (replace(each.submit(wanted).result(), duration=0.0, phases={}) for each in (run.pool, own))
    finally:
        run.close()
    assert lent == alone


@pytest.fixture(scope="module")
def own() -> Iterator[PagePool]:
    """A pool with a browser of its own."""
    pool = PagePool(find, user_agent=WISH.user_agent)
    yield pool
    pool.close()


def test_another_browser_is_wanted(resident: ResidentBrowser, around: Neighbourhood) -> None:
    """A run that wants to be called otherwise starts its own, says so, and leaves this one alone."""
    other = Wish(WISH.executable, "tests/2")
    target = Target("t", {"web": Service("web", around.home.url)}, Access(AccessMode.READ_ONLY))
    run = Run(resident, BrowserFence(target), other)
    try:
        assert run.look(task(around.home.url + "/away", run.fence, waited(0.0))).status == 200
        agents = {seen.headers["user-agent"] for seen in around.home.seen if seen.path == "/away"}
    finally:
        run.close()
    assert "tests/2" in agents
    assert run.said == Said(other, clean=False)
    assert resident.alive


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_sick_browser_costs_nothing(around: Neighbourhood, how: signal.Signals) -> None:
    """Whether it has died or does not answer: the run starts its own, and has it ended."""
    resident = ResidentBrowser(WISH)
    try:
        os.killpg(resident.lend().process, how)
        with running(resident, around) as run:
            assert run.look(task(around.home.url + "/away", run.fence, waited(0.0))).status == 200
        assert run.said == Said(WISH, clean=False)
        assert wait_until(lambda: not resident.alive)
    finally:
        resident.end()


def test_a_browser_that_dies_in_a_run_is_replaced_by_an_own_one(around: Neighbourhood) -> None:
    """And is not lent again."""
    resident = ResidentBrowser(WISH)
    try:
        with running(resident, around) as run:
            run.look(task(around.home.url + "/away", run.fence, waited(0.0)))
            os.killpg(resident.lend().process, signal.SIGKILL)
            assert run.look(task(around.home.url + "/away", run.fence, waited(0.0))).status == 200
        assert run.said == Said(WISH, clean=False)
    finally:
        resident.end()


def test_a_run_that_cannot_empty_it_ends_it(around: Neighbourhood) -> None:
    """A browser that no longer answers when it is given back is in doubt."""
    resident = ResidentBrowser(WISH)
    try:
        with running(resident, around) as run:
            run.look(task(around.home.url + "/away", run.fence, waited(0.0)))
            os.killpg(resident.lend().process, signal.SIGSTOP)
        assert run.said == Said(WISH, clean=False)
        assert wait_until(lambda: not resident.alive)
    finally:
        resident.end()


def test_it_ends_when_nobody_holds_its_pipes() -> None:
    """As when the monitor is killed, which can end nothing."""
    resident = ResidentBrowser(WISH)
    pipes = resident.lend()
    assert wait_until(lambda: resident.usage().cpu > 0 and resident.usage().memory > 0)
    os.close(pipes.reading)
    os.close(pipes.writing)
    assert wait_until(lambda: not resident.alive, 5.0)


def test_a_loan_is_for_the_process_that_has_its_pipe() -> None:
    """Whoever else finds the variable, with other files under these numbers, has none."""
    heard, telling = os.pipe()
    text = Loan(telling).text()
    assert read_loan(text) is not None
    os.dup2(os.open(os.devnull, os.O_WRONLY), telling)
    assert read_loan(text) is None
    assert read_loan("{}") is None
    os.close(heard)
    os.close(telling)


def test_what_is_no_word_of_a_run_is_nothing() -> None:
    """It may have died before it said one, or in the middle."""
    assert [read_said(content) for content in (b"", b'{"wish"', b'{"wish": null, "clean": true}\n')] == [None] * 3
