from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from postdeploy.cli import main
from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from tests.history.memories import NOW, check, run
from tests.sealed import FAILED, seal


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history of three runs, beside a targets file that does not name it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTDEPLOY_HISTORY", raising=False)
    history = open_database(Place(file=tmp_path / "history.sqlite3"), create=True)
    for number, outcome in enumerate(["passed", "failed", "passed"]):
        memory = run(f"run-{number}", check("a", outcome), check("b", flaky=number == 2), at=60 * number)
        write_run(history, memory, Retention(), now=NOW)
    history.close()
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What a command that ends well prints."""
    assert main(["history", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_list(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs are listed, newest first, as text and as JSON."""
    head, *rows = said(capsys)
    assert head.startswith("started")
    assert [row.split()[-1] for row in rows] == ["run-2", "run-1", "run-0"]
    assert "1/2" in rows[1]
    assert "(1 flaky)" in rows[0]
    assert rows == said(capsys, "list", "staging")[1:]
    found = json.loads("\n".join(said(capsys, "list", "--json", "--last", "1")))
    assert [(each["id"], each["verdict"], each["counts"]["passed"]) for each in found] == [("run-2", "pass", 2)]


def test_show(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One run is shown with its checks, those that failed first, and why."""
    lines = said(capsys, "show", "run-1")
    assert [line.split() for line in lines[-2:]] == [["failed", "a", "a", "failed"], ["passed", "b"]]


def test_import(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Journals come in once; what cannot be read is told, and is an error."""
    seal(memory, replace(FAILED, run=dict(FAILED.run) | {"id": "late", "started": NOW}))
    assert said(capsys, "import", ".") == ["1 new, 0 known already or too old"]
    assert said(capsys, "import", "evidence.jsonl") == ["0 new, 1 known already or too old"]
    (memory / "evidence.jsonl").write_text("{}")
    assert main(["history", "import", "."]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert said(capsys, "prune") == ["0 runs were older than is kept"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["list", "production"], "no run of target 'production'; it has: staging"),
        (["show", "nothing"], "no run 'nothing'"),
        (["show"], "takes one RUN"),
        (["--history", "elsewhere.db"], "there is no history yet; --history, 'history' in targets.yaml or --monitor"),
        (["--history", "mysql://x/y"], "no place of a history"),
    ],
)
def test_wrong(memory: Path, capsys: pytest.CaptureFixture[str], words: list[str], problem: str) -> None:
    """What cannot be answered is told in a sentence."""
    assert main(["history", *words]) == 4
    assert problem in capsys.readouterr().err


def test_place_of_targets_yaml(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that targets.yaml names is read, unless the environment or the option name another one."""
    (memory / "targets.yaml").write_text("targets: {a: {services: {web: http://127.0.0.1:9}}}\nhistory: old.db\n")
    assert main(["history"]) == 4
    assert "old.db" in capsys.readouterr().err
    assert len(said(capsys, "--history", "sqlite:history.sqlite3")) == 4


def test_flakes(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Flaky checks are listed, as text and as JSON."""
    assert main(["flakes", "staging", "--days", "36500"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["1", "3"]
    assert main(["flakes", "staging", "--days", "36500", "--json"]) == 0
    assert [flake["id"] for flake in json.loads(capsys.readouterr().out)] == ["b"]


def test_slo(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Availability is told, as text and as JSON."""
    assert main(["slo", "staging", "--days", "36500", "--objective", "50%"]) == 0
    assert capsys.readouterr().out.startswith("staging: 66.67 % of 3 runs were good in 36500 days")
    assert main(["slo", "staging", "--days", "36500", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bad"] == 1
    assert main(["slo", "staging", "--days", "36500", "--prometheus"]) == 0
    told = capsys.readouterr().out
    assert 'postdeploy_error_budget_left_ratio{target="staging",objective="99.9",days="36500"} -332' in told
    for wrong in ("100", "many"):
        with pytest.raises(SystemExit):
            main(["slo", "staging", "--objective", wrong])


def test_status(memory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page and its facts are written into a folder; a place that is none is an error."""
    assert main(["status", "--out", "public"]) == 0
    assert capsys.readouterr().out == "public/index.html\n"
    assert json.loads((memory / "public" / "status.json").read_text())["targets"][0]["name"] == "staging"
    assert b"staging" in (memory / "public" / "index.html").read_bytes()
    assert main(["status", "--out", "history.sqlite3/x"]) == 4
