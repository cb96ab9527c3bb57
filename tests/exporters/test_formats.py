from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from postdeploy.exporters import FORMATS, render
from tests.exporters.conftest import nothing

Documents = Mapping[str, dict[str, Any]]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("run", ["good", "bad", "hostile", "unfinished"])
def test_every_format_renders_every_run(documents: Documents, name: str, run: str) -> None:
    """Whatever a run was like, each format has a file for it, as the table of formats names it, in UTF-8."""
    files = render(name, documents[run], nothing)
    assert list(files) == [FORMATS[name]]
    assert all(isinstance(content.decode("utf-8"), str) for content in files.values())


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_is_pure(bad: dict[str, Any], name: str) -> None:
    """The same verdict renders to the same bytes, and is left as it was."""
    before = repr(bad)
    assert render(name, bad, nothing) == render(name, bad, nothing)
    assert repr(bad) == before


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_foreign_is_a_command(hostile: dict[str, Any], name: str) -> None:
    """No line of any report is a workflow command of the target's, and no control character reaches a terminal."""
    (content,) = render(name, hostile, nothing).values()
    text = content.decode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    if name != "html":  # which nobody prints
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::error::owned") or "##[" in line]
