"""The pages hang together: links, the map, the shape of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, PAGES, ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OWN_FILE = re.compile(r"`((?:src|docs|tests|demo|scripts|deploy|benchmarks|\.github)/[\w./-]*)`")
_WIDTH = 120


def _name(page: Path) -> str:
    return str(page.relative_to(DOCS))


def _anchors(page: Path) -> set[str]:
    """The anchors of headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken(page: Path) -> Iterator[str]:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every link to a file, and every anchor in it, exists."""
    assert list(_broken(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_pages_mention_no_file_that_is_not_there(page: Path) -> None:
    """A path of this repository in the text is that of a file or folder."""
    named = _OWN_FILE.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


_GENERATED = {"benchmarks.md", "fault-matrix.md", "faults.md"}
"""Pages that a program writes: their lines are as long as what was measured."""


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_page_has_one_title_and_lines_that_fit(page: Path) -> None:
    """A page begins with its only title, and prose fits into 120 columns."""
    lines = page.read_text(encoding="utf-8").splitlines()
    prose = re.sub(r"^```.*?^```$", "", "\n".join(lines), flags=re.MULTILINE | re.DOTALL).splitlines()
    assert [line for line in prose if line.startswith("# ")] == [lines[0]]
    too_long = [line for line in prose if len(line) > _WIDTH and not line.startswith("|")]
    assert page.name in _GENERATED or too_long == []


def test_the_map_has_every_page() -> None:
    """``docs/README.md`` links to every other page, once."""
    links = _LINK.findall((DOCS / "README.md").read_text(encoding="utf-8"))
    mapped = sorted(link for link in links if link.endswith(".md"))
    assert len(set(mapped)) == len(mapped)
    assert {_name(page) for page in PAGES} - {"README.md"} <= set(mapped)
