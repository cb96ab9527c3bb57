"""Pictures of pages show no secret, whoever takes them; proved by colours, for red is only what is secret."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from postdeploy.browser.film import without_film
from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.recorder import PageRecorder
from postdeploy.browser.session import BrowserSession
from postdeploy.browser.veil import hits
from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.errors import ProbeError
from tests.browser.conftest import PAGES, find

_TRIES = 3
"""A machine that is busy may not get to a picture within its time: then there is none."""

VALUE = 'tok-5f3a/9c77"b1'
PLACES = {
    "text": "<p class=red>before {0} after</p>",
    "spread": "<p class=red>tok-<b>5f3a/</b><i>9c77&quot;b1</i></p>",
    "input": "<input class=red value='{0}'>",
    "placeholder": "<style>::placeholder {{ color: #f00; opacity: 1 }}</style><input placeholder='{0}'>",
    "textarea": "<textarea class=red>{0}</textarea>",
    "select": "<select class=red><option>{0}</select>",
    "encoded": "<p class=red>{1}</p><p class=red>{2}</p>",
    "shadow": "<div id=s></div><script>s.attachShadow({{mode: 'open'}}).innerHTML = "
    "'<p style=\"color:#f00\">' + atob('{1}').replace('<', '') + '</p>'</script>",
    "frame": "<iframe srcdoc='<p style=&quot;color:#f00;font:20px sans-serif&quot;>tok-5f3a/9c77&amp;quot;b1</p>'>"
    "</iframe>",
    "dialog": "<dialog id=d><p class=red>{0}</p></dialog><script>d.showModal()</script>",
    "other-site": "<iframe src='http://localhost:PORT/veil/red'></iframe>",
}

PATHS = {
    "/veil/dialog": ("text", "dialog"),
    "/veil/all": tuple(place for place in PLACES if place != "dialog"),
}

Picture = Callable[[str, Redactor | None], bytes | None]


@pytest.fixture(scope="module", autouse=True)
def pages() -> None:
    """A page for each place."""
    said = (VALUE.replace('"', "&quot;"), base64.b64encode(VALUE.encode()).decode(), quote(VALUE, safe=""))
    style = "* {font: 14px sans-serif; margin: 1px} iframe {height: 60px} .red {color: #f00} .blue {color: #00f}"
    for path, places in PATHS.items():
        html = "".join(PLACES[place].format(*said) for place in places)
        PAGES[path] = f"<title>v</title><style>{style}</style><p class=blue>harmless</p>{html}"
    PAGES["/veil/red"] = "<p style='color:#f00;font:20px sans-serif'>tok-5f3a/9c77&quot;b1</p>"


@pytest.fixture(params=["devtools", "playwright", "test"])
def take(request: pytest.FixtureRequest, site: str, session: BrowserSession, tmp_path: Path) -> Picture:
    """The picture that is kept of a page that fails, by each of the three ways."""

    def declared(path: str, redactor: Redactor | None) -> bytes | None:
        pool = PagePool(find, direct=request.param == "devtools")
        try:
            task = PageTask(
                site + path, "web:/", 1.0, evidence=tmp_path, settled=lambda _seen: False, redactor=redactor
            )
            pool.submit(task).result(20)
        except ProbeError:
            pass
        finally:
            pool.close()
        return _read(tmp_path / "screenshot.png")

    def tested(path: str, redactor: Redactor | None) -> bytes | None:
        recorder = PageRecorder(redactor=redactor)
        context = session.open_context(site, recorder=recorder)
        page = context.new_page()
        page.goto(path)
        page.wait_for_load_state("networkidle")
        recorder.keep(tmp_path)
        context.close()
        return _read(tmp_path / "screenshot.png")

    return tested if request.param == "test" else declared


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


_COUNT = """async data => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
  canvas.drawImage(image, 0, 0);
  const {data: d} = canvas.getImageData(0, 0, image.width, image.height);
  let red = 0, blue = 0;
  for (let i = 0; i < d.length; i += 4) {
    if (d[i] > d[i + 2] + 60 && d[i] > d[i + 1] + 60) red++;
    if (d[i + 2] > d[i] + 60 && d[i + 2] > d[i + 1] + 60) blue++;
  }
  return [red, blue];
}"""


def colours(session: BrowserSession, content: bytes | None) -> tuple[int, int]:
    """How many pixels are rather red, and how many rather blue."""
    assert content is not None
    page = session.open_context().new_page()
    red, blue = page.evaluate(_COUNT, base64.b64encode(content).decode())
    page.context.close()
    return red, blue


def test_no_picture_shows_a_secret(take: Picture, session: BrowserSession) -> None:
    """Every place where a page may show it is covered, and the rest of the page is there."""
    for path in ("/veil/all", "/veil/dialog"):
        pictures = (take(path, Redactor([Secret("token", VALUE)])) for _ in range(_TRIES))
        red, blue = colours(session, next(filter(None, pictures), None))
        assert red == 0, path
        assert blue > 50 or path == "/veil/dialog", path


def test_without_secrets_pictures_are_whole(take: Picture, session: BrowserSession) -> None:
    """Where nothing is known, nothing is covered: so the test above can fail."""
    red, blue = colours(session, take("/veil/all", Redactor()))
    assert red > 1000
    assert blue > 50


def test_which_texts_hold_a_secret() -> None:
    """By their numbers, also where one is spread over several; what could not be read is among them."""
    redactor = Redactor([Secret("token", VALUE)])
    assert hits(redactor, ["tok-", "5f3a/9c77", '"b1 and', "", "more", None, f"a{VALUE}"]) == [0, 1, 2, 5, 6]
    assert hits(redactor, ["nothing", "", ""]) == []


def test_a_trace_loses_its_film(tmp_path: Path) -> None:
    """Pictures that were taken before a secret was known are taken out; pictures of the page itself stay."""
    path = tmp_path / "trace.zip"
    with zipfile.ZipFile(path, "w") as trace:
        for name in ("resources/page@1-2.jpeg", "resources/ab.jpeg", "trace.trace"):
            trace.writestr(name, "x")
    without_film(path, Redactor())
    assert len(zipfile.ZipFile(path).namelist()) == 3
    without_film(path, Redactor([Secret("token", VALUE)]))
    assert zipfile.ZipFile(path).namelist() == ["resources/ab.jpeg", "trace.trace"]
