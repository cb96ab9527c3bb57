"""A scripted week: real policy, state in a real database, real deliveries; only the clock is an argument."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from postdeploy.domain.alert import RunSeen
from postdeploy.domain.alerting import AlertPolicy
from postdeploy.domain.mute import DeployMute, Once, Weekly
from postdeploy.domain.receiver import HttpReceiver, Receiver
from postdeploy.domain.retention import Retention
from postdeploy.domain.secret import Secret
from postdeploy.history.alerts import begin_deploy
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.monitoring.after_run import Watch
from postdeploy.monitoring.store import Store
from postdeploy.notify.message import Message
from postdeploy.notify.sender import Delivery, send_all
from tests.history.conftest import Server
from tests.history.memories import run as remembered
from tests.web_server import Answer, Seen, WebServer, respond

MONDAY: Final = 1_796_601_600.0
"""A Monday at midnight in UTC."""

TICK: Final = 300.0
DAY: Final = 288
"""Ticks of five minutes."""

POLICY: Final = AlertPolicy(
    failing=4,
    of=6,
    recovery=4,
    remind=4 * 3600.0,
    blind=8,
    windows=(
        Weekly((4,), 2 * 60, 120, reason="backups"),
        Once(MONDAY + (4 * DAY + 100) * TICK, MONDAY + (4 * DAY + 112) * TICK, "new disks"),
    ),
    deploys=DeployMute(after=600.0, longest=3600.0),
)
"""Two monitors run at each tick, so four runs are two ticks."""


def ticks(day: int, first: int, last: int) -> range:
    """Ticks of a day, the last one included."""
    return range(day * DAY + first, day * DAY + last + 1)


FAILING: Final = {
    "a": (
        ticks(0, 50, 50),  # one blip
        ticks(0, 100, 112),  # an hour
        ticks(1, 12, 120),  # nine hours
        *(ticks(2, 24 + 4 * turn, 25 + 4 * turn) for turn in range(10)),  # flapping
        ticks(3, 0, 4),  # while a deploy goes on
        ticks(3, 36, 66),  # since a deploy that broke it
        ticks(3, 88, 116),  # a deploy hangs
        ticks(4, 26, 40),  # within backups, from two to four
        ticks(4, 102, 120),  # when the disks are new, it is still down
        ticks(5, 200, 220),  # nobody can be told
        ticks(6, 10, 30),  # the database is away
        ticks(6, 60, 90),  # the database comes back meanwhile
        ticks(6, 150, 170),  # a monitor dies before it tells
    ),
    "b": (ticks(1, 42, 120),),
}
BLIND: Final = (ticks(5, 10, 12), ticks(5, 40, 100))
AWAY: Final = (ticks(6, 5, 40), ticks(6, 55, 75))
DEAF: Final = ticks(5, 195, 230)
DIES: Final = 6 * DAY + 151

EVENTFUL: Final = frozenset(
    tick
    for when in (*FAILING["a"], *BLIND)
    for edge in (range(when.start - 1, when.start + 5), range(when.stop - 2, when.stop + 6))
    for tick in edge
)
"""Ticks at which something begins or ends: there both monitors run at the same time, else one after the other."""

BEGUN: Final = {3 * DAY: "well", 3 * DAY + 36: "bad", 3 * DAY + 86: "hung"}
ENDED: Final = {3 * DAY + 3: "well", 3 * DAY + 38: "bad"}

EXPECTED: Final = [
    (0, 101, "opened", "a"), (0, 114, "recovered", "a"),
    (1, 13, "opened", "a"), (1, 43, "spread", "ab"), (1, 91, "reminder", "ab"), (1, 122, "recovered", "ab"),
    (2, 25, "opened", "a"), (2, 27, "recovered", "a"), (2, 29, "opened", "a"), (2, 65, "recovered", "a"),
    (3, 40, "opened", "a"), (3, 68, "recovered", "a"),
    (3, 98, "opened", "a"), (3, 118, "recovered", "a"),
    (4, 112, "opened", "a"), (4, 122, "recovered", "a"),
    (5, 43, "opened", ""), (5, 91, "reminder", ""), (5, 102, "recovered", ""),
    (5, 231, "opened", "a"), (5, 231, "recovered", "a"),
    (6, 13, "opened", "a"), (6, 34, "recovered", "a"),
    (6, 63, "opened", "a"), (6, 92, "recovered", "a"),
    (6, 152, "opened", "a"), (6, 172, "recovered", "a"),
]  # fmt: skip


class Ear:
    """A receiver over HTTP that is deaf for a while, and what it heard when."""

    def __init__(self, server: WebServer) -> None:
        self.tick = 0
        self.heard: list[tuple[int, int, str, str]] = []
        server.script("/hook", self._hear).script("/oncall", respond())
        self.receivers: tuple[Receiver, ...] = tuple(
            HttpReceiver(name, "webhook", Secret("url", f"{server.url}/{name}")) for name in ("hook", "oncall")
        )

    def _hear(self, request: Seen) -> Answer:
        if self.tick in DEAF:
            return respond(404)
        alert: dict[str, Any] = json.loads(request.body)["alert"]
        checks = "".join(sorted(name.removeprefix("check ") for name in alert["checks"]))
        self.heard.append((*divmod(self.tick, DAY), alert["event"], checks))
        return respond()


class Week:
    """Two monitors of one target, each on a machine of its own, that share a history."""

    def __init__(self, place: Place, folder: Path, ear: Ear) -> None:
        self._place = place
        self._ear = ear
        self._folder = folder
        self._away = folder / "away.sqlite3"
        self.wrong: list[str] = []

    def tick(self, tick: int) -> None:
        """Five minutes."""
        self._ear.tick = tick
        away = any(tick in each for each in AWAY)
        self._move_history(away=away)
        self._deploy(tick)
        names = ("one",) if away else ("one", "two")
        if tick not in EVENTFUL:
            for name in names:
                self._run(name, tick)
            return
        monitors = [threading.Thread(target=self._run, args=(name, tick)) for name in names]
        for monitor in monitors:
            monitor.start()
        for monitor in monitors:
            monitor.join()

    def _run(self, name: str, tick: int) -> None:
        now = MONDAY + tick * TICK
        store = Store(self._place, self._folder / f"{name}.alerts.json", "site", self.wrong.append)
        watch = Watch(store, POLICY, self._ear.receivers, self.wrong.append, self._dying if tick == DIES else send_all)
        with suppress(_DeathError):
            watch.count(_seen(f"{name}-{tick}", tick, now), now)

    @staticmethod
    def _dying(_news: Iterable[tuple[Receiver, Message]]) -> list[Delivery]:
        raise _DeathError

    def _move_history(self, *, away: bool) -> None:
        file = self._place.file
        if file is not None and away and not self._away.exists():
            file.rename(self._away)
            file.mkdir()
        elif file is not None and not away and self._away.exists():
            file.rmdir()
            self._away.rename(file)

    def _deploy(self, tick: int) -> None:
        if tick not in BEGUN and tick not in ENDED:
            return
        with closing(open_database(self._place)) as database:
            if tick in BEGUN:
                begin_deploy(database, "site", BEGUN[tick], MONDAY + tick * TICK)
            else:
                now = MONDAY + tick * TICK
                ended = remembered(ENDED[tick], target="site", started=now - 3 * TICK, finished=now)
                write_run(database, ended, Retention(), now=now)


class _DeathError(Exception):
    """A monitor dies."""


def _seen(name: str, tick: int, now: float) -> RunSeen:
    failing = {check: f"check {check}" for check, when in FAILING.items() if any(tick in each for each in when)}
    blind = any(tick in each for each in BLIND)
    verdict = "inconclusive" if blind else "fail" if failing else "pass"
    return RunSeen(name, now, verdict, "because", "so it was", {} if blind else failing, release="r1")


@pytest.fixture
def ear() -> Iterator[Ear]:
    """Somebody who hears."""
    server = WebServer()
    yield Ear(server)
    server.close()


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: forcing thousands of writes to a disk proves nothing here."""
    shared = Path("/dev/shm")  # the folder below it is our own
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        yield Path(folder)


def test_week(ear: Ear, memory: Path) -> None:
    """4,000 runs of two monitors at once tell exactly what is to be told, nothing more and nothing twice.

    There are outages, flaps, deploys, maintenance, blind hours, a deaf receiver, a history that is away, and a monitor
    that dies.
    """
    week = Week(Place(file=memory / "history.sqlite3"), memory, ear)
    for tick in range(7 * DAY):
        week.tick(tick)
    assert ear.heard == EXPECTED
    said = {text.partition(":")[0] for text in week.wrong}
    assert said == {"alerts are kept by this machine alone for now", "not told, and tried again after the next run"}


def test_days_on_postgresql(ear: Ear, memory: Path, server: Server) -> None:
    """The same with a real PostgreSQL, for an outage, flaps and a deploy."""
    week = Week(server.create(), memory, ear)
    for tick in (*ticks(0, 98, 116), *ticks(2, 10, 66), *ticks(3, 28, 70)):
        week.tick(tick)
    assert ear.heard == [each for each in EXPECTED if each[0] in {0, 2} or (each[0] == 3 and each[1] <= 70)]
    assert week.wrong == []
