from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.cli import main
from postdeploy.config import target_identity
from tests.sealed import KEY, OTHER_KEY, PASSED, seal, sign

TARGETS = """
targets:
  staging:
    services: {web: "https://web.test/", api: "https://${HOST}"}
    secrets: {token: "${TOKEN}"}
"""
ABOUT = ("--target=staging", "--release=r2")

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """``postdeploy gate`` in a project of its own; returns status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOST", "api.test")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TOKEN", raising=False)
    (tmp_path / "targets.yaml").write_text(TARGETS)

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["gate", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def begun(say: Say) -> str:
    """The id of a run that was begun about staging and r2."""
    status, out, _ = say("begin", *ABOUT)
    assert status == 0
    return out.strip()


def run(tmp_path: Path, run_id: str, **changes: Any) -> Path:
    """The reports of a run that has just passed with the configuration of this project; returns the verdict."""
    identity = target_identity(tmp_path / "targets.yaml", "staging", {"HOST": "api.test"})
    target = dict(PASSED.target) | {"services": dict(identity.services), "config": {"digest": identity.digest}}
    about = dict(PASSED.run) | {"id": run_id, "started": time.time()}
    facts: dict[str, Any] = {"run": about, "target": target, "finished_at": time.time()}
    return seal(tmp_path / "reports", replace(PASSED, **facts | changes))


def check(say: Say, run_id: str, *more: str) -> tuple[int, str]:
    """What ``gate check`` says about this run."""
    status, out, err = say("check", *ABOUT, "--run-id", run_id, *more)
    return status, (out + err).strip()


def test_begin(say: Say, tmp_path: Path) -> None:
    """Begin clears the folder, prints nothing but the run id, and says where it remembers it."""
    old = run(tmp_path, "run-0")
    status, out, err = say("begin", *ABOUT)
    state = tmp_path / "home" / "postdeploy" / f"{out.strip()}.json"
    assert (status, err) == (0, f"gate: run {out.strip()} is remembered in {state}\n")
    assert not old.exists()
    said = json.loads(state.read_bytes())
    assert said["urls"] == {"web": "https://web.test", "api": "https://api.test"}
    assert (said["target"], said["release"]) == ("staging", "r2")
    assert abs(said["begun"] - time.time()) < 60


def test_accepted_once(say: Say, begun: str, tmp_path: Path) -> None:
    """The verdict of the run that was begun is accepted, and not a second time."""
    run(tmp_path, begun)
    assert check(say, begun, "--rc=0") == (0, "gate: pass, promote: all_required_passed: 2 of 2 checks passed")
    words = f"gate: refused: the run {begun} was accepted before; a verdict is accepted once"
    assert check(say, begun, "--rc=0") == (30, words)


def test_a_refusal_uses_nothing_up(say: Say, begun: str, tmp_path: Path) -> None:
    """Only an accepted verdict is used up: a refused question may be asked again, rightly."""
    run(tmp_path, begun)
    assert check(say, begun, "--rc=10")[0] == 30
    assert check(say, begun, "--url=web=https://elsewhere.test")[0] == 30
    assert check(say, begun, "--rc=0", "--url=web=https://web.test")[0] == 0


def test_a_failure_is_accepted_once_too(say: Say, begun: str, tmp_path: Path) -> None:
    """A verdict that holds or rolls back is as much used up as one that promotes."""
    run(tmp_path, begun, narrowed_by=("-k",))
    assert check(say, begun)[0] == 10
    assert check(say, begun)[0] == 30


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--target=production", "--release=r2"), "was begun for target 'staging' and release 'r2', not for target 'p"),
        (("--target=staging", "--release=r1"), "and release 'r2', not for target 'staging' and release 'r1'"),
        (("--target=staging",), "and release 'r2', not for target 'staging' and no release"),
    ],
)
def test_begun_about_something_else(
    say: Say, begun: str, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    """What is checked has to be what was begun."""
    run(tmp_path, begun)
    status, _, err = say("check", "--run-id", begun, *words)
    assert (status, sentence in err) == (30, True), err


def test_another_run(say: Say, begun: str, tmp_path: Path) -> None:
    """The verdict of another run is refused, and so is a run that nobody begun."""
    run(tmp_path, "run-1")
    assert check(say, begun) == (30, f"gate: refused: the verdict is of run run-1, not {begun}")
    status, said = check(say, "run-1")
    assert (status, said.startswith("gate: refused: no run run-1 was begun here: ")) == (30, True)
    assert check(say, "../run-1")[0] == 30


def test_another_configuration(say: Say, begun: str, tmp_path: Path) -> None:
    """A run whose targets.yaml is not that of begin is refused, and so is one against other URLs."""
    (tmp_path / "targets.yaml").write_text(TARGETS + "    access: read-write\n")
    run(tmp_path, begun)
    assert "targets.yaml differs" in check(say, begun)[1]
    (tmp_path / "targets.yaml").write_text(TARGETS)
    run(tmp_path, begun, target=dict(PASSED.target) | {"services": {"web": "https://web.test"}})
    assert check(say, begun) == (
        30, "gate: refused: the verdict is about service api at None, not at https://api.test",
    )  # fmt: skip


def test_an_older_run(say: Say, begun: str, tmp_path: Path) -> None:
    """A run that started before it was begun is refused."""
    early = time.time() - 120
    run(tmp_path, begun, run=dict(PASSED.run) | {"id": begun, "started": early})
    assert ", before gate begin at " in check(say, begun)[1]


def test_signed(say: Say, begun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a key is demanded, a verdict without its signature is refused; one of several keys is enough."""
    (tmp_path / "a.pub").write_bytes(OTHER_KEY.public().pem())
    path = run(tmp_path, begun)
    assert "the verdict is not signed: " in check(say, begun, "--public-key=a.pub")[1]
    monkeypatch.setattr("tests.sealed.demand", lambda: demand_of(path))
    sign(path, KEY)
    assert "none of those that are demanded" in check(say, begun, "--public-key=a.pub")[1]
    monkeypatch.setenv("VERDICT_KEY", KEY.public().pem().decode())
    assert check(say, begun, "--public-key=a.pub", "--public-key=env:VERDICT_KEY")[0] == 0


