"""The editor in a real browser: what a person does with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.check(owner="web", severity="major")
@pytest.mark.parametrize("theme", ["KakaoTalk", "Discord", "Telegram", "Instagram"])
def test_theme_switch_shows_in_the_preview(page: Page, theme: str) -> None:
    """Choosing a theme changes the preview."""
    from playwright.sync_api import expect

    page.goto("/")
    page.get_by_role("radio", name=theme).check()
    expected = {"KakaoTalk": "kakao"}.get(theme, theme.lower())
    expect(page.get_by_test_id("preview")).to_have_attribute("data-theme", expected)


@pytest.mark.check(owner="web")
def test_a_new_message_shows_in_the_preview(page: Page) -> None:
    """What is typed appears as the last bubble."""
    from playwright.sync_api import expect

    page.goto("/")
    page.get_by_label("메시지", exact=True).fill("안녕, 배포!")
    page.get_by_role("button", name="추가", exact=True).click()
    expect(page.get_by_test_id("bubble").last).to_have_text("안녕, 배포!")


@pytest.mark.check(owner="web")
def test_png_export_downloads_a_picture(page: Page) -> None:
    """The export button downloads a PNG that is one."""
    page.goto("/")
    with page.expect_download(timeout=10_000) as download:
        page.get_by_role("button", name="PNG 저장").click()
    picture = Path(download.value.path()).read_bytes()
    assert picture.startswith(PNG)
    assert len(picture) > 10_000
