from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from postdeploy.browser.find import Browser
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.errors import BrowserUnavailableError, ProbeError

Make = Callable[..., PageTask]
Find = Callable[[], Browser]
Asked = list[tuple[str, str, dict[str, str]]]
Processes = Callable[[], dict[int, str]]


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it holds within these seconds."""
    end = time.perf_counter() + seconds
    while not holds() and time.perf_counter() < end:
        time.sleep(0.02)
    return holds()


def end(browsers: Processes, before: dict[int, str], name: str, how: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to the processes of this name that were not there before."""
    for pid, found in browsers().items():
        if pid not in before and name in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)


def test_nothing_starts_by_itself(chromium: Find, browsers: Processes) -> None:
    """A pool that nobody uses starts nothing, and may be closed."""
    before = browsers()
    pool = PagePool(chromium)

    assert browsers() == before
    pool.close()


def test_warm(chromium: Find, task: Make, browsers: Processes) -> None:
    """Warming starts the browser in the background."""
    before = browsers()
    pool = PagePool(chromium)
    started = time.perf_counter()
    pool.warm()

    assert time.perf_counter() - started < 0.1
    assert wait_until(lambda: len(browsers().keys() - before.keys()) > 2)
    assert pool.submit(task("/ok")).result().status == 200
    pool.close()


def test_close_ends_everything(chromium: Find, task: Make, browsers: Processes) -> None:
    """After closing there is no browser and no driver, and what was asked for later is refused."""
    before = browsers()
    pool = PagePool(chromium)
    pool.submit(task("/ok")).result()
    started = time.perf_counter()
    pool.close()

    assert time.perf_counter() - started < 2
    assert wait_until(lambda: browsers().keys() <= before.keys(), 1.0)
    with pytest.raises(ProbeError, match="was closed"):
        pool.submit(task("/ok")).result()
    pool.close()


def test_close_gives_up_what_is_under_way(chromium: Find, task: Make, browsers: Processes) -> None:
    """Closing waits neither for pages that hang nor for those that wait for their turn."""
    before = browsers()
    pool = PagePool(chromium, concurrency=1)
    pages = [pool.submit(task(path, settled=lambda _: False)) for path in ("/busy", "/never", "/ok")]
    assert wait_until(lambda: len(browsers().keys() - before.keys()) > 2)
    time.sleep(0.5)
    started = time.perf_counter()
    pool.close()

    assert time.perf_counter() - started < 2
    for page in pages:
        with pytest.raises((ProbeError, CancelledError)):
            page.result(timeout=1)
    assert wait_until(lambda: browsers().keys() <= before.keys(), 1.0)


def test_close_while_the_browser_starts(chromium: Find, browsers: Processes) -> None:
    """A browser that is being started when the pool closes does not outlive it."""
    before = browsers()
    pool = PagePool(chromium)
    pool.warm()
    time.sleep(0.3)
    pool.close()

    assert wait_until(lambda: browsers().keys() <= before.keys())


@pytest.mark.parametrize("victim", ["chrom", "node"])
def test_killed_browser(chromium: Find, task: Make, browsers: Processes, asked: Asked, victim: str) -> None:
    """When browser or driver is killed, pages are looked at again in a fresh one."""
    before = browsers()
    pool = PagePool(chromium)
    page = pool.submit(task("/slow-title", settled=lambda page: page.title == "ready"))
    assert wait_until(lambda: bool(asked))
    end(browsers, before, victim)

    assert page.result(timeout=8).title == "ready"
    assert pool.submit(task("/ok")).result(timeout=8).status == 200
    pool.close()
    assert wait_until(lambda: browsers().keys() <= before.keys(), 1.0)


def test_browser_that_ends_again_and_again(chromium: Find, task: Make, browsers: Processes, asked: Asked) -> None:
    """A browser that ends twice under a page is our fault, and says so."""
    before = browsers()
    pool = PagePool(chromium)
    page = pool.submit(task("/never"))
    while not page.done():
        if asked:
            end(browsers, before, "chrom")
            asked.clear()
        time.sleep(0.05)

    with pytest.raises(ProbeError) as caught:
        page.result()
    pool.close()

    assert (caught.value.code, caught.value.target_fault) == ("browser_crashed", False)


def test_browser_that_freezes(chromium: Find, task: Make, browsers: Processes, asked: Asked) -> None:
    """A browser that stops responding is not the target's fault, and gets no longer than a slow page."""
    before = browsers()
    pool = PagePool(chromium)
    page = pool.submit(task("/never", timeout=1.0))
    assert wait_until(lambda: bool(asked))
    end(browsers, before, "chrom", signal.SIGSTOP)
    with pytest.raises(ProbeError) as caught:
        page.result(timeout=8)
    pool.close()

    assert caught.value.code == "timeout"  # of the second look, in a fresh browser
    assert len(asked) == 2
    assert wait_until(lambda: browsers().keys() <= before.keys(), 1.0)


def test_browser_that_does_not_start(task: Make) -> None:
    """A browser that cannot be started is unavailable, for each page and without further tries after two."""
    calls: list[int] = []

    def broken() -> Browser:
        calls.append(1)
        return Browser(Path("/bin/false"), "false", "setting")

    pool = PagePool(broken)
    for _ in range(4):
        with pytest.raises(BrowserUnavailableError, match="/bin/false did not start"):
            pool.submit(task("/ok")).result(timeout=10)
    pool.close()

    assert len(calls) == 2


def test_no_browser(task: Make) -> None:
    """What the search says about a missing browser reaches whoever waits for a page."""

    def missing() -> Browser:
        raise BrowserUnavailableError("no browser was found; install one")

    pool = PagePool(missing)
    with pytest.raises(BrowserUnavailableError, match="install one"):
        pool.submit(task("/ok")).result(timeout=5)
    pool.close()


def test_several_at_a_time(chromium: Find, task: Make) -> None:
    """Pages wait side by side, not one after the other."""
    pool = PagePool(chromium)
    pool.submit(task("/ok")).result()
    started = time.perf_counter()
    pages = [pool.submit(task("/never", timeout=1.0)) for _ in range(4)]
    errors = [page.exception() for page in pages]
    pool.close()

    assert {getattr(error, "code", None) for error in errors} == {"timeout"}
    assert time.perf_counter() - started < 3


SCRIPT = """
    import os, sys
    from postdeploy.browser.find import find_browser
    from postdeploy.browser.pages import PagePool, PageTask
    pool = PagePool(lambda: find_browser(None, os.environ))
    print(pool.submit(PageTask({url!r}, "web:/", 8.0)).result().title, flush=True)
    pool.submit(PageTask({never!r}, "web:/", 8.0))
    {end}
"""


@pytest.mark.parametrize("how", ["raise SystemExit(3)", "os._exit(9)", "os.kill(os.getpid(), 9)"])
def test_interpreter_that_ends(site: str, browsers: Processes, how: str) -> None:
    """However the interpreter ends without closing the pool, it ends soon and leaves no process behind."""
    script = textwrap.dedent(SCRIPT.format(url=site + "/ok", never=site + "/never", end=how))
    before = browsers()
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=15, check=False)

    assert process.stdout == "TalkStudio\n"
    assert process.stderr == ""
    assert wait_until(lambda: browsers().keys() <= before.keys())
