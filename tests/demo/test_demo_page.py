"""The editor page in a real browser."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Error, Page, expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.demo.conftest import Demo, Tab

THEMES = {"KakaoTalk": "kakao", "Discord": "discord", "Telegram": "telegram", "Instagram": "instagram"}


def add(page: Page, text: str) -> None:
    """Write a message and add it."""
    page.get_by_label("메시지", exact=True).fill(text)
    page.get_by_role("button", name="추가").click()


def test_a_healthy_page_is_clean(tab: Tab, demo: Demo) -> None:
    """The page loads without a problem, asks only its own server, and calls the API."""
    tab.page.goto("/", wait_until="networkidle")
    expect(tab.page).to_have_title("TalkStudio · 대화 목업 편집기")
    expect(tab.page.get_by_test_id("agent")).to_have_count(5)
    assert tab.problems == []
    assert all(url.startswith(demo.url) for url in tab.requests)
    assert f"{demo.url}/api/v1/agents" in tab.requests
    assert {one["status"] for one in demo.log()["requests"]} == {200}


@pytest.mark.parametrize(("label", "theme"), THEMES.items())
def test_each_theme_exports_a_real_png(tab: Tab, tmp_path: Path, label: str, theme: str) -> None:
    """Choosing a theme changes the preview, and its PNG is twice as large as the phone."""
    tab.page.goto("/")
    tab.page.get_by_role("radio", name=label).check()
    expect(tab.page.get_by_test_id("preview")).to_have_attribute("data-theme", theme)
    with tab.page.expect_download() as download:
        tab.page.locator("role=button[name='PNG 저장']").click()
    assert download.value.suggested_filename == f"talkstudio-{theme}.png"
    file = tmp_path / "export.png"
    download.value.save_as(file)
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert width == 780
    assert height >= 1520
    assert len(content) > 20_000
    assert tab.problems == []


def test_a_message_appears(tab: Tab) -> None:
    """An added message is the last bubble, of the chosen author, and the field is empty again."""
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="상대").check()
    add(tab.page, "어디야?")
    last = tab.page.get_by_test_id("bubble").last
    expect(last).to_have_text("어디야?")
    expect(last).to_have_attribute("data-author", "them")
    expect(tab.page.get_by_label("메시지", exact=True)).to_have_value("")


def test_markup_stays_text(tab: Tab) -> None:
    """What looks like HTML is shown as it was written."""
    tab.page.goto("/")
    add(tab.page, "<img src=x onerror=alert(1)>")
    expect(tab.page.get_by_test_id("bubble").last).to_have_text("<img src=x onerror=alert(1)>")
    assert tab.problems == []


def test_a_message_can_be_changed_and_removed(tab: Tab) -> None:
    """Editing changes the bubble, deleting takes it away."""
    tab.page.goto("/")
    count = tab.page.get_by_test_id("bubble").count()
    row = tab.page.get_by_test_id("row").last
    row.get_by_role("button", name="수정").click()
    tab.page.get_by_label("내용 고치기").fill("고쳤어")
    tab.page.get_by_role("button", name="완료").click()
    expect(tab.page.get_by_test_id("bubble").last).to_have_text("고쳤어")
    row.get_by_role("button", name="삭제").click()
    expect(tab.page.get_by_test_id("bubble")).to_have_count(count - 1)


def test_messages_can_be_reordered(tab: Tab) -> None:
    """A message moves up, and the keyboard stays on it."""
    tab.page.goto("/")
    texts = tab.page.get_by_test_id("bubble").all_inner_texts()
    tab.page.get_by_test_id("row").last.get_by_role("button", name="위로").press("Enter")
    expect(tab.page.get_by_test_id("bubble").last).to_have_text(texts[-2])
    expect(tab.page.locator(":focus")).to_have_attribute("aria-label", "위로")


def test_everything_works_with_the_keyboard(tab: Tab) -> None:
    """Arrow keys choose a theme, Enter adds a message, Shift+Enter breaks the line."""
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="KakaoTalk").press("ArrowRight")
    expect(tab.page.get_by_test_id("preview")).to_have_attribute("data-theme", "discord")
    message = tab.page.get_by_label("메시지", exact=True)
    message.focus()
    tab.page.keyboard.type("one")
    tab.page.keyboard.press("Shift+Enter")
    tab.page.keyboard.type("two")
    tab.page.keyboard.press("Enter")
    assert tab.page.get_by_test_id("bubble").last.inner_text() == "one\ntwo"


def test_an_agent_becomes_the_participant(tab: Tab) -> None:
    """Choosing an agent of the API fills in the name."""
    tab.page.goto("/")
    tab.page.get_by_role("button", name="소라").click()
    expect(tab.page.get_by_label("이름")).to_have_value("소라")
    expect(tab.page.get_by_test_id("preview")).to_contain_text("소라")


def test_the_conversation_survives_a_reload(tab: Tab) -> None:
    """Theme, name and messages are there again after a reload."""
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="Telegram").check()
    tab.page.get_by_label("이름").fill("도윤")
    add(tab.page, "기억해 줘")
    tab.page.reload()
    expect(tab.page.get_by_role("radio", name="Telegram")).to_be_checked()
    expect(tab.page.get_by_label("이름")).to_have_value("도윤")
    expect(tab.page.get_by_test_id("bubble").last).to_have_text("기억해 줘")


def test_a_new_conversation_is_empty(tab: Tab) -> None:
    """Starting anew removes the messages and keeps the theme."""
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="Discord").check()
    tab.page.get_by_role("button", name="새 대화").click()
    expect(tab.page.get_by_test_id("bubble")).to_have_count(0)
    expect(tab.page.get_by_test_id("preview")).to_have_attribute("data-theme", "discord")


def test_broken_storage_is_survived(tab: Tab) -> None:
    """Nonsense in the browser's storage gives the example instead of an error."""
    tab.page.add_init_script('localStorage.setItem("talkstudio.conversation.v1", "{\\"theme\\": 3}")')
    tab.page.goto("/")
    expect(tab.page.get_by_test_id("bubble").first).to_be_visible()
    assert tab.problems == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out(chromium: Browser, demo: Demo, width: int) -> None:
    """No width needs sideways scrolling."""
    with chromium.new_context(base_url=demo.url, viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_test_id("bubble").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_export_broken(tab: Tab, demo: Demo) -> None:
    """With export-broken the button raises and nothing is downloaded."""
    demo.suffer("export-broken")
    tab.page.goto("/")
    with pytest.raises(Error), tab.page.expect_download(timeout=500):
        tab.page.get_by_role("button", name="PNG 저장").click()
    assert any("toPngBlob is not a function" in problem for problem in tab.problems)


def test_theme_broken(tab: Tab, demo: Demo) -> None:
    """With theme-broken the preview keeps its theme, silently."""
    demo.suffer("theme-broken")
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="Discord").check()
    expect(tab.page.get_by_test_id("preview")).to_have_attribute("data-theme", "kakao")
    assert tab.problems == []


