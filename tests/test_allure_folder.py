from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postdeploy.allure_folder import complete_folder
from tests.domain import builders as make
from tests.exporters.conftest import PICTURE, document_of


@pytest.fixture
def document() -> dict[str, Any]:
    """A run with a failing page that left a picture and a trace, of which only the picture is still there."""
    paths = ("evidence/home/shot.png", "evidence/home/trace.zip")
    attempts = tuple(make.attempt("failed", at, evidence=paths) for at in (0.0, 2.0))
    return document_of(make.evidence(make.failed("home", attempts=attempts)))


def read(path: str) -> bytes | None:
    """The evidence."""
    return PICTURE if path.endswith(".png") else None


def test_it_is_completed_in_place(tmp_path: Path, document: dict[str, Any]) -> None:
    """The result, what it has, and what Allure shows of the run; evidence that is gone is left out."""
    complete_folder(document, tmp_path / "allure", read)
    names = {path.name for path in (tmp_path / "allure").iterdir()}
    assert {path.suffix for path in (tmp_path / "allure").glob("*-attachment*")} == {".png"}
    assert {"environment.properties", "categories.json", "executor.json"} < names
    assert sum(name.endswith("-result.json") for name in names) == 1
    before = {path.name: path.read_bytes() for path in (tmp_path / "allure").iterdir()}
    complete_folder(document, tmp_path / "allure", read)
    assert {path.name: path.read_bytes() for path in (tmp_path / "allure").iterdir()} == before


def test_own_files_stay(tmp_path: Path, document: dict[str, Any]) -> None:
    """Categories that somebody put there are theirs."""
    (tmp_path / "categories.json").write_text("[]")
    complete_folder(document, tmp_path, read)
    assert (tmp_path / "categories.json").read_text() == "[]"


def test_links_are_not_followed(tmp_path: Path, document: dict[str, Any]) -> None:
    """What a link in the folder points at is neither read nor written."""
    folder, outside = tmp_path / "allure", tmp_path / "outside.json"
    outside.write_text("{}")
    folder.mkdir()
    (folder / "executor.json").symlink_to(tmp_path / "nowhere")
    complete_folder(document, folder, read)
    assert json.loads((folder / "executor.json").read_text())["name"] == "postdeploy"
    assert not (tmp_path / "nowhere").exists()
    (folder / "x-result.json").symlink_to(outside)
    with pytest.raises(OSError, match="symbolic link"):
        complete_folder(document, folder, read)
    assert outside.read_text() == "{}"
