"""What a worker does with an order, without a cluster; what it takes and sends is bytes of JSON."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from postdeploy.cli import main
from postdeploy.domain.policy import Policy
from postdeploy.errors import VantageError
from postdeploy.exporters.reading import message
from postdeploy.vantages.cluster import Certificates, check_address
from postdeploy.vantages.errand import run_errand
from postdeploy.vantages.gathering import Limits
from postdeploy.vantages.parcel import gather, to_json, unpack
from postdeploy.vantages.project_files import project_files
from postdeploy.vantages.run import Errand, verify_from


class _Here:
    """A cluster of this machine alone: every order is carried out at once, and its answer may be altered."""

    def __init__(self, alter: Any = None) -> None:
        self._alter = alter

    def workers(self) -> dict[str, Any]:
        class Worker:
            vantages, last_seen = frozenset({"eu", "us"}), 0.0

        return {"here": Worker()}

    def send(self, order: bytes, vantage: str, address: str, key: str) -> bytes:
        assert (address, key.partition(".")[0]) == ("here", "run")
        answer = run_errand(order)
        return bytes(self._alter(vantage, answer)) if self._alter else answer

    def answer(self, future: bytes) -> bytes:
        return future

    def cancel(self, future: bytes) -> None:
        """Nothing is left to do."""


def _errand(files: dict[str, bytes], **changes: Any) -> Errand:
    tool = {"name": "pytest-postdeploy", "version": "1", "python": "3"}
    facts: dict[str, Any] = {
        "target": "local", "release": None, "run": {"id": "run", "argv": [], "pid": 1, "tool": tool},
        "names": ("eu", "us"),
        "about": {"target": {"name": "local"}, "policy": Policy().to_json(), "expected": None},
        "arguments": [], "files": files,
    }  # fmt: skip
    return Errand(**facts | changes)


_FILES = {
    "targets.yaml": b"targets: {local: {services: {api: 'http://127.0.0.1:9'}, policy: {deadline: 5s}}}",
    "suites/a.yaml": b"checks: [{name: one, get: 'api:/', expect: {status: 200}}]",
    "pyproject.toml": b'[tool.pytest]\ntestpaths = ["suites"]\n',
}


def test_an_answer_of_another_run(tmp_path: Path) -> None:
    """The run of one vantage is not that of another, and what was altered on the way proves nothing."""
    kept: dict[str, bytes] = {}

    def swap(vantage: str, answer: bytes) -> bytes:
        kept.setdefault("eu", answer)
        return kept["eu"] if vantage == "us" else answer

    verdict = verify_from(_errand(_FILES), _Here(swap), Limits(60.0), tmp_path)
    document = json.loads((tmp_path / "verdict.json").read_text())
    assert (verdict.conclusion.value, document["state"]) == ("inconclusive", "sealed")
    states = {each["name"]: (each["state"], each["summary"]) for each in document["vantages"]}
    assert states["eu"][0] != "lost"
    assert states["us"] == ("lost", "what came back proves nothing: the verdict is of run run.eu.1, not run.us.1")


def test_nothing_comes_back(tmp_path: Path) -> None:
    """Both are lost with what was said, and the verdict is sealed all the same."""
    verdict = verify_from(_errand({}, there=str(tmp_path / "nowhere")), _Here(), Limits(60.0), tmp_path)
    assert verdict.summary.startswith("0 of 2 vantages passed and 2 are needed; eu: there is no folder")
    _require_reports(tmp_path)


def _require_reports(reports: Path) -> None:
    """Every format can be made of the verdict."""
    assert main(["report", f"--verdict={reports / 'verdict.json'}", "--format=all"]) == 0
    assert json.loads((reports / "ctrf.json").read_text())


def test_reports_say_where(tmp_path: Path) -> None:
    """At which vantage a check ended how, in each of them."""
    outcomes = {"eu": "failed", "us": "passed", "ap": None, "sa": "failed"}
    check = {"attempts": [], "reason": "it failed", "outcomes": outcomes}
    assert message(check) == "it failed\nfailed at eu, sa; passed at us; no answer at ap"


def test_another_project_than_was_ordered() -> None:
    """Its digest is another: nothing of it runs."""
    order = {"arguments": ["verify", "local"], "wall_clock": 5.0, "most": 1000, "there": None,
             "files": to_json(_FILES), "sha256": hashlib.sha256(b"other").hexdigest()}  # fmt: skip
    answer = json.loads(run_errand(json.dumps(order).encode()))
    assert answer == {"problem": "the project is not the one that was ordered"}


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "", "a\\b", "a\0b"])
def test_a_parcel_holds_nothing_for_elsewhere(name: str, tmp_path: Path) -> None:
    """Whoever sends it."""
    with pytest.raises(VantageError, match="lies elsewhere"):
        unpack({name: ""}, tmp_path)


@pytest.mark.parametrize("raw", [None, [], {"a": "no base64!"}, {"a": 1}, {"a": "", "a/b": ""}])
def test_a_parcel_that_is_none(raw: Any, tmp_path: Path) -> None:
    """It is an error, and no other one than ours."""
    with pytest.raises(VantageError):
        unpack(raw, tmp_path)


def test_a_parcel_has_a_bound(tmp_path: Path) -> None:
    """What comes first is sent; what does not fit any more is left out."""
    for name, size in (("a", 10), ("b", 100), ("c", 10)):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to("a")
    paths = [tmp_path / name for name in ("a", "b", "c", "link", "gone")]
    assert list(gather(tmp_path, paths, 50)) == ["a", "c"]


def _project(root: Path, settings: str = "pyproject.toml") -> Path:
    texts = {
        "pyproject.toml": '[tool.pytest]\ntestpaths = ["suites"]\n',
        "pytest.ini": "[pytest]\ntestpaths = suites\n",
        "setup.cfg": "[tool:pytest]\ntestpaths = suites\n",
    }
    for path, text in {
        "targets.yaml": "", "conftest.py": "", "suites/a.yaml": "", "suites/deep/test_b.py": "",
        "suites/.env": "SECRET=1",
        "suites/__pycache__/x.pyc": "", ".env": "SECRET=1", "deploy.key": "SECRET", settings: texts[settings],
    }.items():  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.mark.parametrize("settings", ["pyproject.toml", "pytest.ini", "setup.cfg"])
def test_what_of_a_project_is_sent(tmp_path: Path, settings: str) -> None:
    """Targets, suite, settings; neither hidden files nor anything else that lies about."""
    root = _project(tmp_path, settings)
    found = project_files(root, root / "targets.yaml", (), 10_000)
    assert sorted(found) == sorted(["targets.yaml", "conftest.py", "suites/a.yaml", "suites/deep/test_b.py", settings])
    assert "deploy.key" in project_files(root, root / "targets.yaml", ("deploy.key",), 10_000)


def test_what_of_a_project_cannot_be_sent(tmp_path: Path) -> None:
    """What lies outside, what is too large, what is not there; and a suite that nobody has named."""
    root = _project(tmp_path / "project")
    targets = root / "targets.yaml"
    with pytest.raises(VantageError, match="at most 10 are sent"):
        project_files(root, targets, (), 10)
    with pytest.raises(VantageError, match="there is no 'more'"):
        project_files(root, targets, ("more",), 10_000)
    (tmp_path / "outside.py").write_text("")
    (root / "suites" / "link.py").symlink_to(tmp_path / "outside.py")
    with pytest.raises(VantageError, match="lies outside of the project"):
        project_files(root, targets, (), 10_000)
    (root / "pyproject.toml").unlink()
    with pytest.raises(VantageError, match="set 'testpaths' of pytest"):
        project_files(root, targets, (), 10_000)


def test_a_scheduler_that_anybody_could_use() -> None:
    """Without TLS it has to be on this machine, or somebody has to say that the network is theirs alone."""
    files = Certificates("ca.pem", "client.pem", "client.key")
    check_address("tls://scheduler:8786", files, plain=False)
    check_address("tcp://127.0.0.1:8786", None, plain=False)
    check_address("tcp://scheduler:8786", None, plain=True)
    for address, given, words in (
        ("tcp://scheduler:8786", None, "neither encrypted nor authenticated"),
        ("tls://scheduler:8786", None, "needs --tls-ca"),
        ("scheduler:8786", None, "such as tls://"),
        ("http://scheduler:8786", files, "such as tls://"),
    ):
        with pytest.raises(VantageError, match=words):
            check_address(address, given, plain=False)
