"""Both ways to drive a browser must tell the same; what Playwright tells is the measure."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from postdeploy.browser.devtools import engine, tab
from postdeploy.browser.devtools.engine import NoEngineError, engine_script
from postdeploy.browser.find import Browser
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.domain.observation import PageObservation
from postdeploy.errors import ProbeError
from tests.browser.test_look import PAGES, SELECTORS

Make = Callable[..., PageTask]
Asked = list[tuple[str, str, dict[str, str]]]
Processes = Callable[[], dict[int, str]]
Both = Callable[[PageTask], tuple[PageObservation, PageObservation]]


@pytest.fixture(scope="module")
def pools(chromium: Callable[[], Browser]) -> Iterator[tuple[PagePool, PagePool]]:
    """One that drives its browser itself, one that leaves it to Playwright."""
    shared = PagePool(chromium), PagePool(chromium, direct=False)
    yield shared
    for each in shared:
        each.close()


@pytest.fixture
def both(pools: tuple[PagePool, PagePool]) -> Both:
    """Looks at a page in both ways."""

    def look(task: PageTask) -> tuple[PageObservation, PageObservation]:
        direct, playwright = (each.submit(task) for each in pools)
        return direct.result(), playwright.result()

    return look


def plain(seen: PageObservation) -> PageObservation:
    """What must be the same whoever looked."""
    return replace(seen, duration=0.0, phases={}, release=None)


def no_writes(method: str, _url: str) -> str | None:
    """Refuse everything but reading."""
    return None if method == "GET" else f"{method} is not allowed"


def test_engine_is_where_it_was() -> None:
    """The installed Playwright keeps its selector engine where we look for it."""
    assert "InjectedScript" in engine_script()


@pytest.mark.parametrize("name", PAGES)
def test_selectors(both: Both, name: str) -> None:
    """Every selector finds the same."""
    url = "data:text/html," + quote(PAGES[name])
    direct, playwright = both(PageTask(url, "web:/", 8.0, selectors=SELECTORS, texts=SELECTORS))

    assert direct.seen == playwright.seen
    assert direct.texts == playwright.texts


@pytest.mark.parametrize(
    ("path", "errors"),
    [("/words", 4), ("/throws", 5), ("/console", 2), ("/asset", 1), ("/worker", 2), ("/frame", 1), ("/opens", 1)],
)
def test_what_goes_wrong(both: Both, task: Make, path: str, errors: int) -> None:
    """Consoles, exceptions and failed requests are told in the same words, of workers, frames and popups too."""

    def settled(seen: PageObservation) -> bool:
        return len(seen.console) >= errors

    direct, playwright = both(task(path, settled=settled))

    assert sorted(map(str, direct.console)) == sorted(map(str, playwright.console))
    assert sorted(map(str, direct.requests)) == sorted(map(str, playwright.requests))


@pytest.mark.parametrize("path", ["/asks", "/registers", "/redirect", "/onward", "/ok#part"])
def test_what_pages_do(both: Both, task: Make, path: str) -> None:
    """Dialogs are dismissed, service workers are not registered, and redirects are followed alike."""
    direct, playwright = both(task(path, texts=("",), settled=lambda seen: seen.title not in {"r", "old"}))

    assert plain(direct) == plain(playwright)


def test_nothing_stands_still(both: Both, task: Make) -> None:
    """What only goes on while pictures are made goes on: a browser may save work, but none that a page can see."""
    signs = "animation,frame,idle,near,scroll,size,transition,webgl"
    direct, playwright = both(task("/alive", settled=lambda seen: seen.title != "old"))

    assert (direct.title, playwright.title) == (signs, signs)


def test_first_document(pools: tuple[PagePool, PagePool], task: Make) -> None:
    """No empty page was there before, whose end would cost as much as half a page."""
    seen = pools[0].submit(task("/first", settled=lambda seen: seen.title != "f")).result()

    assert seen.title == "1,"


@pytest.mark.parametrize(("path", "method"), [("/worker", "POST"), ("/frame", "POST"), ("/opens", "POST")])
def test_nothing_slips_out(both: Both, task: Make, asked: Asked, path: str, method: str) -> None:
    """Workers, frames of other sites and popups are kept from what their page may not do."""
    direct, playwright = both(task(path, allowed=no_writes, settled=lambda seen: bool(seen.refusals)))

    assert [(item.method, item.refused) for item in direct.refusals] == [(method, True)]
    assert direct.refusals == playwright.refusals
    assert {asked_method for asked_method, _, _ in asked} == {"GET"}


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a WebSocket server that sends back what it is sent."""

    def answer(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in socket:
                socket.send(message)

    with serve(answer, "127.0.0.1", 0, subprotocols=["chat"]) as server:  # type: ignore[list-item]  # a str is enough
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.socket.getsockname()[1]
        server.shutdown()


@pytest.mark.parametrize("allowed", [None, no_writes])
def test_socket_that_is_allowed(both: Both, task: Make, echo: int, allowed: Callable[[str, str], str | None]) -> None:
    """A page cannot tell a socket that was asked about from one that was not."""
    wanted = task(f"/echo#{echo}", allowed=allowed, settled=lambda seen: "4000" in seen.title)
    for seen in both(wanted):
        assert seen.title == "hi chat 1 true true4000"
        assert (seen.console, seen.requests) == ((), ())


@pytest.mark.parametrize("direct", [True, False])
def test_download(pools: tuple[PagePool, PagePool], task: Make, direct: bool) -> None:
    """An address that gives a file gives no page."""
    with pytest.raises(ProbeError) as caught:
        pools[0 if direct else 1].submit(task("/download")).result()

    assert caught.value.code in {"navigation_aborted", "browser_error"}


def renderers(groups: set[int]) -> Iterator[int]:
    """The processes of these groups that show pages."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in (folder / "cmdline").read_bytes() and os.getpgid(int(folder.name)) in groups:
                yield int(folder.name)


def test_page_that_crashes(chromium: Callable[[], Browser], task: Make, asked: Asked, browsers: Processes) -> None:
    """A page whose process ends is told apart from a browser that ends."""
    before = {os.getpgid(number) for number in browsers()}
    pool = PagePool(chromium)
    pool.submit(task("/ok")).result()
    page = pool.submit(task("/half", settled=lambda _: False))
    end = time.perf_counter() + 5
    while "/never" not in [path for _, path, _ in asked] and time.perf_counter() < end:
        time.sleep(0.02)
    for number in renderers({os.getpgid(number) for number in browsers()} - before):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    with pytest.raises(ProbeError) as caught:
        page.result()
    pool.close()

    assert caught.value.code == "page_crashed"


def test_without_the_engine(
    pools: tuple[PagePool, PagePool], task: Make, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    """Where Playwright keeps its engine elsewhere, Playwright looks at the pages that need it, and at no other."""

    def missing() -> str:
        raise NoEngineError("elsewhere")

    monkeypatch.setattr(tab, "engine_script", missing)
    rare = pools[0].submit(task("/ok", selectors=("h1 >> nth=0",))).result()
    assert rare.seen == {"h1 >> nth=0": True}
    assert len(asked) == 2

    pools[0].submit(task("/ok", selectors=("h1",))).result()
    assert len(asked) == 3


def test_engine_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bundle that is missing or different is no engine."""
    monkeypatch.setattr(engine, "_BUNDLE", tmp_path / "bundle.js")
    with pytest.raises(NoEngineError):
        engine._source()
    (tmp_path / "bundle.js").write_text("source = 'something else'")
    with pytest.raises(NoEngineError, match="elsewhere"):
        engine._source()


def test_profile_goes(
    chromium: Callable[[], Browser], task: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A browser leaves no folder behind."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pool = PagePool(chromium)
    pool.submit(task("/ok")).result()
    assert list(tmp_path.glob("postdeploy-browser-*"))
    pool.close()

    assert not list(tmp_path.glob("postdeploy-browser-*"))