def demand_of(path: Path) -> Any:
    """What the launcher asks of a verdict that it signs."""
    from postdeploy.gate import Demand

    return Demand("staging", "r2", json.loads(path.read_bytes())["run"]["id"], 900.0, time.time())


@pytest.mark.parametrize("key", ["missing.pub", "targets.yaml", "env:NOWHERE"])
def test_a_key_that_is_none(say: Say, begun: str, tmp_path: Path, key: str) -> None:
    """A key that cannot be read refuses everything: it does not count as no key."""
    run(tmp_path, begun)
    status, said = check(say, begun, f"--public-key={key}")
    assert (status, "key" in said) == (30, True)
    assert say("--target=staging", "--release=r2", f"--public-key={key}")[0] == 30


def test_the_simple_form_asks_the_same(say: Say, tmp_path: Path) -> None:
    """Without a memory, the gate can be asked for all of it, as often as one likes."""
    path = run(tmp_path, "run-1")
    said = json.loads(path.read_bytes())
    right = ("--rc=0", "--url=api=https://api.test", f"--config-digest={said['target']['config']['digest']}",
             f"--suite-digest={said['suite']['digest']}")  # fmt: skip
    assert say(*ABOUT, *right)[0] == say(*ABOUT, *right)[0] == 0
    for wrong in ("--rc=20", "--url=api=https://b.test", "--config-digest=sha256:0", "--suite-digest=sha256:0"):
        assert say(*ABOUT, wrong)[0] == 30


def test_places(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The state may lie anywhere but in the reports folder, and has to be where it was put."""
    status, out, err = say("begin", *ABOUT, "--state=reports/state")
    assert (status, out) == (30, "")
    assert "lies in the reports folder, where the run itself writes" in err
    status, out, _ = say("begin", *ABOUT, "--state=states", "--reports=out")
    assert (status, (tmp_path / "states" / f"{out.strip()}.json").is_file()) == (0, True)
    run(tmp_path, out.strip())
    assert check(say, out.strip())[0] == 30
    assert check(say, out.strip(), "--state=states")[0] == 0


def test_begin_without_a_configuration(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun for a target that is not there, or whose URL is not known; its secrets need not be."""
    assert say("begin", "--target=sight")[:2] == (4, "")
    monkeypatch.delenv("HOST")
    status, out, err = say("begin", *ABOUT)
    assert (status, out) == (4, "")
    assert "target 'staging' needs a variable that is not set (set it as for the run itself)" in err
    (tmp_path / "targets.yaml").unlink()
    assert say("begin", *ABOUT)[0] == 4


def test_begin_where_reports_cannot_be_cleared(say: Say, tmp_path: Path) -> None:
    """A reports folder that is a link to another place is not cleared, and nothing is begun."""
    (tmp_path / "real").mkdir()
    (tmp_path / "reports").symlink_to(tmp_path / "real")
    status, out, err = say("begin", *ABOUT)
    assert (status, out, "not a folder that can be cleared" in err) == (30, "", True)


@pytest.mark.parametrize(
    "words",
    [["begin"], ["check", *ABOUT], ["check", "--run-id=run-1"], [*ABOUT, "--rc="], [*ABOUT, "--url=web"],
     [*ABOUT, "--url==x"], [*ABOUT, "--url=web="], ["guess"], ["--release=r2"]],
    ids=str,
)  # fmt: skip
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A question that is not whole is refused with status 2, which holds."""
    with pytest.raises(SystemExit, match="2"):
        main(["gate", *words])
    assert "usage: postdeploy gate" in capsys.readouterr().err


def test_keygen(say: Say, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pair of keys is made once; the secret one is its owner's alone."""
    assert main(["keygen", "--out=some"]) == 0
    assert (tmp_path / "some.key").stat().st_mode & 0o777 == 0o600
    assert "keep it secret" in capsys.readouterr().out
    before = (tmp_path / "some.key").read_bytes()
    assert main(["keygen", "--out=some"]) == 1
    assert (tmp_path / "some.key").read_bytes() == before
    assert capsys.readouterr().err == "postdeploy: some.key is there already; name another pair with --out\n"
    (tmp_path / "half.pub").touch()
    assert main(["keygen", "--out=half"]) == 1
    assert not (tmp_path / "half.key").exists()
