from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.browser.find import Browser
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.domain.observation import PageObservation
from postdeploy.errors import GuardRefusalError, ProbeError

Make = Callable[..., PageTask]
Asked = list[tuple[str, str, dict[str, str]]]
BUTTON = "role=button[name='PNG 저장']"


def test_page_that_is_well(pool: PagePool, task: Make) -> None:
    """A page is observed with its status, title, address, release and phases."""
    seen = pool.submit(task("/ok")).result()

    assert (seen.status, seen.title, seen.release, seen.place) == (200, "TalkStudio", "r1", "web:/ok")
    assert seen.url.endswith("/ok")
    assert (seen.console, seen.requests, seen.evidence) == ((), (), ())
    assert {"first_byte", "dom", "load"} <= seen.phases.keys()
    assert all(0 <= seconds < 5 for seconds in seen.phases.values())
    assert seen.duration > 0


def test_what_is_visible(pool: PagePool, task: Make) -> None:
    """Of each selector it is said whether anything visible matches."""
    selectors = (
        BUTTON,
        "h1",
        "p",
        "text=hello",
        "role=button[name='nothing']",
        "h1 >> nth=1",
        "button:has-text('PNG')",
    )

    seen = pool.submit(task("/ok", selectors=selectors)).result().seen

    assert list(seen.values()) == [True, True, False, True, False, False, True]
    assert tuple(seen) == selectors


def test_texts(pool: PagePool, task: Make) -> None:
    """Texts are those of the first match, and of the whole page where an empty selector asks for it."""
    seen = pool.submit(task("/ok", texts=("h1", "text=PNG", "h6", ""))).result()

    assert seen.texts == {"h1": "Hello", "text=PNG": "PNG 저장"}
    assert seen.body_text.split() == ["Hello", "PNG", "저장"]


def test_selector_that_cannot_be(pool: PagePool, task: Make) -> None:
    """A selector with an error in it is our fault, and named."""
    with pytest.raises(ProbeError, match=r"'h1\[\[' is not a selector") as caught:
        pool.submit(task("/ok", selectors=("h1[[",))).result()

    assert (caught.value.code, caught.value.target_fault) == ("selector_invalid", False)


def test_console_errors(pool: PagePool, task: Make) -> None:
    """Console errors and uncaught exceptions are told with their place."""
    seen = pool.submit(task("/console", settled=lambda page: len(page.console) > 1)).result()

    assert [message.text for message in seen.console] == ["boom", "Uncaught TypeError: late"]
    assert all("/console:1:" in message.where for message in seen.console)


def test_missing_asset(pool: PagePool, task: Make) -> None:
    """A part of a page that answers 404 is a failed request and a console error."""
    seen = pool.submit(task("/asset")).result()

    assert [(request.method, request.reason) for request in seen.requests] == [("GET", "HTTP 404")]
    assert seen.requests[0].url.endswith("/missing.png")
    assert "404" in seen.console[0].text


def test_late_failure_is_waited_for(pool: PagePool, task: Make) -> None:
    """A page whose request is still on its way is not clean yet."""
    seen = pool.submit(task("/fetch")).result()

    assert [request.reason for request in seen.requests] == ["HTTP 500"]


def test_endless_request_is_not_waited_for(pool: PagePool, task: Make) -> None:
    """A page that polls for ever settles after a while, and is clean."""
    seen = pool.submit(task("/endless")).result()

    assert seen.requests == ()
    assert 2 <= seen.duration < 4


def test_page_that_never_finishes_loading(pool: PagePool, task: Make) -> None:
    """A part that never comes is a failed request once the time is over; what is there is observed all the same."""
    seen = pool.submit(task("/half", timeout=1.0, selectors=("h1",))).result()

    assert [request.reason for request in seen.requests] == ["no answer yet"]
    assert seen.seen == {"h1": True}


def test_expectations_are_awaited(pool: PagePool, task: Make) -> None:
    """Looking goes on until the observation is the wanted one."""
    seen = pool.submit(task("/slow-title", settled=lambda page: page.title == "ready")).result()

    assert seen.title == "ready"
    assert 0.3 <= seen.duration < 2


def test_what_never_settles(pool: PagePool, task: Make, tmp_path: Path) -> None:
    """When the time is over the last observation is returned, with a screenshot, a trace and the logs."""
    folder = tmp_path / "evidence"

    seen = pool.submit(task("/console", timeout=1.0, settled=lambda _: False, evidence=folder, trace=True)).result()

    assert seen.title == "c"
    assert seen.evidence == tuple(str(folder / name) for name in ("screenshot.png", "trace.zip", "console.txt"))
    assert (folder / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "trace.zip").read_bytes().startswith(b"PK")
    assert "boom" in (folder / "console.txt").read_text()


def test_nothing_is_kept_of_a_page_that_is_well(pool: PagePool, task: Make, tmp_path: Path) -> None:
    """A page that settles leaves no files."""
    seen = pool.submit(task("/ok", evidence=tmp_path / "evidence", trace=True)).result()

    assert seen.evidence == ()
    assert not (tmp_path / "evidence").exists()


def test_error_page(pool: PagePool, task: Make) -> None:
    """A page that answers 404 is observed, not an error."""
    seen = pool.submit(task("/nowhere")).result()

    assert (seen.status, [request.reason for request in seen.requests]) == (404, ["HTTP 404"])


@pytest.mark.parametrize("path", ["/redirect", "/onward"])
def test_redirects_are_followed(pool: PagePool, task: Make, path: str) -> None:
    """The page that is observed is the one where a redirect, of the server or of a script, leads."""
    seen = pool.submit(task(path, settled=lambda page: page.title == "TalkStudio")).result()

    assert (seen.status, seen.url.rsplit("/", 1)[1]) == (200, "ok")


