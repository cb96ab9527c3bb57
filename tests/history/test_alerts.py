from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from postdeploy.domain.alert import AlertState
from postdeploy.domain.mute import Deploy
from postdeploy.domain.retention import Retention
from postdeploy.errors import HistoryError
from postdeploy.history.alerts import begin_deploy, read_deploys, read_state, write_state
from postdeploy.history.database import Database, open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from tests.history.memories import NOW, run

Opened = Callable[[Place], Database]


def test_states(place: Place, opened: Opened) -> None:
    """A state is there again when it is asked for, by target."""
    database = opened(place)
    assert read_state(database, "site") is None
    for version in (1, 2):
        write_state(database, AlertState("site", version, told=("ü", "\0")))
        write_state(database, AlertState("shop", 9))
    with closing(open_database(place)) as other:
        assert read_state(other, "site") == AlertState("site", 2, told=("ü", "\0"))


def test_what_is_no_state(place: Place, opened: Opened) -> None:
    """Whatever somebody else has written is refused."""
    database = opened(place)
    write_state(database, AlertState("site"))
    database.execute("UPDATE alert_states SET state = '[]'")
    with pytest.raises(HistoryError, match="alerts of site cannot be read"):
        read_state(database, "site")


def test_deploys(place: Place, opened: Opened) -> None:
    """A run after a deploy is going on from its beginning until the history has it; others are no deploys."""
    database = opened(place)
    assert read_deploys(database, "staging", NOW) == ()
    for _ in range(2):
        begin_deploy(database, "staging", "run-1", NOW)
        begin_deploy(database, "shop", "run-2", NOW)
    assert read_deploys(database, "staging", NOW) == (Deploy("run-1", NOW),)
    for each in (run("run-1"), run("run-3", mode="monitor"), run("run-4", expected=None), run("run-5", at=1)):
        write_run(database, each, Retention(), now=NOW)
    ended = (Deploy("run-5", NOW + 1, NOW + 6), Deploy("run-1", NOW, NOW + 5))
    assert read_deploys(database, "staging", NOW + 9) == ended
    assert read_deploys(database, "staging", NOW + 90_000) == ()


def test_old_deploys(place: Place, opened: Opened) -> None:
    """A deploy of last week is forgotten with the next one."""
    database = opened(place)
    begin_deploy(database, "staging", "run-1", NOW)
    begin_deploy(database, "staging", "run-2", NOW + 8 * 86_400)
    assert database.rows("SELECT run_id FROM deploys") == [("run-2",)]
