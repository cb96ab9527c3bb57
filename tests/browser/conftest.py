"""A small real server, and a real browser to look at its pages with."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from postdeploy.browser.find import Browser, find_browser
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.session import BrowserSession

MARK = f"POSTDEPLOY_TEST_RUN={os.getpid()}\0".encode()
PAGES: dict[str, str] = {
    "/ok": "<title>TalkStudio</title><h1>Hello</h1><button>PNG 저장</button><p hidden>secret</p>",
    "/console": "<title>c</title><script>console.error('boom'); setTimeout(() => { throw TypeError('late') })</script>",
    "/asset": "<title>a</title><img src='/missing.png'>",
    "/fetch": "<title>f</title><h1>x</h1><script>setTimeout(() => fetch('/slow-500'), 0)</script>",
    "/slow-title": "<title>wait</title><script>setTimeout(() => { document.title = 'ready' }, 300)</script>",
    "/busy": "<title>busy</title><script>setTimeout(() => { while (true) {} }, 50)</script>",
    "/stuck-title": "<script>Object.defineProperty(document, 'title', {get() { while (true) {} }})</script>",
    "/endless": "<title>endless</title><h1>x</h1><script>fetch('/never')</script>",
    "/half": "<title>half</title><h1>x</h1><img src='/never'>",
    "/broken-text": "<script>document.title = 'a\\ud800b'; console.error('bell \\u0007 \\udfff')</script>",
    "/onward": "<title>old</title><script>location.replace('/ok')</script>",
    "/writes": "<title>w</title><script>fetch('/ok', {method: 'POST'})</script>",
    "/socket": "<title>s</title><script>new WebSocket(location.origin.replace('http', 'ws') + '/ws')</script>",
    "/away": "<title>away</title><script>fetch('/redirect')</script>",
    "/popup": "<title>popup</title><script>window.open('/nowhere')</script>",
    "/words": "<title>w</title><script>console.error('a', 1, 2.5, true, null, undefined, {x: 1, y: 'z'}, [1, 'b']);"
    "console.error(() => 1, Symbol('s'), new Map([[1, 2]]), new Date(0).getTime());"
    "console.error(new Error('told')); console.assert(false, 'asserted'); console.warn('no')"
    "</script>",
    "/throws": "<title>t</title><script>setTimeout(() => { throw 'plain: text' }); setTimeout(() => { throw {a: 1} });"
    "setTimeout(() => { const odd = new Error('x: y'); odd.name = 'Odd'; throw odd });"
    "setTimeout(() => { Promise.reject(new RangeError('later')) }); setTimeout(() => { null.x })</script>",
    "/worker": "<title>w</title><script>new Worker('/worker.js')</script>",
    "/frame": "<title>f</title><iframe src='http://localhost:PORT/inner'></iframe>",
    "/inner": "<title>i</title><script>console.error('inside'); fetch('/ok', {method: 'POST'})</script>",
    "/opens": "<title>o</title><script>window.open('/inner')</script>",
    "/asks": "<title>asks</title><script>alert('hello'); document.title = String(confirm('sure?'))</script>",
    "/closes": "<title>c</title><script>setTimeout(() => { open('', '_self').close(); window.close() }, 50)</script>",
    "/registers": "<title>r</title><script>navigator.serviceWorker.register('/worker.js').finally(() => "
    "{ document.title = 'tried' })</script>",
    "/echo": "<title>e</title><script>const s = new WebSocket('ws://127.0.0.1:' + location.hash.slice(1), ['chat']);"
    "s.binaryType = 'arraybuffer'; s.onopen = () => s.send('hi'); s.onclose = e => { document.title += e.code };"
    "s.addEventListener('message', e => { document.title = [e.data, s.protocol, s.readyState, e.target === s, "
    "s instanceof WebSocket, ''].join(' '); s.close(4000) })</script>",
    "/many": "<title>wait</title><script>Promise.all([1, 2, 3, 4, 5, 6].map(n => fetch('/ok?' + n))).then("
    "() => { document.title = 'many' })</script>",
    "/busy-server": "<title>b</title><script>fetch('/too-many')</script>",
    "/alive": "<title>old</title><style>@keyframes a { from { opacity: 0 } } body { height: 5000px }"
    "#a { animation: a .1s } #b { transition: margin .1s } #c { position: absolute; top: 3000px }</style>"
    "<p id=a>a</p><p id=b>b</p><p id=c>c</p><canvas id=d></canvas><script>const seen = [];"
    "const see = sign => { seen.push(sign); if (seen.length === 8) document.title = seen.sort().join() };"
    "a.onanimationend = () => see('animation'); b.ontransitionend = () => see('transition');"
    "requestAnimationFrame(() => requestAnimationFrame(() => { see('frame'); b.style.marginLeft = '9px' }));"
    "new IntersectionObserver(([e], all) => { if (e.isIntersecting) { all.disconnect(); see('near') } }).observe(c);"
    "new ResizeObserver((_, all) => { all.disconnect(); see('size') }).observe(d);"
    "addEventListener('scroll', () => see('scroll'), {once: true}); scrollTo({top: 3000, behavior: 'smooth'});"
    "requestIdleCallback(() => see('idle')); if (d.getContext('webgl')) see('webgl')</script>",
    "/first": "<title>f</title><script>document.title = [history.length, document.referrer].join()</script>",
    "/flood": "<title>flood</title><script>for (let i = 0; i < 500; i++) console.error('x'.repeat(5000))</script>",
}


BARE: dict[str, tuple[int, dict[str, str]]] = {
    "/redirect": (302, {"location": "/ok"}),
    "/too-many": (429, {"retry-after": "7"}),
    "/empty": (204, {}),
}


class Site(BaseHTTPRequestHandler):
    """Answers from the table above; counts what it was asked for."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str, dict[str, str]]]] = []

    def do_GET(self) -> None:  # a table of answers
        """Answer."""
        self.asked.append((self.command, self.path, dict(self.headers)))
        if self.path == "/never":
            time.sleep(20)
        elif self.path == "/issues":
            cookie = {"set-cookie": "sid=cookie-4711-abcdef; HttpOnly", "content-type": "application/json"}
            self.answer(200, '{"token": "issued-4711-abcdef"}', cookie)
        elif self.path in BARE:
            self.answer(BARE[self.path][0], "", BARE[self.path][1])
        elif self.path == "/slow-500":
            time.sleep(0.3)
            self.answer(500, "broken")
        elif self.path == "/worker.js":
            script = "console.error('at work'); fetch('/slow-500'); fetch('/ok', {method: 'POST'})"
            self.answer(200, script, {"content-type": "text/javascript"})
        elif self.path == "/download":
            self.answer(200, "x", {"content-disposition": "attachment", "content-type": "application/zip"})
        elif self.path.partition("?")[0] in PAGES:
            page = PAGES[self.path.partition("?")[0]].replace("PORT", self.headers["host"].rpartition(":")[2])
            self.answer(200, "<!doctype html><link rel=icon href='data:,'>" + page)
        else:
            self.answer(404, "not here")

    do_POST = do_GET  # noqa: N815  # the name that http.server looks for

    def answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        """Send an answer whole."""
        content = body.encode()
        self.send_response(status)
        facts = {"content-type": "text/html; charset=utf-8", "content-length": str(len(content)), "x-release": "r1"}
        for name, value in {**facts, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """One thread for each connection; none outlives the tests."""

    daemon_threads = True

    def handle_error(self, *_args: Any) -> None:
        """A browser that goes away in mid-answer is part of these tests."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Where the server is."""
    with Server(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def asked(site: str) -> list[tuple[str, str, dict[str, str]]]:
    """What the server has been asked for since the test began."""
    Site.asked.clear()
    return Site.asked


def find() -> Browser:
    """The browser of this machine."""
    return find_browser(None, os.environ)


@pytest.fixture(scope="session")
def chromium() -> Callable[[], Browser]:
    """How a pool or a session finds its browser."""
    return find


@pytest.fixture(scope="session", params=[True, False], ids=["direct", "playwright"])
def pool(request: pytest.FixtureRequest) -> Iterator[PagePool]:
    """A pool that most tests share, for both ways to drive a browser; those that break one bring their own."""
    shared = PagePool(find, release_header="X-Release", direct=request.param)
    yield shared
    shared.close()


@pytest.fixture
def task(site: str) -> Callable[..., PageTask]:
    """Makes a task for a page of the server."""

    def make(path: str, *, timeout: float = 8.0, **facts: Any) -> PageTask:
        return PageTask(site + path, f"web:{path}", timeout, **facts)

    return make


def processes() -> dict[int, str]:
    """The browsers and drivers that this run started, by id, whoever is their parent now."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = MARK in (folder / "environ").read_bytes()
            name = (folder / "comm").read_text().strip()
        except OSError:
            continue
        if marked and ("node" in name or "chrom" in name):
            found[int(folder.name)] = name
    return found


@pytest.fixture(scope="session", autouse=True)
def marked() -> Iterator[None]:
    """Mark every process that the tests start, so that none is overlooked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSTDEPLOY_TEST_RUN", str(os.getpid()))
        yield


@pytest.fixture
def browsers() -> Callable[[], dict[int, str]]:
    """Looks for browser processes that this run started."""
    return processes


@pytest.fixture(scope="module")
def session() -> Iterator[BrowserSession]:
    """The synchronous browser that the tests of a file share; a thread can have only one, so none outlives its file."""
    shared = BrowserSession(find)
    yield shared
    shared.close()
