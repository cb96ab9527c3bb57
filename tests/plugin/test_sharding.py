"""``--shard`` deals a suite out; ``postdeploy merge`` makes one verdict of the parts."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postdeploy.cli import main

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project


def _write(project: Project) -> None:
    project.suite("\n".join(f"- {{name: n{n}, get: 'api:/ok/{n}', expect: {{status: 200}}}}" for n in range(4)))
    project.tests("""
        @pytest.mark.parametrize("number", [4, 5, 6])
        def test_more(api, number):
            assert api.get(f"/ok/{number}").status_code == 200
    """)


def _merge(parts: Path, reports: Path, *more: str) -> int:
    return main(["merge", str(parts), f"--reports={reports}", "--target=local", *more])


def _gate(reports: Path, *more: str) -> int:
    return main(["gate", f"--verdict={reports / 'verdict.json'}", "--target=local", *more])


def test_two_parts_are_one_run(both: Project, peer: Peer, tmp_path: Path) -> None:
    """Each check is asked once, neither part can promote, both together do, and the gate believes it."""
    _write(both)
    for index in (1, 2):
        run = both.run(f"--shard={index}/2")
        run.require(10, "suite_narrowed")
        assert run.verdict["narrowed_by"] == [f"--shard {index}/2"]
        assert len(run.outcomes()) == 7
        shutil.copytree(run.reports, tmp_path / "parts" / str(index))
    assert sorted(path for _, path in peer.seen if path != "/") == [f"/ok/{number}" for number in range(7)]
    merged, memory = tmp_path / "merged", tmp_path / "memory.db"
    assert _merge(tmp_path / "parts", merged, f"--history={memory}") == 0
    document = json.loads((merged / "verdict.json").read_text())
    assert {check["outcome"] for check in document["checks"]} == {"passed"}
    assert _gate(merged) == 0
    assert _merge(tmp_path / "parts", merged, f"--history={memory}") == 0
    connection = sqlite3.connect(memory)
    assert connection.execute("SELECT run_id, verdict, passed FROM runs").fetchall() == [
        (document["run"]["id"], "pass", 7)
    ]  # once, however often it is merged
    connection.close()


def test_a_part_that_is_missing_or_altered(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing passes, an older verdict is withdrawn, and it is said which part it was."""
    _write(project)
    for index in (1, 2):
        shutil.copytree(project.run(f"--shard={index}/2").reports, tmp_path / "parts" / str(index))
    merged = tmp_path / "merged"
    assert _merge(tmp_path / "parts", merged) == 0
    verdict = tmp_path / "parts" / "2" / "verdict.json"
    verdict.write_text(verdict.read_text().replace('"errored": 0', '"errored": 1'))
    assert (_merge(tmp_path / "parts", merged), _gate(merged)) == (10, 10)
    assert "parts/2 proves nothing: the verdict does not follow from its evidence" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "parts" / "2")
    assert _merge(tmp_path / "parts", merged) == 10
    assert "shard 2/2 is missing" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "parts")
    assert (_merge(tmp_path / "parts", merged), _gate(merged)) == (10, 30)


def test_a_failure_in_one_part(project: Project, tmp_path: Path) -> None:
    """It rolls back, by itself and merged, with its evidence beside the merged verdict."""
    project.suite(
        "- {name: good, get: 'api:/ok', expect: {status: 200}}\n- {name: bad, get: 'api:/bad', expect: {status: 200}}"
    )
    statuses = []
    for index in (1, 2):
        run = project.run(f"--shard={index}/2")
        statuses.append(run.status)
        shutil.copytree(run.reports, tmp_path / "parts" / str(index))
    assert sorted(statuses) == [10, 20]
    assert _merge(tmp_path / "parts", tmp_path / "merged") == 20


def test_what_broke_before_is_no_reason_to_roll_back(project: Project, peer: Peer, tmp_path: Path) -> None:
    """A part asks the history for its baseline, which is that of the whole; it is neither remembered nor a deploy."""
    release = "{from: 'api:/ok/build', json: $.release, within: 1s, consecutive: 1, interval: 20ms}"
    project.target(f"release: {release}\n")
    project.suite("- {name: old, get: 'api:/bad', expect: {status: 200}}")
    memory = f"--history={tmp_path / 'memory.db'}"
    peer.release = "r1"
    project.run(memory, "--release=r1").require(20, "confirmed_failure")
    peer.release = "r2"
    part = project.run(memory, "--release=r2", "--shard=1/1")
    part.require(10, "already_broken")
    shutil.copytree(part.reports, tmp_path / "parts" / "1")
    assert _merge(tmp_path / "parts", tmp_path / "merged", "--release=r2", memory) == 10
    with sqlite3.connect(tmp_path / "memory.db") as database:
        found = database.execute("SELECT expected, reason FROM runs ORDER BY run_no").fetchall()
        assert database.execute("SELECT COUNT(*) FROM deploys").fetchone() == (0,)
    assert found == [("r1", "confirmed_failure"), ("r2", "already_broken")]


