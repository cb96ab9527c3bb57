"""The page's files: names that change, headers that fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

REFERENCE = re.compile(r"/assets/[\w.]+-[0-9a-f]{10}\.(?:js|css|svg)")


def assets_of(demo: Demo) -> list[str]:
    """Return what the page refers to."""
    return sorted(set(REFERENCE.findall(demo.get("/").text)))


def test_the_page_is_asked_for_each_time(demo: Demo) -> None:
    """The page is HTML that browsers check again, with a title and its release."""
    response = demo.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "<title>TalkStudio" in response.text
    assert '<meta name="release" content="4f9d2c1">' in response.text
    assert "{{" not in response.text


def test_assets_are_immutable_and_typed(demo: Demo) -> None:
    """Every file that the page refers to may be kept for ever and has its type."""
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    assets = assets_of(demo)
    assert len(assets) > 12
    for path in assets:
        response = demo.get(path)
        assert response.status_code == 200
        assert response.headers["content-type"] == types[path.rpartition(".")[2]]
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_modules_import_each_other_by_hashed_names(demo: Demo) -> None:
    """No served script imports a plain name, and each import is served."""
    for path in assets_of(demo):
        if path.endswith(".js"):
            imports = re.findall(r'from "([^"]+)"', demo.get(path).text)
            assert all(REFERENCE.fullmatch(name) and demo.get(name).status_code == 200 for name in imports)


@pytest.mark.parametrize("path", ["/", "asset"])
def test_unchanged_files_are_304(demo: Demo, path: str) -> None:
    """A client that has the page or an asset gets 304 without a body."""
    path = assets_of(demo)[0] if path == "asset" else path
    tag = demo.get(path).headers["etag"]
    again = demo.get(path, headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == demo.get(path).headers["content-security-policy"]
    assert demo.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_an_unknown_asset_is_404(demo: Demo) -> None:
    """A missing asset is a 404, never the page."""
    response = demo.get("/assets/main-0000000000.js")
    assert response.status_code == 404
    assert "<html" not in response.text


def test_two_releases_have_no_asset_name_in_common(demo: Demo) -> None:
    """A new release renames every file, and the old ones are gone."""
    before = assets_of(demo)
    demo.control("/release", commit="a81be03")
    assert not set(before) & set(assets_of(demo))
    assert demo.get(before[0]).status_code == 404


def test_the_same_release_has_the_same_names(start: Callable[..., Demo]) -> None:
    """Names follow from content and release only, so a restart keeps them."""
    assert assets_of(start("--release", "x")) == assets_of(start("--release", "x"))


def test_the_favicon_that_browsers_guess(demo: Demo) -> None:
    """favicon.ico leads to the real icon."""
    response = demo.get("/favicon.ico", follow_redirects=True)
    assert response.headers["content-type"] == "image/svg+xml"
