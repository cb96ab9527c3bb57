from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from postdeploy.domain.alert import AlertState
from postdeploy.domain.mute import Deploy
from postdeploy.history.alerts import begin_deploy, read_state
from postdeploy.history.database import Database, open_database
from postdeploy.history.place import Place
from postdeploy.lazy_dataclass import replace
from postdeploy.monitoring.local_state import LocalState, place_of
from postdeploy.monitoring.store import Store

Opened = Callable[[Place], Database]
NOW = 1_800_000_000.0


def grown(state: AlertState, deploys: tuple[Deploy, ...] = ()) -> AlertState:
    """The next version, which says which deploys there are."""
    return replace(state, version=state.version + 1, told=tuple(each.run for each in deploys))


def test_shared(place: Place, tmp_path: Path) -> None:
    """Monitors of one history go on from each other's state, and know its deploys."""
    warnings: list[str] = []
    stores = [Store(place, tmp_path / name, "site", warnings.append) for name in ("one.json", "two.json")]
    assert [store.change(grown, NOW).version for store in (*stores, *stores)] == [1, 2, 3, 4]
    with closing(open_database(place)) as database:
        begin_deploy(database, "site", "deploy", NOW)
    assert stores[0].change(grown, NOW + 1).told == ("deploy",)
    assert LocalState.read(tmp_path / "one.json", "site").deploys == (Deploy("deploy", NOW),)
    assert warnings == []


def test_without_a_history(tmp_path: Path) -> None:
    """The state is in a file, beside those of other targets."""
    for target in ("site", "shop", "site"):
        assert Store(None, tmp_path / "alerts.json", target, pytest.fail).change(grown, NOW).target == target
    assert LocalState.read(tmp_path / "alerts.json", "site").state == AlertState("site", 2)


def test_a_history_that_is_away(tmp_path: Path) -> None:
    """What happens meanwhile is not lost: the state of this machine goes on, and the history has it afterwards."""
    file, warnings = tmp_path / "history.sqlite3", list[str]()
    local = tmp_path / "alerts.json"
    Store(Place(file=file), local, "site", warnings.append).change(grown, NOW)
    file.rename(tmp_path / "away")
    file.mkdir()
    assert Store(Place(file=file), local, "site", warnings.append).change(grown, NOW).version == 2
    assert "alerts are kept by this machine alone for now" in warnings[0]
    file.rmdir()
    (tmp_path / "away").rename(file)
    assert Store(Place(file=file), local, "site", warnings.append).change(grown, NOW).version == 3
    with closing(open_database(Place(file=file))) as database:
        assert read_state(database, "site") == AlertState("site", 3)
    assert len(warnings) == 1


def test_a_history_that_is_locked(tmp_path: Path) -> None:
    """A writer that does not end is waited for no longer than patience allows."""
    place, warnings = Place(file=tmp_path / "history.sqlite3"), list[str]()
    with closing(open_database(place, create=True)) as other, other.writing():
        store = Store(place, tmp_path / "alerts.json", "site", warnings.append, patience=0.2)
        assert store.change(grown, NOW).version == 1
        assert store.change(grown, NOW).version == 2
    assert (len(warnings), store.shared) == (1, False)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": "x"}', '{"schema": "postdeploy/alerts/1", "targets": {"site": 3}}']
)
def test_a_file_that_is_none(tmp_path: Path, text: str) -> None:
    """A file that is broken is told, and begun anew."""
    local, warnings = tmp_path / "alerts.json", list[str]()
    local.write_text(text)
    assert Store(None, local, "site", warnings.append).change(grown, NOW).version == 1
    assert "it is begun anew" in warnings[0]
    assert LocalState.read(local, "site").state == AlertState("site", 1)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Where nothing can be kept, that is told, and the run counts all the same."""
    (tmp_path / "file").write_text("")
    warnings: list[str] = []
    assert Store(None, tmp_path / "file" / "alerts.json", "site", warnings.append).change(grown, NOW).version == 1
    assert len(warnings) == 2


def test_where_the_file_is(tmp_path: Path) -> None:
    """Beside the reports folder, which may be cleared."""
    assert place_of(tmp_path / "reports") == tmp_path / "reports.alerts.json"
    assert place_of(Path("/")) == Path("/alerts.json")