def test_more_parts_than_checks(project: Project, tmp_path: Path) -> None:
    """A part without checks is well."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    for index in (1, 2):
        shutil.copytree(project.run(f"--shard={index}/2").reports, tmp_path / "parts" / str(index))
    assert _merge(tmp_path / "parts", tmp_path / "merged") == 0


def test_balanced_by_an_earlier_run(project: Project, peer: Peer, tmp_path: Path) -> None:
    """One slow check on one machine, the quick ones on the other."""
    quick = "\n".join(f"- {{name: n{n}, get: 'api:/ok/{n}', expect: {{status: 200}}}}" for n in range(4))
    project.suite(f"{quick}\n- {{name: slow, get: 'api:/slow/0.7', expect: {{status: 200}}}}")
    before = tmp_path / "before.json"
    shutil.copy(project.run().reports / "verdict.json", before)
    peer.reset()
    project.run("--shard=1/2", f"--shard-by={before}").require(10, "suite_narrowed")
    assert [path for _, path in peer.seen if path != "/"] == ["/slow/0.7"]


def test_balanced_by_the_history(project: Project, peer: Peer, tmp_path: Path) -> None:
    """The newest complete run, or the one that is named; workers are told, and the journal says by which run."""
    quick = "\n".join(f"- {{name: n{n}, get: 'api:/ok/{n}', expect: {{status: 200}}}}" for n in range(4))
    project.suite(f"{quick}\n- {{name: slow, get: 'api:/slow/0.7', expect: {{status: 200}}}}")
    history = f"--history={tmp_path / 'h.sqlite3'}"
    run = project.run(history).verdict["run"]["id"]
    for words in (["--shard-by=history"], [f"--shard-by=history:{run}", "-n2"]):
        peer.reset()
        part = project.run("--shard=1/2", history, *words)
        part.require(10, "suite_narrowed")
        assert [path for _, path in peer.seen if path != "/"] == ["/slow/0.7"]
        assert f"--shard-by {run} sha256:" in str(part.verdict["narrowed_by"])


def test_a_history_that_is_away(project: Project, tmp_path: Path) -> None:
    """The parts are of one size, it is told, and the journal says that nothing was known."""
    _write(project)
    part = project.run("--shard=1/2", "--shard-by=history", f"--history={tmp_path / 'missing' / 'h.sqlite3'}")
    part.require(10, "suite_narrowed")
    assert "the parts are of one size, as the history cannot be read" in part.err
    assert "--shard-by nothing sha256:" in str(part.verdict["narrowed_by"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard=3/2"], "--shard: '3/2' is no shard; write INDEX/COUNT"),
        (["--shard-by=x"], "there is no --shard"),
        (["--shard=1/2", "--shard-by=nowhere.json"], "not a sealed verdict"),
        (["--shard=1/2", "--shard-by=history"], "name a history with --history"),
    ],
)
def test_what_cannot_be_dealt_out(project: Project, peer: Peer, options: list[str], said: str) -> None:
    """Refused with status 4."""
    _write(project)
    run = project.run(*options)
    assert run.status == 4
    assert said in run.out + run.err
    assert all(path == "/" for _, path in peer.seen)


def test_the_budget_is_shared(project: Project) -> None:
    """Machines together keep to what the target allows."""
    _write(project)
    project.target("budget: {requests: 100, per_second: 50}\n")
    run = project.run("--shard=1/4")
    assert run.verdict["budget"]["requests_allowed"] == 25


def test_signed(project: Project, tmp_path: Path) -> None:
    """The merged verdict is signed by who merges, and only what was signed is merged."""
    key, public = tmp_path / "own.key", tmp_path / "own.pub"
    main(["keygen", f"--out={tmp_path / 'own'}"])
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    shutil.copytree(project.run("--shard=1/1").reports, tmp_path / "parts" / "1")
    merged = tmp_path / "merged"
    assert _merge(tmp_path / "parts", merged, f"--sign-key={key}") == 0
    assert _gate(merged, f"--public-key={public}") == 0
    assert _merge(tmp_path / "parts", merged, f"--public-key={public}") == 10
    assert _gate(merged, f"--public-key={public}") == 30


def test_into_one_of_the_parts(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, and nothing is lost."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    run = project.run("--shard=1/1")
    before = (run.reports / "verdict.json").read_bytes()
    assert _merge(run.reports, run.reports) == 4
    assert "name another folder with --reports" in capsys.readouterr().err
    assert (run.reports / "verdict.json").read_bytes() == before
