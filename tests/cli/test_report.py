from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from postdeploy.cli import main
from postdeploy.documents import write_document
from postdeploy.exporters import FORMATS
from tests.domain import builders as make
from tests.exporters.conftest import document_of


@pytest.fixture
def verdict(tmp_path: Path) -> Path:
    """A sealed verdict."""
    path = tmp_path / "verdict.json"
    write_document(path, document_of(make.evidence(make.passed("home"))))
    return path


def test_a_page_beside_the_verdict(verdict: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a format it is the page for people; its path is printed."""
    assert main(["report", "--verdict", str(verdict)]) == 0
    assert capsys.readouterr().out == f"{verdict.parent / 'report.html'}\n"


def test_formats_and_folder(verdict: Path, tmp_path: Path) -> None:
    """Any formats, written anywhere."""
    assert main(["report", "--verdict", str(verdict), "--format", "junit,ctrf", "--output", str(tmp_path / "o")]) == 0
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"junit.xml", "ctrf.json"}


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--format", "htlm"], "did you mean 'html'?"), (["--verdict", "/nowhere/v.json"], "/nowhere/v.json: no such")],
)
def test_what_is_wrong_is_said(
    verdict: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """A format that is not there, a file that is not there: status 4 and one line."""
    assert main(["report", "--verdict", str(verdict), *words]) == 4
    assert message in capsys.readouterr().err


def test_a_report_that_cannot_be_written(verdict: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, and why."""
    assert main(["report", "--verdict", str(verdict), "--output", str(verdict)]) == 1
    assert "report: html could not be written" in capsys.readouterr().err


@pytest.mark.parametrize("begun", ["launched", "merging"])
def test_a_run_that_never_began(tmp_path: Path, capsys: pytest.CaptureFixture[str], begun: str) -> None:
    """Every format can be made of what a launcher, or a merge of nothing, has left."""
    if begun == "launched":
        from postdeploy.cli.verify import _unstarted

        write_document(tmp_path / "verdict.json", _unstarted("run-1", Namespace(target="site", release=None)))
    else:
        (tmp_path / "part").mkdir()
        assert main(["merge", str(tmp_path / "part"), "--target", "site", "--reports", str(tmp_path)]) == 10
    capsys.readouterr()
    assert main(["report", "--verdict", str(tmp_path / "verdict.json"), "--format", "all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(FORMATS)
