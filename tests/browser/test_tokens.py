"""Credentials that pages are given at run time are known from then on, whoever drives the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.recorder import PageRecorder
from postdeploy.browser.session import BrowserSession
from postdeploy.domain.redaction import Redactor
from postdeploy.errors import ProbeError
from tests.browser.conftest import PAGES, find

PAGES["/login"] = (
    "<title>wait</title><script>localStorage.setItem('access_token', 'stored-4711-abcdef');"
    "fetch('/issues', {method: 'POST'}).then(r => r.json()).then(() => { document.title = 'in' })</script>"
)
EXPECTED = {"stored-4711-abcdef", "issued-4711-abcdef", "cookie-4711-abcdef"}


@pytest.mark.parametrize("way", ["devtools", "playwright", "test"])
def test_tokens_are_learnt(way: str, site: str, session: BrowserSession, tmp_path: Path) -> None:
    """From the answer to a login, from its cookies, and from what the page keeps."""
    redactor = Redactor()
    visit: dict[str, Callable[[], None]] = {
        "test": lambda: _test(session, site, redactor, tmp_path),
        "devtools": lambda: _declared(site, redactor, tmp_path, direct=True),
        "playwright": lambda: _declared(site, redactor, tmp_path, direct=False),
    }
    visit[way]()
    assert {secret.reveal() for secret in redactor.known} == EXPECTED


def _test(session: BrowserSession, site: str, redactor: Redactor, folder: Path) -> None:
    recorder = PageRecorder(redactor=redactor)
    context = session.open_context(site, recorder=recorder)
    page = context.new_page()
    page.goto("/login")
    page.wait_for_function("document.title === 'in'")
    recorder.keep(folder)
    context.close()


def _declared(site: str, redactor: Redactor, folder: Path, *, direct: bool) -> None:
    pool = PagePool(find, direct=direct)
    task = PageTask(site + "/login", "web:/", 1.5, evidence=folder, settled=lambda _seen: False, redactor=redactor)
    try:
        pool.submit(task).result(20)
    except ProbeError:
        pass
    finally:
        pool.close()
