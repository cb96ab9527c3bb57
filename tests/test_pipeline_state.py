from __future__ import annotations

import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from postdeploy.errors import JournalError
from postdeploy.pipeline_state import Begun, PipelineState, default_place, new_run_id

RUN = Begun("run-1", "staging", "r2", 1000.0, {"web": "https://web.test"}, "sha256:cc")


@pytest.fixture
def state(tmp_path: Path) -> PipelineState:
    """States in a folder that is not there yet."""
    return PipelineState(str(tmp_path / "deep" / "states"))


def test_round_trip(state: PipelineState) -> None:
    """What was begun is remembered, in a folder of its owner's alone."""
    path = Path(state.open(RUN))
    assert path == Path(state.folder) / "run-1.json"
    assert state.read("run-1") == RUN
    assert Path(state.folder).stat().st_mode & 0o777 == 0o700
    bare = Begun("run-2", "staging", None, 1000.0, {}, "sha256:cc")
    state.open(bare)
    assert state.read("run-2") == bare


def test_accepted_once(state: PipelineState) -> None:
    """A run is accepted once, and not read again."""
    state.open(RUN)
    state.accept("run-1")
    assert Path(state.path("run-1") + ".accepted").stat().st_mode & 0o777 == 0o600
    for again in (state.accept, state.read):
        with pytest.raises(JournalError, match="the run run-1 was accepted before; a verdict is accepted once"):
            again("run-1")


@pytest.mark.parametrize("name", ["", ".", "..", "../run-1", "a/b", "/etc/passwd", "run 1", "-x", "run-1\n"])
def test_names(state: PipelineState, name: str) -> None:
    """A name that gate begin cannot have given leads to no file."""
    for use in (state.read, state.accept, state.path):
        with pytest.raises(JournalError, match="is no name of a run that gate begin has given"):
            use(name)


def test_never_begun(state: PipelineState) -> None:
    """A run that nobody has begun here is unknown."""
    with pytest.raises(JournalError, match=r"no run run-1 was begun here: .*run-1\.json: no such file"):
        state.read("run-1")


@pytest.mark.parametrize(
    ("key", "value"),
    [("schema", "other"), ("run_id", "run-2"), ("begun", True), ("urls", []), ("urls", {"web": 1}), ("release", 1),
     ("target", None), ("config", None), *((key, ...) for key in ("schema", "run_id", "release", "begun", "config"))],
    ids=str,
)  # fmt: skip
def test_what_is_no_state(state: PipelineState, key: str, value: Any) -> None:
    """A file that says something else, or less, is refused by its name."""
    path = Path(state.open(RUN))
    said = json.loads(path.read_bytes())
    path.write_text(json.dumps({name: each for name, each in (said | {key: value}).items() if each is not ...}))
    with pytest.raises(JournalError, match=r"run-1\.json: "):
        state.read("run-1")


def test_a_state_of_another_version(state: PipelineState) -> None:
    """Its schema is told, and the one that is read."""
    path = Path(state.open(RUN))
    path.write_bytes(path.read_bytes().replace(b"pipeline-state/1", b"pipeline-state/2"))
    words = "the schema is 'postdeploy/pipeline-state/2', this gate reads 'postdeploy/pipeline-state/1'"
    with pytest.raises(JournalError, match=f"{path}: {words}"):
        state.read("run-1")


def test_links_are_not_followed(state: PipelineState, tmp_path: Path) -> None:
    """Neither a state nor the mark of an accepted one is read or written through a link."""
    Path(state.open(RUN)).rename(tmp_path / "elsewhere.json")
    Path(state.path("run-1")).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(JournalError, match="a symbolic link"):
        state.read("run-1")
    Path(state.path("run-1") + ".accepted").symlink_to(tmp_path / "mark")
    with pytest.raises(JournalError, match="accepted before"):
        state.accept("run-1")
    assert not (tmp_path / "mark").exists()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be remembered nothing is begun or accepted."""
    (tmp_path / "file").write_text("")
    state = PipelineState(str(tmp_path / "file" / "states"))
    with pytest.raises(JournalError, match=r"states: cannot be made: not a directory"):
        state.open(RUN)
    with pytest.raises(JournalError, match=r"run-1\.json\.accepted: cannot be written: not a directory"):
        state.accept("run-1")


@pytest.mark.parametrize(
    ("target", "release", "words"),
    [
        (
            "production",
            "r2",
            "run-1 was begun for target 'staging' and release 'r2', not for target 'production'",
        ),
        ("staging", "r1", "not for target 'staging' and release 'r1'"),
        ("staging", None, "not for target 'staging' and no release"),
    ],
)
def test_begun_for_something_else(target: str, release: str | None, words: str) -> None:
    """A run is about what it was begun for."""
    RUN.require("staging", "r2")
    with pytest.raises(JournalError, match=words):
        RUN.require(target, release)


def test_run_ids() -> None:
    """A name has 128 bits of chance and sorts by time."""
    names = {new_run_id() for _ in range(100)}
    assert len(names) == 100
    assert all(re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{32}", name) for name in names)


def test_run_ids_name_the_time_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same moment has the same name in Seoul."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        assert abs(time.time() - datetime.strptime(new_run_id()[:15] + "+0000", "%Y%m%dT%H%M%S%z").timestamp()) < 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_default_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """States lie where states of a user lie."""
    monkeypatch.setenv("HOME", "/home/me")
    assert default_place({"XDG_STATE_HOME": "/state"}) == "/state/postdeploy"
    assert default_place({}) == default_place({"XDG_STATE_HOME": ""}) == "/home/me/.local/state/postdeploy"
