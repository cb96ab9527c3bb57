"""The reference of what is wrong with answers has every code that the product gives."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_code_is_explained() -> None:
    """Those in the source and those in the table are the same."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "src" / "postdeploy").rglob("*.py"))
    given = {code for text in sources for code in re.findall(r'"(protocol_[a-z0-9]+(?:_[a-z0-9]+)*)"', text)}
    page = (ROOT / "docs" / "reference" / "answers.md").read_text(encoding="utf-8")
    assert given == set(re.findall(r"^\| `(protocol_\w+)` \|", page, re.MULTILINE))
