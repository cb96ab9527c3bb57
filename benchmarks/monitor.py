"""The resident monitor: whether it keeps up, what a run of it costs, what kills and a target that is down do to it."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any, Final

from benchmarks.environment import HERE, Environment
from benchmarks.measure import measure
from benchmarks.parts import FOLDER
from benchmarks.place import Place
from benchmarks.suites import declared
from benchmarks.tables import Finding, Table

__all__ = ["killed_databases", "killed_monitors", "monitor", "monitor_cost", "target_down"]

_CHECKS: Final = 1000
_MINUTES: Final = 10
_KILLS: Final = 50
_DOWN: Final = 300
_MEGA: Final = 2**20
_FLAT: Final = 1.1
"""What may be between the least and the most of what is flat: pages that are touched for the first time."""


class _Watch:
    """``postdeploy watch`` as a process: its lines, and what it takes of memory."""

    def __init__(self, folder: Path, *words: str, environment: Environment = HERE) -> None:
        command = [environment.python, "-m", "postdeploy", "watch", "bench", "--jitter=0", "--json", *words]
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        self.memory: list[float] = []
        self.whole: list[float] = []
        self._process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment.variables()},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def sample(self) -> None:
        """Look at its memory: that of the monitor itself, and of all its processes together, in MiB."""
        pid = self._process.pid
        self.memory.append(_memory(pid, "Rss"))
        self.whole.append(sum(_memory(each, "Pss") for each in _tree(pid)))

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end."""
        self._process.send_signal(number)
        status = self._process.wait(60)
        self._thread.join(10)
        return status

    def facts(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = json.loads((self.folder / "reports" / "watch.json").read_bytes())
        return found


def monitor(place: Place, runs: int = _MINUTES) -> Iterator[Table]:
    """A thousand checks every minute, on both kinds of history at once, for ten minutes."""
    from tests.history.conftest import Server

    with ExitStack() as stack:
        server = Server()
        stack.callback(server.stop)
        watches = {
            "SQLite": _begin(place, "sqlite", "--every=60s", "--history=h.sqlite3", checks=_CHECKS),
            "PostgreSQL": _begin(
                place, "postgresql", "--every=60s", f"--history={server.create().url}", checks=_CHECKS
            ),
        }
        for watch in watches.values():
            stack.callback(watch.end)
        _sample(watches, seconds=runs * 60 + 30)
        loads = os.getloadavg()
    rows = [_row(name, watch) for name, watch in watches.items()]
    title = f"A monitor of {_CHECKS} checks every minute, {runs} minutes, both at the same time"
    table = Table(title, _HEADER, rows, notes=[f"load of the machine at the end: {loads[1]:.1f} in 5 minutes"])
    for name, watch in watches.items():
        lines, missed = watch.lines, watch.facts()["missed"]
        good = sum(line["verdict"] == "pass" and line["passed"] == _CHECKS for line in lines)
        table.findings += [
            Finding(f"{name}: no tick is missed", f"{missed} of {len(lines) + missed}", missed == 0),
            Finding(f"{name}: all runs pass whole", f"{good} of {len(lines)}", good == len(lines) >= runs),
            _flat(f"{name}: memory of the monitor", watch.memory[2:]),
        ]
    _keep("monitor", table)
    yield table


_HEADER: Final = ("history", "runs", "missed", "slowest run", "median run", "CPU a run", "monitor MiB", "with runs MiB")


def _row(name: str, watch: _Watch) -> list[str]:
    seconds = [line["seconds"] for line in watch.lines] or [0.0]
    cpu = [line["cpu_seconds"] for line in watch.lines] or [0.0]
    return [
        name, str(len(watch.lines)), str(watch.facts()["missed"]), f"{max(seconds):.1f} s", f"{median(seconds):.1f} s",
        f"{median(cpu):.1f} s", f"{min(watch.memory[2:]):.1f}-{max(watch.memory[2:]):.1f}", f"{max(watch.whole):.0f}",
    ]  # fmt: skip


def _begin(place: Place, name: str, *words: str, checks: int = 1, port: int = 0) -> _Watch:
    return _Watch(declared(place.folder / f"monitor-{name}", port or place.port, checks=checks), *words)


def _sample(watches: dict[str, _Watch], seconds: float, until: Callable[[], bool] = lambda: False) -> None:
    end = time.monotonic() + seconds
    time.sleep(3)  # imports
    while time.monotonic() < end and not until():
        for watch in watches.values():
            watch.sample()
        time.sleep(2)


def _flat(goal: str, values: list[float]) -> Finding:
    ends = values[: max(len(values) // 5, 1)], values[-max(len(values) // 5, 1) :]
    first, last = (median(end) for end in ends)
    return Finding(f"{goal} is flat", f"{first:.1f} MiB, then {last:.1f} MiB", last <= first * _FLAT)


def target_down(place: Place, runs: int = _DOWN) -> Iterator[Table]:
    """Days of a target that is down, without the time between: nobody listens on its port, a run every second."""
    watch = _begin(
        place, "down", "--every=1s", "--history=off", "--keep=20", "--report=all", "--deadline=20s", port=_closed_port()
    )
    disk: list[float] = []

    def enough() -> bool:
        disk.append(_disk(watch.folder / "reports"))
        return len(watch.lines) >= runs

    _sample({"down": watch}, seconds=runs * 8.0, until=enough)
    status, lines = watch.end(), watch.lines
    verdicts = {(line["verdict"], line["reason"]) for line in lines}
    kept = len(list((watch.folder / "reports" / "runs").iterdir()))
    rows = [[str(len(lines)), "; ".join(" ".join(each) for each in verdicts), str(kept), f"{max(disk):.1f}"]]
    table = Table("A target that is down, run after run", ("runs", "verdicts", "kept", "most MiB of reports"), rows)
    half = len(disk) // 2
    table.findings = [
        _flat("the monitor's memory", watch.memory[2:]),
        Finding(
            "the disk of the reports is flat", f"{max(disk[half:]):.2f} MiB, at the half {disk[half]:.2f} MiB",
            max(disk[half:]) <= disk[half] * _FLAT,
        ),
        Finding("it ends as it is asked to", f"status {status}", status == 0),
    ]  # fmt: skip
    _keep("target-down", table)
    yield table


def killed_monitors(place: Place, runs: int = _KILLS) -> Iterator[Table]:
    """Kill a monitor at many points; what its runs have found must be in the history, each once."""
    chance = random.Random(runs)
    folder = declared(place.folder / "monitor-killed", place.port, checks=20)
    begun: set[str] = set()
    for number in range(runs):
        watch = _Watch(folder, "--every=1s", "--history=h.sqlite3", "--keep=1000")
        _wait_for(watch, chance.uniform(0.0, 1.2))
        everything = number % 2 == 1
        for pid in _tree(watch.facts()["pid"]) if everything else [watch.facts()["pid"]]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        watch.end(signal.SIGKILL)
        begun |= {line["run"] for line in watch.lines} | set(_with_results(folder))
        place.progress(f"({number + 1} of {runs} killed)")
    last = _Watch(folder, "--every=1s", "--history=h.sqlite3", "--keep=1000")
    while len(last.lines) < 2:
        time.sleep(0.1)
    last.end()
    begun |= {line["run"] for line in last.lines}
    with closing(sqlite3.connect(folder / "h.sqlite3")) as database:
        stored = [name for (name,) in database.execute("SELECT run_id FROM runs")]
    lost = begun - set(stored)
    table = Table(
        f"A monitor that is killed {runs} times, every second time with all its processes",
        ("runs that had begun", "in the history", "lost", "twice"),
        [[str(len(begun)), str(len(stored)), str(len(lost)), str(len(stored) - len(set(stored)))]],
    )
    table.findings = [
        Finding("no result is lost", f"{len(lost)} of {len(begun)}", not lost),
        Finding("none is there twice", f"{len(stored) - len(set(stored))}", len(stored) == len(set(stored))),
    ]
    _keep("killed-monitors", table)
    yield table


def killed_databases(place: Place, runs: int = _KILLS) -> Iterator[Table]:
    """Kill the database of a monitor at many points; what its runs have found must be in it, each once."""
    import psycopg

    from tests.history.conftest import Server

    chance = random.Random(runs)
    folder = declared(place.folder / "monitor-database", place.port, checks=20)
    server = Server()
    try:
        url = server.create().url
        watch = _Watch(folder, "--every=1s", f"--history={url}")
        _wait_for(watch, 0.0)
        for number in range(runs):
            time.sleep(chance.uniform(0.2, 1.5))
            server.stop()  # at once, as if it had crashed
            time.sleep(chance.choice((0.0, 0.0, 0.0, 1.0)))
            server.start()
            place.progress(f"(database killed {number + 1} of {runs} times)")
        done = len(watch.lines)
        while len(watch.lines) < done + 2:
            time.sleep(0.1)
        watch.end()
        command = [sys.executable, "-m", "postdeploy", "history", "import", "reports", f"--history={url}"]
        subprocess.run(command, cwd=folder, check=False, capture_output=True)
        with psycopg.connect(str(url)) as database:
            stored = [row[0] for row in database.execute("SELECT run_id FROM postdeploy.runs").fetchall()]
    finally:
        server.stop()
    lost = [line["run"] for line in watch.lines if line["run"] not in stored]
    verdicts = {line["verdict"] for line in watch.lines}
    table = Table(
        f"A database that is killed {runs} times below a monitor",
        ("runs", "in the history", "lost", "twice", "verdicts"),
        [[
            str(len(watch.lines)), str(len(stored)), str(len(lost)), str(len(stored) - len(set(stored))),
            ", ".join(verdicts),
        ]],
    )  # fmt: skip
    table.findings = [
        Finding("no result is lost", f"{len(lost)} of {len(watch.lines)}", not lost),
        Finding("none is there twice", f"{len(stored) - len(set(stored))}", len(stored) == len(set(stored))),
        Finding("no verdict is changed", ", ".join(verdicts), verdicts == {"pass"}),
    ]
    _keep("killed-databases", table)
    yield table


def _with_results(folder: Path) -> list[str]:
    """Runs whose evidence, wherever it lies, has begun: each of them is a run that must be remembered."""
    found = []
    for path in (folder / "reports").rglob("evidence.jsonl"):
        with path.open("rb") as file:
            first = file.readline()
        if first.endswith(b"\n"):
            found.append(json.loads(first)["run"]["id"])
    return found


def _wait_for(watch: _Watch, moment: float) -> None:
    """Until it has begun, and this long."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with suppress(OSError, ValueError):
            if watch.facts()["pid"] == watch._process.pid and watch.facts()["running"]:  # noqa: SLF001
                break
        time.sleep(0.01)
    time.sleep(moment)


def monitor_cost(place: Place) -> Iterator[Table]:
    """What a run costs that is forked from a process which has imported everything, beside one that starts anew."""
    rounds = place.rounds(11)
    folder = declared(place.folder / "monitor-cost", place.port, checks=20)
    anew = [_verified(place, folder) for _ in range(rounds)]
    warm = _ticked(place, folder, rounds)
    pages = declared(place.folder / "monitor-cost-page", place.port, checks=20, pages=1)
    fresh = _ticked(place, pages, rounds, "--fresh-browser")
    with_page = _ticked(place, pages, rounds)
    all_times = {
        "postdeploy verify --monitor": anew, "a tick": warm, "a tick with a page, too": with_page,
        "a tick with a page, --fresh-browser": fresh,
    }  # fmt: skip
    rows = [
        [name, *(f"{median(each):.3f} s" for each in zip(*times, strict=True))] for name, times in all_times.items()
    ]
    share = median(cpu for _, cpu in warm) / median(cpu for _, cpu in anew)
    table = Table("A run of 20 checks: started anew, and forked by the resident monitor", ("", "wall", "CPU"), rows)
    of_fresh = median(cpu for _, cpu in with_page) / median(cpu for _, cpu in fresh)
    table.findings = [
        Finding("a tick costs at most half the CPU of a new process", f"{share:.2f}", share <= 0.5),
        Finding("a browser that stays costs less than a fresh one", f"{of_fresh:.2f}", of_fresh < 1),
    ]
    _keep("monitor-cost", table)
    yield table


def _ticked(place: Place, folder: Path, rounds: int, *words: str) -> list[tuple[float, float]]:
    """Wall time and CPU of ticks; the first one, which may find files cold and starts a browser, is left out."""
    options = ("--every=1s", "--history=h.sqlite3", "--reports=watched", *words)
    watch = _Watch(folder, *options, environment=place.environment)
    while len(watch.lines) < rounds + 1:
        time.sleep(0.2)
    watch.end()
    assert all(line["verdict"] == "pass" for line in watch.lines), watch.lines
    return [(line["seconds"], line["cpu_seconds"]) for line in watch.lines[1:]]


def _verified(place: Place, folder: Path) -> tuple[float, float]:
    """The same of one that starts anew."""
    taken = measure(place.program("anew", folder, "verify", "bench", "--monitor", "--history=h.sqlite3"))
    return taken.wall, taken.cpu


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _disk(folder: Path) -> float:
    """MiB below a folder; a file with several names counts once."""
    files = {}
    for place, _, names in os.walk(folder):  # which passes over what vanishes
        for name in names:
            with suppress(OSError):
                found = Path(place, name).lstat()
                files[found.st_ino] = found.st_blocks * 512
    return sum(files.values()) / _MEGA


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _memory(pid: int, name: str) -> float:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024
    return 0.0


def _keep(name: str, table: Table) -> None:
    """The result, in a file of its own: these take too long to be measured with the others."""
    FOLDER.mkdir(exist_ok=True)
    found = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "title": table.title,
        "rows": [dict(zip(table.header, row, strict=True)) for row in table.rows],
        "findings": [[each.goal, each.measured, each.reached] for each in table.findings], "notes": table.notes,
    }  # fmt: skip
    with (FOLDER / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
