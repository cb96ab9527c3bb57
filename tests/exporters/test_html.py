from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from postdeploy.browser.find import find_browser
from postdeploy.exporters.html import render
from postdeploy.exporters.page.timeline import draw
from tests.exporters.conftest import document_of, nothing

Document = dict[str, Any]
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of the tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(None, os.environ).executable)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained about, and every request that was not for the page itself."""
    return []


@pytest.fixture
def show(browser: Browser, tmp_path: Path, problems: list[str]) -> Iterator[Show]:
    """Opens a verdict's page from a file."""
    contexts = []

    def open_page(document: Document, read: Callable[[str], bytes | None] = nothing, **facts: Any) -> Page:
        path = tmp_path / "report.html"
        path.write_bytes(render(document, read))
        context = browser.new_context(**facts)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if request.url[:5] == "http:" else None)
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("run", "width", "scheme"),
    [
        ("good", 1280, "light"), ("good", 390, "dark"),
        ("bad", 1280, "light"), ("bad", 1280, "dark"), ("bad", 390, "light"), ("bad", 390, "dark"),
        ("hostile", 1280, "dark"), ("hostile", 390, "light"),
        ("unfinished", 1280, "light"), ("empty", 390, "dark"),
        ("large", 1280, "light"), ("large", 390, "dark"),
    ],
)  # fmt: skip
def test_axe_finds_nothing(
    request: pytest.FixtureRequest, show: Show, picture: Any, problems: list[str], run: str, width: int, scheme: Any
) -> None:
    """No violation of accessibility rules, light and dark, on a desk and on a phone, with everything opened."""
    language = "en-US" if scheme == "light" else "ko-KR"
    screen = {"width": width, "height": 844}
    page = show(
        request.getfixturevalue(run), picture, color_scheme=scheme, bypass_csp=True, locale=language, viewport=screen
    )
    page.evaluate("for (const one of [...document.querySelectorAll('details')].slice(0, 9)) one.open = true")
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run().then((results) => results.violations.map((one) => [one.id, one.nodes[0].html]))")
    assert found == []
    assert problems == []


def test_the_decision_comes_first(show: Show, bad: Document) -> None:
    """The heading is verdict and action; causes stand above checks; what failed stands above what passed, opened."""
    page = show(bad)
    assert page.locator("h1").inner_text() == "Fail → Roll Back"
    assert page.locator("h2").all_inner_texts()[:2] == ["What happened to the run", "Causes"]
    states = page.locator("details.check .name").all_inner_texts()
    assert states[0] == "home"
    assert states[-1] == "left out"
    assert page.locator("#check-1").get_attribute("open") is not None


def test_filters(show: Show, bad: Document) -> None:
    """Checks can be narrowed by outcome, by text, and by cause."""
    page = show(bad)
    visible = page.locator("details.check:visible")
    page.get_by_role("button", name="flaky 1").click()
    assert visible.count() == 1
    page.get_by_role("button", name="all 7").click()
    page.get_by_label("Search checks").fill("deadline")
    assert visible.locator(".name").all_inner_texts() == ["late"]
    page.get_by_label("Search checks").fill("no such check")
    assert page.get_by_text("No check matches.").is_visible()


def test_it_speaks_korean(show: Show, bad: Document) -> None:
    """In Korean for a browser that prefers it, and back on request."""
    page = show(bad, locale="ko-KR")
    assert page.locator("h1").inner_text() == "실패 → 롤백"
    assert page.locator("html").get_attribute("lang") == "ko"
    page.get_by_role("button", name="English").click()
    assert page.locator("h1").inner_text() == "Fail → Roll Back"


