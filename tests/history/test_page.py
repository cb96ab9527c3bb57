from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from postdeploy.browser.find import find_browser
from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.page import render
from postdeploy.history.place import Place
from postdeploy.history.status import gather_status
from postdeploy.history.writing import write_run
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.server import serving
from postdeploy.serving.status_routes import status_routes
from tests.history.memories import NOW, check, run

EVIL = "<script>document.title='taken'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of the tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(None, os.environ).executable)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two targets, one of which is down, with hostile names."""
    folder = tmp_path_factory.mktemp("status")
    history = open_database(Place(file=folder / "h.db"), create=True)
    entry = {"owner": "web", "until": "2099-01-01", "reason": "x"}
    for number in range(30):
        for target in ("production", "staging"):
            outcome = "failed" if number in {5, 6} or (target == "staging" and number == 29) else "passed"
            checks = (
                check("a", outcome, message=EVIL if outcome == "failed" else None),
                check(EVIL, flaky=number == 3, owner=EVIL, quarantine=entry),
            )
            memory = run(
                f"{target}-{number}", *checks, at=(number - 29) * 86400, target=target, release=f"r{number // 9}"
            )
            write_run(history, memory, Retention(), now=NOW)
    found = [gather_status(history, target, NOW) for target in ("production", "staging")]
    history.close()
    path = folder / "index.html"
    path.write_bytes(render([one for one in found if one], NOW))
    return path


@pytest.fixture
def show(browser: Browser, file: Path) -> Iterator[Any]:
    """Opens the page; nothing is complained about, and nothing is asked for."""
    contexts, problems = [], []

    def open_page(**facts: Any) -> Page:
        contexts.append(browser.new_context(**facts))
        page = contexts[-1].new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if request.url[:4] == "http" else None)
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(show: Any, scheme: str) -> None:
    """No violation of accessibility rules, light and dark, with everything opened."""
    page = show(color_scheme=scheme, bypass_csp=True)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run().then((results) => results.violations.map((one) => [one.id, one.nodes[0].html]))")
    assert found == []


def test_what_is_said(show: Any) -> None:
    """The heading says that something is broken; hostile names are only text; search leaves what fits."""
    page = show()
    assert page.locator("h1").inner_text() == "Something is broken"
    assert page.title() == "Status: Something is broken"
    assert page.locator(".jump").inner_text().split("\n") == ["production: Works", "staging: Broken"]
    expect(page.locator("#target-2 .incidents > li").first).to_contain_text("goes on")
    assert EVIL in page.locator("#target-1 .checks").inner_text()
    page.locator("#target-1 input").fill("nothing like it")
    expect(page.locator("#target-1 .checks tbody tr:visible")).to_have_count(0)


def test_phone_and_korean(show: Any) -> None:
    """It fits a phone, and speaks Korean there where the browser does."""
    page = show(viewport={"width": 360, "height": 740}, locale="ko-KR")
    assert page.locator("h1").inner_text() == "문제가 있습니다"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_keyboard_is_enough(show: Any) -> None:
    """Arrow keys go from day to day, each of which is told."""
    page = show()
    page.locator("#target-1 .bars li").last.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#target-1 .told")).to_contain_text("all good, 1 good, 0 failed, 0 inconclusive")
    page.keyboard.press("Home")
    expect(page.locator("#target-1 .told")).to_contain_text("nothing ran")
    expect(page.locator("#target-1 .bars li").first).to_be_focused()


@pytest.mark.parametrize("there", [True, False], ids=["there", "away"])
def test_served(browser: Browser, tmp_path: Path, there: bool) -> None:
    """A server answers with the page, or one that says that nobody knows; it fits a phone, and axe finds nothing."""
    place = Place(file=tmp_path / "h.db")
    if there:
        history = open_database(place, create=True)
        write_run(history, run("r1", check("a")), Retention(), now=NOW)
        history.close()
    routes = status_routes(Remembered(place, "staging", wall=lambda: NOW))
    with (
        serving(routes) as url,
        browser.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True) as context,
    ):
        page = context.new_page()
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == (200 if there else 503)
        said = "Everything works" if there else "The status is not known at the moment"
        assert page.locator("h1").inner_text() == said
        assert page.locator("polyline.dot").count() == 3 * there, "a first day is a line without a length"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
        assert page.evaluate("axe.run().then((results) => results.violations.map((one) => one.id))") == []


def test_no_run_yet() -> None:
    """A page of nothing says so."""
    assert "No run is remembered yet." in render([], NOW).decode()
