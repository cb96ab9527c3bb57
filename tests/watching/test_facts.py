from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postdeploy.errors import DocumentError
from postdeploy.lazy_dataclass import replace
from postdeploy.watching.facts import LAST, WATCH_FILE, LastRun, WatchFacts, read_watch, write_watch

RUN = LastRun("r", 100.0, 1.5, 0.25, 10, "fail", "confirmed_failure", 8, 7, "runs/r")
FACTS = WatchFacts("site", 60.0, 42, 10.0, 20.0, missed=3, running="next", running_since=130.0, due=160.0)


def test_read_as_written(tmp_path: Path) -> None:
    """What was written is read again, with a run or without."""
    for facts in (FACTS, FACTS.ended(RUN, sealed=True), replace(FACTS, stopped=170.0)):
        write_watch(tmp_path, facts, now=140.0)
        assert read_watch(tmp_path) == replace(facts, updated=140.0)


def test_after_a_run() -> None:
    """A run is counted, and no longer under way; one without a verdict of its own is counted as lost, too."""
    after = FACTS.ended(RUN, sealed=True).ended(replace(RUN, duration=2.5), sealed=False)
    assert (after.runs, after.lost, after.missed, after.running, after.durations) == (2, 1, 3, None, (1.5, 2.5))


def test_durations_are_bounded() -> None:
    """A monitor that lives for years tells of its newest runs only."""
    facts = FACTS
    for number in range(LAST + 10):
        facts = facts.ended(replace(RUN, duration=float(number)), sealed=True)
    assert facts.durations == tuple(map(float, range(10, LAST + 10)))


@pytest.mark.parametrize(
    "wrong", [{"schema": "postdeploy/watch/2"}, {"runs": "8"}, {"missed": True}, {"last": {}}, {"durations": 4}]
)
def test_what_is_none(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A file that says something else is refused, by its name."""
    write_watch(tmp_path, FACTS.ended(RUN, sealed=True), now=140.0)
    path = tmp_path / WATCH_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | wrong))
    with pytest.raises(DocumentError, match=r"watch\.json: not "):
        read_watch(tmp_path)


def test_none_is_there(tmp_path: Path) -> None:
    """That there is no monitor is told by the name of the file that is missing."""
    with pytest.raises(DocumentError, match=r"watch\.json: no such file"):
        read_watch(tmp_path)


def test_newer_facts(tmp_path: Path) -> None:
    """What a newer version adds is no reason to refuse."""
    write_watch(tmp_path, FACTS, now=140.0)
    path = tmp_path / WATCH_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"mood": "good"}))
    assert read_watch(tmp_path).target == "site"
