from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.cli import main
from postdeploy.domain.evidence import Evidence
from postdeploy.journal import render_record
from postdeploy.lazy_dataclass import replace
from postdeploy.replay import find_journals, replay, tell
from tests.domain import builders as make

TARGETS = """
targets:
  gentle:
    services: {web: "https://web.test"}
    secrets: {token: "${NEVER_SET}"}
    policy: {actions: {critical: hold}}
  lenient:
    services: {web: "https://web.test"}
    policy: {flaky: 9}
"""


def store(folder: Path, run: Evidence) -> Path:
    """The journal of a run."""
    folder.mkdir(parents=True)
    path = folder / "evidence.jsonl"
    path.write_bytes(b"".join(render_record(record) for record in make.records(run)))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A pass, a failure, and a run with four flaky checks."""
    flaky = [make.result(f"f{n}", "failed", "passed") for n in range(4)]
    store(tmp_path / "runs/1", make.evidence(make.passed()))
    store(tmp_path / "runs/2", make.evidence(make.failed()))
    store(tmp_path / "runs/3", make.evidence(*flaky))
    (tmp_path / "targets.yaml").write_text(TARGETS)
    return tmp_path


def told(runs: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What the command says, without the names of files."""
    assert main(["replay", str(runs / "runs"), "--targets", str(runs / "targets.yaml"), *words]) == 0
    return [line.split(str(runs))[0].strip() for line in capsys.readouterr().out.splitlines()]


def test_under_its_own_policy_nothing_changes(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each run is judged as it was; what was not promoted counts as blocked."""
    begin = "1970-01-12T13:46:40.000Z  staging  r2"
    assert told(runs, capsys) == [
        f"{begin}  promote (all_required_passed) == promote (all_required_passed)",
        f"{begin}  rollback (confirmed_failure) == rollback (confirmed_failure)",
        f"{begin}  hold (flaky_unresolved) == hold (flaky_unresolved)",
        "would have blocked 2 of 3 deployments (1 rolled back, 1 held); 0 otherwise than they were",
    ]


@pytest.mark.parametrize(
    ("policy", "last"),
    [
        ("gentle", "would have blocked 2 of 3 deployments (0 rolled back, 2 held); 1 otherwise than they were"),
        ("lenient", "would have blocked 1 of 3 deployments (1 rolled back, 0 held); 1 otherwise than they were"),
    ],
)
def test_under_another_policy(runs: Path, capsys: pytest.CaptureFixture[str], policy: str, last: str) -> None:
    """The policy of any target can be tried before it gates anything; its secrets need not be set."""
    assert told(runs, capsys, "--policy", policy)[-1] == last


def test_what_was_no_deployment_is_not_counted(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scheduled run, a shard, one vantage and a copy are told; they decided about nothing that would be blocked."""
    others: list[dict[str, object]] = [{"mode": "monitor"}, {"vantage": "eu"}, {}, {"shards": []}]
    for number, more in enumerate(others):
        run = make.evidence(make.failed(), run={**make.evidence().run, **more, "id": f"other-{number}"})
        store(runs / f"runs/other-{number}", replace(run, narrowed_by=("--shard 1/2",) if number > 1 else ()))
    (runs / "runs/copy").mkdir()
    (runs / "runs/copy/evidence.jsonl").write_bytes((runs / "runs/2/evidence.jsonl").read_bytes())
    lines = told(runs, capsys)
    assert len(lines) == 9
    assert lines[-1] == (
        "would have blocked 3 of 4 deployments (2 rolled back, 1 held); 0 otherwise than they were; "
        "4 scheduled runs, parts and copies are not counted"
    )


def test_what_cannot_be_read_is_said(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no journal is named, the others are judged, and the status is 1."""
    broken = runs / "runs/2/evidence.jsonl"
    broken.write_bytes(b"{\n")
    assert main(["replay", str(runs / "runs")]) == 1
    out = capsys.readouterr().out
    assert f"{broken}: {broken}:1: not a record" in out
    assert out.endswith("; 1 could not be read\n")


def test_nothing_to_judge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without journals has nothing to say, and that is no success."""
    assert main(["replay", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "would have blocked 0 of 0 deployments; 0 otherwise than they were\n"


def test_an_unknown_target_is_a_usage_error(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The targets that there are, or the nearest one, are named."""
    assert main(["replay", str(runs), "--policy", "gentel", "--targets", str(runs / "targets.yaml")]) == 4
    assert "gentle" in capsys.readouterr().err


def test_journals_are_found_in_folders(runs: Path) -> None:
    """A folder is searched to its depth, a file is taken as it is."""
    found = list(find_journals([runs / "runs", runs / "runs/1/evidence.jsonl"]))
    assert [path.parent.name for path in found] == ["1", "2", "3", "1"]
    assert len(list(tell(replay(found, None)))) == 5
