from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from postdeploy.exporters import FORMATS, Files, render
from tests.exporters.conftest import nothing

Documents = Mapping[str, dict[str, Any]]


def texts(files: Files) -> list[str]:
    """What is written, as text; not what is only copied."""
    return [content.decode("utf-8") for content in files.values() if isinstance(content, bytes)]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("run", ["good", "bad", "hostile", "unfinished"])
def test_every_format_renders_every_run(documents: Documents, name: str, run: str) -> None:
    """Whatever a run was like, each format has a file for it, as the table of formats names it, in UTF-8."""
    files = render(name, documents[run], nothing)
    below = FORMATS[name]
    assert all(path.startswith(below) for path in files) if below.endswith("/") else list(files) == [below]
    assert files
    assert all(isinstance(text, str) for text in texts(files))


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_is_pure(bad: dict[str, Any], name: str) -> None:
    """The same verdict renders to the same bytes, and is left as it was."""
    before = repr(bad)
    assert render(name, bad, nothing) == render(name, bad, nothing)
    assert repr(bad) == before


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_foreign_is_a_command(hostile: dict[str, Any], name: str) -> None:
    """No line of any report is a workflow command of the target's, and no control character reaches a terminal."""
    for text in texts(render(name, hostile, nothing)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
        if name != "html":  # which nobody prints
            lines = text.splitlines()
            assert not [line for line in lines if line.lstrip().startswith("::error::owned") or "##[" in line]
