"""A browser is started before anything is collected where suites name pages, and only there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.plugin.foreseen_pages import names_pages


def config(folder: Path, *arguments: str) -> Any:
    """What is asked of pytest's configuration."""
    return SimpleNamespace(args=arguments, invocation_params=SimpleNamespace(dir=folder))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("checks:\n  - name: one\n    page: web:/\n", True),
        ("checks:\n  - page: web:/\n", True),
        ("checks: [{name: one, page: 'web:/'}]\n", True),
        ("checks:\n  - {page: 'web:/'}\n", True),
        ("checks:\n  - get: web:/page/1\n    homepage: none\n", False),
    ],
)
def test_a_suite_names_pages_by_their_key(tmp_path: Path, text: str, named: bool) -> None:
    """The key alone counts, in either style of YAML."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "ui.yaml").write_text(text)
    assert names_pages(config(tmp_path, "suites")) is named
    assert names_pages(config(tmp_path, "suites/ui.yaml::one")) is named


def test_what_is_not_collected_is_not_looked_at(tmp_path: Path) -> None:
    """Neither other folders nor what cannot be read counts."""
    (tmp_path / "suites" / "deeper.yaml").mkdir(parents=True)
    (tmp_path / "other.yaml").write_text("page: web:/")
    assert not names_pages(config(tmp_path, "suites", "missing.yaml", "test_it.py"))