def test_message_not_shown(tab: Tab, demo: Demo) -> None:
    """With message-not-shown no bubble is added, silently."""
    demo.suffer("message-not-shown")
    tab.page.goto("/")
    count = tab.page.get_by_test_id("bubble").count()
    add(tab.page, "안 보여")
    expect(tab.page.get_by_test_id("bubble")).to_have_count(count)
    assert tab.problems == []


def test_nothing_saved(tab: Tab, demo: Demo) -> None:
    """With nothing-saved a reload forgets."""
    demo.suffer("nothing-saved")
    tab.page.goto("/")
    tab.page.get_by_role("radio", name="Discord").check()
    tab.page.reload()
    expect(tab.page.get_by_role("radio", name="KakaoTalk")).to_be_checked()


def test_blank_page(tab: Tab, demo: Demo) -> None:
    """With blank-page the preview stays empty after an error."""
    demo.suffer("blank-page")
    tab.page.goto("/")
    tab.wait_for_problem()
    expect(tab.page.get_by_test_id("preview")).to_be_empty()
    assert len(tab.problems) == 1


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("console-error", "error: Cannot read properties of undefined (reading 'page')"),
        ("missing-asset", "status of 404"),
        ("failed-request", "status of 404"),
        ("foreign-request", "metrics.example.com"),
        ("api-500", "agents could not be loaded"),
        ("wrong-content-type-asset", "MIME type"),
    ],
)
def test_faults_that_the_console_shows(tab: Tab, demo: Demo, fault: str, problem: str) -> None:
    """A fault is a problem that a browser reports by itself."""
    demo.suffer(fault)
    tab.page.goto("/")
    tab.wait_for_problem(problem)
    assert any(problem in one for one in tab.problems), tab.problems


def test_a_theme_fault_of_one_slot(start: object, chromium: Browser) -> None:
    """A page fault on green leaves blue's page whole."""
    demo = start("--blue-green", "b1ue", "9reen", "--fault", "blank-page@green")  # type: ignore[operator]
    for slot, bubbles in (("blue", 6), ("green", 0)):
        demo.control("/switch", to=slot)
        with chromium.new_context(base_url=demo.url) as context:
            page = context.new_page()
            page.goto("/")
            page.wait_for_timeout(100)
            expect(page.get_by_test_id("bubble")).to_have_count(bubbles)