def test_text_that_is_no_text(pool: PagePool, task: Make) -> None:
    """Lone surrogates and control characters are escaped."""
    seen = pool.submit(task("/broken-text")).result()

    assert "\\u" in seen.title or "\ufffd" in seen.title
    (seen.title + seen.console[0].text).encode()
    assert "\\x07" in seen.console[0].text


def test_flood(pool: PagePool, task: Make) -> None:
    """What a page can make us keep is bounded."""
    seen = pool.submit(task("/flood")).result()

    assert len(seen.console) == 100
    assert max(len(message.text) for message in seen.console) <= 2001


def test_headers(pool: PagePool, task: Make, asked: Asked) -> None:
    """Headers of the task go with each request."""
    pool.submit(task("/asset", headers={"x-check": "a"})).result()

    assert [headers.get("x-check") for _, _, headers in asked] == ["a", "a"]


def test_user_agent(chromium: Callable[[], Browser], task: Make, asked: Asked) -> None:
    """The browser calls itself as it was told to."""
    pool = PagePool(chromium, user_agent="postdeploy/1")
    pool.submit(task("/ok")).result()
    pool.close()

    assert asked[0][2]["User-Agent"] == "postdeploy/1"


def no_writes(method: str, _url: str) -> str | None:
    """Refuse everything but GET."""
    return None if method == "GET" else f"{method} is not allowed"


def test_refused_request(pool: PagePool, task: Make, asked: Asked) -> None:
    """A request that is not allowed never leaves, and the reason is told."""
    seen = pool.submit(task("/writes", allowed=no_writes)).result()

    assert [(request.method, request.reason) for request in seen.requests] == [("POST", "POST is not allowed")]
    assert {method for method, _, _ in asked} == {"GET"}


def test_refused_page(pool: PagePool, task: Make, asked: Asked) -> None:
    """A page that itself is not allowed is a refusal, not a failure of the target."""
    with pytest.raises(GuardRefusalError, match="not here"):
        pool.submit(task("/ok", allowed=lambda _method, _url: "not here")).result()

    assert asked == []


def test_refused_socket(pool: PagePool, task: Make, asked: Asked) -> None:
    """A WebSocket that is not allowed is never opened."""
    observation = pool.submit(
        task("/socket", allowed=lambda _, url: "no sockets" if url.startswith("ws") else None, settled=has_failed)
    ).result()

    assert [request.reason for request in observation.requests] == ["no sockets"]
    assert [path for _, path, _ in asked] == ["/socket"]


def test_redirect_that_is_not_allowed(pool: PagePool, task: Make) -> None:
    """A redirect cannot be stopped, but where it led is told."""
    seen = pool.submit(task("/away", allowed=lambda _, url: "not there" if url.endswith("/ok") else None)).result()

    assert [request.reason for request in seen.requests] == ["not there (sent by a redirect)"]


def test_popup(pool: PagePool, task: Make) -> None:
    """A page that opens another one is still the page that was asked for; errors of both count."""
    seen = pool.submit(task("/popup", settled=has_failed)).result()

    assert (seen.status, seen.title) == (200, "popup")
    assert [request.reason for request in seen.requests] == ["HTTP 404"]


def has_failed(page: PageObservation) -> bool:
    """Whether any request of the page failed."""
    return bool(page.requests)


def test_nobody_listens(pool: PagePool, tmp_path: Path) -> None:
    """A refused connection is the target's fault."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ProbeError) as caught:
        pool.submit(PageTask(f"http://127.0.0.1:{port}/", "web:/", 5.0, evidence=tmp_path)).result()

    assert (caught.value.code, caught.value.target_fault) == ("connection_refused", True)


@pytest.mark.parametrize(
    ("url", "code", "fault"),
    [
        ("http://nowhere.invalid/", "dns_not_found", True),
        ("http://127.0.0.1:9/", "unsafe_port", False),
    ],
)
def test_navigation_errors(pool: PagePool, url: str, code: str, fault: bool) -> None:
    """What a browser says about an address becomes a stable code, and says whose fault it is."""
    with pytest.raises(ProbeError) as caught:
        pool.submit(PageTask(url, "web:/", 5.0)).result()

    assert (caught.value.code, caught.value.target_fault) == (code, fault)


def test_no_page(pool: PagePool, task: Make) -> None:
    """An answer without content gives no page."""
    with pytest.raises(ProbeError) as caught:
        pool.submit(task("/empty")).result()

    assert caught.value.code == "navigation_aborted"


def test_no_answer(pool: PagePool, task: Make) -> None:
    """A server that accepts and never answers has its deadline."""
    started = time.perf_counter()
    with pytest.raises(ProbeError, match="did not answer within 1 s; still waiting for GET") as caught:
        pool.submit(task("/never", timeout=1.0)).result()

    assert (caught.value.code, caught.value.target_fault) == ("timeout", True)
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize("path", ["/busy", "/stuck-title"])
def test_page_that_hangs(pool: PagePool, task: Make, path: str, tmp_path: Path) -> None:
    """A page that never gives the browser back has its deadline and two seconds, and leaves the others alone."""
    started = time.perf_counter()
    stuck = pool.submit(task(path, timeout=1.0, settled=lambda _: False, evidence=tmp_path))
    other = pool.submit(task("/slow-title", settled=lambda page: page.title == "ready"))
    error = stuck.exception()

    assert time.perf_counter() - started < 3.2
    assert error is None or str(error).endswith("did not respond to the browser within 1 s")
    assert other.result().title == "ready"
