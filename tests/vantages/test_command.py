"""``postdeploy vantages`` by workers of this process: what each is told, and what is done with the whole, once."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postdeploy.cli import main
from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.vantages import cluster
from postdeploy.vantages.errand import run_errand
from tests.cli.project import PASSING, Project, serve
from tests.history import memories

_SUITE = PASSING.replace("web:/", "web:/missing") + "  - {name: other, get: 'web:/', expect: {status: 200}}\n"


class _Workers:
    """A cluster whose orders are carried out at once, each in a process of its own."""

    orders: list[dict[str, Any]]

    def __init__(self, *_: object) -> None:
        self.orders = []

    def workers(self) -> dict[str, cluster.Worker]:
        """One that is everywhere."""
        return {"here": cluster.Worker(frozenset({"eu", "us"}), 0.0)}

    def send(self, order: bytes, _vantage: str, _address: str, _key: str) -> bytes:
        """Carry it out."""
        self.orders.append(json.loads(order))
        return run_errand(order)

    def answer(self, future: bytes) -> bytes:
        """It has come already."""
        return future

    def cancel(self, future: bytes) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class _Ended:
    project: Project
    status: int
    document: dict[str, Any]
    words: list[str]

    def remembered(self) -> list[tuple[str, str, str]]:
        """The runs of the history."""
        connection = sqlite3.connect(self.project.folder / "memory.db")
        found = connection.execute("SELECT run_id, mode, reason FROM runs ORDER BY run_no").fetchall()
        connection.close()
        return found


def _run(project: Project, patch: pytest.MonkeyPatch, *words: str) -> _Ended:
    made = _Workers()
    given = ["vantages", "site", "--scheduler=tcp://127.0.0.1:1", "--history=memory.db", *words]
    patch.chdir(project.folder)
    patch.setattr(cluster, "Cluster", lambda *_: made)
    patch.setattr(sys, "argv", ["postdeploy", *given])
    status = main(given)
    return _Ended(project, status, project.document(), made.orders[0]["arguments"])


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ended]:
    """A scheduled run from two places, of a site with a check that fails."""
    with serve() as url, pytest.MonkeyPatch.context() as patch:
        project = Project(tmp_path_factory.mktemp("monitored"), url, _SUITE)
        main(["keygen", f"--out={project.folder / 'own'}"])
        words = ["--vantage=eu,us", "--monitor", "--run-id=one", "--sign-key=own.key", "--report=junit", "--only=home"]
        yield _run(project, patch, *words, "--browser-executable=/opt/chromium", "--deadline=19s")


def test_a_scheduled_run_is_counted_once(monitored: _Ended) -> None:
    """The whole is remembered and alerted of; what each vantage saw is neither, and nothing is rolled back."""
    document = monitored.document
    assert (monitored.status, document["verdict"], document["action"]) == (10, "fail", "hold"), document["vantages"]
    assert document["run"]["mode"] == "monitor"
    assert [each["state"] for each in document["vantages"]] == ["answered", "answered"]
    assert (monitored.project.folder / "reports/verdict.dsse.json").exists()
    assert monitored.remembered() == [("one", "monitor", "confirmed_failure")]
    assert json.loads((monitored.project.folder / "reports/monitor.json").read_text())["run"]["id"] == "one"


def test_what_each_vantage_is_told(monitored: _Ended) -> None:
    """Options of a run are passed on; what is about the whole is not."""
    assert monitored.words == [
        "verify", "site", "--vantage=eu", "--run-id=one.eu.1", monitored.words[4], "--history=off", "--deadline=19s",
        "--browser-executable=/opt/chromium", "--only=home",
    ]  # fmt: skip
    assert monitored.document["narrowed_by"] == ["--only home"]


def test_reports_are_of_the_whole(monitored: _Ended) -> None:
    """They lie beside its verdict."""
    assert "failed at eu, us" in (monitored.project.folder / "reports/junit.xml").read_text()


def test_the_history_is_the_baseline_everywhere(monitored: _Ended, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed on the release before holds, at every vantage; monitors know that a deploy is verified."""
    checks = [memories.check(check["id"], "failed") for check in monitored.document["checks"]]
    before = memories.run("before", *checks, target="site", started=time.time() - 60, release="r0", expected="r0")
    database = open_database(Place(file=monitored.project.folder / "memory.db"))
    write_run(database, before, Retention(), now=time.time())
    found = _run(monitored.project, monkeypatch, "--vantage=us", "--release=r1", "--run-id=two")
    assert (found.status, found.document["reason"]) == (10, "already_broken"), found.document["vantages"]
    memory = monitored.project.folder / "memory.db"
    assert found.document["baseline"] == {"release": "r0", "source": f"history {memory}, run before"}
    assert [name for name, _, _ in found.remembered()] == ["one", "before", "two"]
    assert database.rows("SELECT run_id FROM deploys") == [("two",)]
    database.close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--report=pdf",), "--report: unknown format 'pdf'"),
        (("--baseline=targets.yaml",), "--baseline targets.yaml: not a sealed verdict"),
        (("--history=ftp://host",), "'ftp://host' is no place of a history"),
        (("--sign-key=nowhere.key",), "nowhere.key: the key cannot be read"),
    ],
    ids=["report", "baseline", "history", "key"],
)
def test_what_is_written_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    """It is told before anybody is asked for anything."""
    project = Project(tmp_path, "http://127.0.0.1:9")
    monkeypatch.chdir(project.folder)
    assert main(["vantages", "site", "--scheduler=tcp://127.0.0.1:1", "--vantage=eu,us", *words]) == 4
    assert told in capsys.readouterr().err


def test_no_password_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URL of a history stands among the arguments of the command, and nowhere in what it writes."""
    project = Project(tmp_path, "http://127.0.0.1:9")
    words = ["vantages", "site", "--scheduler=http://x", "--history=postgresql://me:s3cret@127.0.0.1:1/db"]
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(sys, "argv", ["postdeploy", *words])
    assert main(words) == 4
    assert project.document()["run"]["argv"][-1] == "--history=postgresql://me:***@127.0.0.1:1/db"
    assert "s3cret" not in project.verdict.read_text()
