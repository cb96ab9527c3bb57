"""What a first project looks like."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from postdeploy.cli import main
from postdeploy.config import load_target, problems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, which is where commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are valid, and say the target that was asked for."""
    assert main(["init", "https://staging.example.com/app", "--target=here"]) == 0
    assert main(["validate"]) == 0
    assert "targets.yaml and 1 suite are valid" in capsys.readouterr().out
    target = load_target(folder / "targets.yaml", "here", {})
    assert target.services["web"].url == "https://staging.example.com/app"


def test_what_is_commented_out(folder: Path) -> None:
    """It is valid, too, once it counts."""
    main(["init", "https://staging.example.com"])
    files = targets, suite = folder / "targets.yaml", folder / "suites" / "smoke.yaml"
    for path in files:
        text = path.read_text()
        more = re.sub(r"^( *)# (?=release:|control:|- name|  )", r"\1", text, flags=re.MULTILINE)
        assert more.count("#") <= text.count("#") - 2
        path.write_text(more)
    assert problems(targets, [suite], folder, {}) == ()
    assert load_target(targets, "staging", {}).release is not None


@pytest.mark.parametrize("words", [["ftp://a b"], ["https://a.example: {x"], ["https://a.example", "--target=a b"]])
def test_what_cannot_be(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A name or a URL that the file could not have is told of, with its place in it, and nothing is written."""
    assert main(["init", *words]) == 4
    assert re.match(r"targets\.yaml:\d+:\d+: ", capsys.readouterr().err)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("there", ["targets.yaml", "suites/smoke.yaml"])
def test_what_is_there(folder: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there is not touched, and none is written beside it."""
    path = folder / there
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    assert main(["init", "https://staging.example.com"]) == 1
    assert capsys.readouterr().err == f"postdeploy: {there} is there already, and nothing was written\n"
    assert path.read_text() == "mine"
    assert [found for found in folder.rglob("*.yaml") if found != path] == []