@pytest.mark.parametrize("run", ["bad", "hostile", "large"])
def test_it_fits_a_phone(request: pytest.FixtureRequest, show: Show, run: str) -> None:
    """Nothing is wider than the screen of a phone."""
    page = show(request.getfixturevalue(run), viewport={"width": 360, "height": 740})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_keyboard_is_enough(show: Show, good: Document) -> None:
    """The first stop leads to the checks, and Enter opens one."""
    page = show(good)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Skip to the checks")
    page.locator("details.check summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.check").first.get_attribute("open") is not None


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has the focus says so, as somebody without a mouse would."""
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate("(document.activeElement.ariaLabel || '') + document.activeElement.innerText")
        if text in told:
            return
    raise AssertionError(f"no stop says {text!r}")


def test_everything_is_done_with_a_keyboard(show: Show, bad: Document) -> None:
    """Language, colours, filters, search, opening, copying and the way from the time line to a check: keys alone."""
    page = show(bad, color_scheme="light", permissions=["clipboard-read", "clipboard-write"])
    root, listed = page.locator("html"), page.locator("details.check:visible .name")
    tab_to(page, "한국어")
    page.keyboard.press("Enter")
    assert root.get_attribute("lang") == "ko"
    page.keyboard.press("Enter")
    tab_to(page, "Dark")
    page.keyboard.press("Space")
    assert root.get_attribute("data-theme") == "dark"
    tab_to(page, "1 check")
    page.keyboard.press("Enter")
    assert listed.count() == 1
    tab_to(page, "all 7")
    page.keyboard.press("Enter")
    assert listed.count() == 7
    page.keyboard.press("/")
    page.keyboard.type("deadline")
    assert listed.all_inner_texts() == ["late"]
    page.keyboard.press("Escape")
    assert listed.count() == 7
    tab_to(page, "Open all")
    page.keyboard.press("Enter")
    assert page.locator("details.check[open]").count() == 7
    tab_to(page, "Copy")
    page.keyboard.press("Enter")
    expect(page.locator("#check-1 .curl button")).to_have_text("Copied")
    tab_to(page, "home, 1: failed")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('details').id") == "check-1"


def test_what_to_look_at_comes_alone(show: Show, large: Document, good: Document) -> None:
    """Of three hundred checks only those that did not pass are listed at first; where all is well, all are."""
    page = show(large)
    visible = page.locator("details.check:visible")
    assert visible.count() == 100
    assert page.locator("#shown").inner_text() == "100 / 300 checks"
    page.get_by_label("Search checks").fill("check 299")
    assert visible.count() == 1
    assert show(good).locator("details.check:visible").count() == 3


def test_no_foreign_text_is_markup(bad: Document, show: Show, problems: list[str]) -> None:
    """Every text of a verdict may come from elsewhere: none of them makes an element or an attribute."""
    hostile = "\"'><b onclick=alert(1)>&<!--"

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [spoil(each, key) for each in value]
        known = {"started", "finished", "outcome", "code", "at"}
        return value + hostile if isinstance(value, str) and key not in known else value

    document = spoil(bad)
    document["checks"][0]["runbook"] = "https://x/" + hostile
    document["checks"][1]["runbook"] = "javascript:alert(1)"
    document["checks"][1]["issues"] = ["javascript:alert(1)", "https://x/issues/7" + hostile]
    page = show(document)
    assert page.locator("b[onclick], [onclick]").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator("body > *").evaluate_all("all => all.map((one) => one.tagName)") == [
        "A", "HEADER", "MAIN", "FOOTER", "SCRIPT",
    ]  # fmt: skip
    assert problems == []


def test_a_command_can_be_copied(show: Show, bad: Document) -> None:
    """The button beside a command copies it as it is."""
    page = show(bad, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#check-1 .curl button").click()
    expect(page.locator("#check-1 .curl button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "curl -sS https://web.test/"


def test_hostile_text_is_only_text(show: Show, hostile: Document, problems: list[str]) -> None:
    """No script of the target's runs, and what it wrote can be read."""
    dialogs: list[str] = []
    page = show(hostile)
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert "<script>alert(1)</script>" in page.locator("pre").first.inner_text()
    assert page.locator("body script").count() == 1
    assert (dialogs, problems) == ([], [])


def test_pictures_are_inside(show: Show, bad: Document, picture: Any) -> None:
    """A screenshot is part of the page, a trace is a link with the command that opens it."""
    page = show(bad, picture)
    assert (page.locator("#check-1 img").get_attribute("src") or "").startswith("data:image/png;base64,")
    assert page.get_by_text("playwright show-trace evidence/home/attempt-1/trace.zip").is_visible()


def test_attempts_that_overlap_stand_in_lanes(bad: Document) -> None:
    """Each attempt is one bar; bars of one lane do not overlap."""
    timeline = draw(bad)
    assert timeline is not None
    assert len(timeline.bars) == sum(len(check["attempts"]) for check in bad["checks"])
    for lane in range(timeline.lanes):
        bars = [bar for bar in timeline.bars if bar.lane == lane]
        ends = [bar.left * timeline.seconds / 100 + bar.seconds for bar in bars]
        starts = [bar.left * timeline.seconds / 100 for bar in bars]
        assert all(start >= end - 0.01 for start, end in zip(starts[1:], ends, strict=False))


def test_a_run_without_attempts_has_no_timeline(unfinished: Document) -> None:
    """Nothing is drawn where nothing was tried."""
    assert draw(unfinished) is None
    assert b'class="lanes"' not in render(unfinished, nothing)


def test_only_so_many_bytes_of_pictures(bad: Document, monkeypatch: pytest.MonkeyPatch, picture: Any) -> None:
    """A page does not grow without end: pictures above the limit stay beside it."""
    monkeypatch.setattr("postdeploy.exporters.html._PICTURES", 10)
    content = render(bad, picture)
    assert b"data:image/png" not in content
    assert b'href="evidence/home/attempt-1/screenshot.png"' in content


def test_two_thousand_checks_render() -> None:
    """A large run is a large page, and still one: no check is left out."""
    from tests.domain import builders as make

    content = render(document_of(make.evidence(*[make.passed(f"c{n}") for n in range(2_000)])), nothing)
    assert content.count(b"<details") == 2_000
