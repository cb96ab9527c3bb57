from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from postdeploy.browser.look import _sweep
from postdeploy.browser.session import BrowserSession

PAGES = {
    "plain": "<h1>Title</h1><h2 style='display:none'>gone</h2><p style='visibility:hidden'>veiled</p>"
    "<p>Some <b>bold</b></p>",
    "buttons": "<button>Save</button><button aria-label='Other'>Save as</button>"
    "<button><i aria-hidden=true>x</i> New</button><button><span>Deep</span></button>"
    "<button disabled> Old\n one </button><a href='#'>Link</a><a>No link</a>",
    "hidden": "<div aria-hidden=true><button>Save</button></div><div hidden><h1>Title</h1></div>"
    "<button hidden>New</button>",
    "shadow": "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = '<h1>Title</h1>'</script>",
    "empty box": "<h1></h1><div style='display:contents'><b>Some</b></div><span style='position:absolute'></span>",
    "decorated": "<style>.x::before { content: 'Pre ' }</style><button class=x>Save</button>"
    "<label>L<button>New</button></label>",
    "presentation": "<h1 role=presentation>Title</h1><button role=link>Save</button><div role=button>Save</div>",
    "menu": "<ul role=menu><button>Save</button></ul><p>SOME text</p><script>var s = 'hidden text'</script>",
    "form": "<input type=submit value=Save><input type=text value=text><select><option>Some</option></select>",
    "closed": "<details><summary>Title</summary><h1>Title</h1><button>Save</button></details>",
}
SELECTORS = (
    *("h1", "css=h2", "p", "b", "div", "span", "#host", "h1, button", "p:visible", "div >> b", "p:has(b)", ".x"),
    *("role=button", "role=button[name='Save']", 'role=button[name="New"]', "role=button[name='Old one']"),
    *("role=button[name='Deep']", "role=button[name='save']", "role=button[name='Pre Save']", "role=link[name='Link']"),
    *("role=heading[name='Title']", "role=heading[name='gone']", "role=link[name='Save']", "role=link[name='No link']"),
    *("text=some", "text=Some bold", "text=Title", "text=hidden", "text=gone", "text=Save", "text='Save'", "//h1"),
    *("button:has-text('Deep')", "text=veiled", "text=/T.tle/"),
)


def answers(page: Page) -> dict[str, tuple[object, object]]:
    """What the sweep is certain of, each beside what Playwright says."""
    swept = page.evaluate(_sweep(), {"selectors": SELECTORS, "texts": SELECTORS, "body": False})
    found: dict[str, tuple[object, object]] = {}
    for selector, seen, text in zip(SELECTORS, swept["seen"], swept["texts"], strict=True):
        if seen is not None:
            found[f"seen {selector}"] = (seen, page.locator(selector).filter(visible=True).count() > 0)
        if text is not None:
            found[f"text {selector}"] = (text, page.locator(selector).first.all_inner_texts())
    return found


@pytest.fixture(scope="module")
def page(session: BrowserSession) -> Iterator[Page]:
    """One page for all contents: Playwright's engine is slow only the first time."""
    context = session.open_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_sweep_says_what_playwright_says(page: Page, name: str) -> None:
    """Wherever the cheap look is certain, Playwright's own engine agrees."""
    page.set_content(PAGES[name])
    found = answers(page)

    assert {key: swept for key, (swept, _) in found.items()} == {key: truth for key, (_, truth) in found.items()}


def test_sweep_is_certain_of_what_is_plain(page: Page) -> None:
    """What most pages are asked costs no look of Playwright's engine."""
    page.set_content(PAGES["plain"] + PAGES["buttons"])
    found = answers(page)

    sure = {"h1", "css=h2", "p", "text=Title", "role=button[name='Save']", "role=heading[name='Title']", "#host"}
    assert {f"seen {selector}" for selector in sure} | {"text h1", "text #host"} <= found.keys()
