from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from postdeploy.demand import Demand
from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.serving.metrics_route import metrics_route
from postdeploy.serving.monitor_metrics import monitor_families
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.route import Request, Route
from postdeploy.standing import Judge
from tests.history.memories import NOW, check, run
from tests.sealed import FINISHED, PASSED, demand, seal
from tests.serving.whole_server import ALERTS, WATCH, whole_text

MONITORED = replace(PASSED, run={**PASSED.run, "mode": "monitor"})
Values = dict[str, float]


def scrape(route: Route, query: str = "") -> Values:
    """By name with labels, but the label that all have."""
    lines = route.handler(Request("GET", "/metrics", query)).body.decode().replace('target="staging",', "")
    samples = (line.rpartition(" ") for line in lines.replace('{target="staging"}', "").splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in samples}


class Server:
    """A judge of a folder, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.now = FINISHED + 5
        wanted: Demand = demand(release=None, run_id=None)
        self.path = folder / "verdict.json"
        self.route = metrics_route(
            Judge(self.path, wanted, lambda: self.now), lambda: monitor_families(folder, "staging")
        )

    def scrape(self) -> Values:
        """What is told."""
        return scrape(self.route)


def sealed_without_release(folder: Path) -> None:
    """As on a schedule: whatever is live was verified."""
    seal(folder, replace(MONITORED, release=replace(MONITORED.release, expected=None)))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server of a scheduled run that passed."""
    sealed_without_release(tmp_path)
    return Server(tmp_path)


def test_a_scheduled_run_is_told(server: Server) -> None:
    """No gate believes it, and its metrics are proven."""
    told = server.scrape()
    assert (told["postdeploy_proven"], told['postdeploy_verdict{verdict="pass"}']) == (1, 1)
    assert told["postdeploy_last_run_timestamp_seconds"] == FINISHED
    assert told['probe_success{check="home",kind="api"}'] == 1


def test_while_the_next_run_is_under_way(server: Server) -> None:
    """What was proven last is told, as long as it is young enough; then only when it was."""
    before = server.scrape()
    server.path.write_text(json.dumps(json.loads(server.path.read_bytes()) | {"state": "started"}))
    assert server.scrape() == before
    server.now = FINISHED + demand().max_age + 1
    later = server.scrape()
    assert (later["postdeploy_proven"], later['postdeploy_action{action="hold"}']) == (0, 1)
    assert later["postdeploy_last_run_timestamp_seconds"] == FINISHED
    assert not any(name.startswith("probe_") for name in later)


def test_what_was_altered_is_not_told(server: Server) -> None:
    """A verdict that was tampered with is not made up for by the one before it."""
    server.scrape()
    server.path.write_text(json.dumps(json.loads(server.path.read_bytes()) | {"summary": "all is well"}))
    told = server.scrape()
    assert (told["postdeploy_proven"], told['postdeploy_verdict{verdict="inconclusive"}']) == (0, 1)


def test_before_the_first_run(tmp_path: Path) -> None:
    """The last run was at the beginning of time, so that an alert on its age fires."""
    told = Server(tmp_path).scrape()
    assert (told["postdeploy_proven"], told["postdeploy_last_run_timestamp_seconds"]) == (0, 0)


def test_the_resident_monitor(server: Server) -> None:
    """Its ticks and its last run are told from what it wrote; what is not there, or no number, is left out."""
    file = server.path.with_name("watch.json")
    for broken in ("{", json.dumps(WATCH | {"runs": "many", "missed": True, "every": None, "due": [], "last": None})):
        file.write_text(broken)
        assert not {"postdeploy_monitor_runs_total", "postdeploy_monitor_missed_ticks_total"} & server.scrape().keys()
    file.write_text(json.dumps(WATCH))
    told = server.scrape()
    assert {name: told[f"postdeploy_monitor_{name}"] for name in (
        "runs_total", "missed_ticks_total", "lost_runs_total", "interval_seconds", "due_timestamp_seconds",
        "updated_timestamp_seconds", "run_duration_seconds", "run_cpu_seconds",
    )} == {
        "runs_total": 41, "missed_ticks_total": 2, "lost_runs_total": 1, "interval_seconds": 60,
        "due_timestamp_seconds": 1_900_000_060.5, "updated_timestamp_seconds": 1_900_000_000.25,
        "run_duration_seconds": 7.5, "run_cpu_seconds": 1.25,
    }  # fmt: skip


def told_by_history(folder: Path, place: Place) -> Values:
    """What is told of a history, a minute after the last run."""
    remembered = Remembered(place, "staging", 0.9, wall=lambda: NOW + 60, clock=lambda: 0.0)
    judge = Judge(folder / "verdict.json", demand(), lambda: FINISHED)
    return scrape(metrics_route(judge, lambda: monitor_families(folder, "staging", remembered.objective.get)))


def test_the_error_budget(tmp_path: Path) -> None:
    """One run in four failed, of which one in ten may: the budget is overdrawn, and burns by each window."""
    place = Place(file=tmp_path / "history.sqlite3")
    assert told_by_history(tmp_path, place)["postdeploy_history_up"] == 0
    history = open_database(place, create=True)
    for hours in range(4):
        memory = run(f"r{hours}", check("a", "passed" if hours else "failed"), at=-3600.0 * hours)
        write_run(history, memory, Retention(), now=NOW)
    history.close()
    (tmp_path / "unrecorded").mkdir()
    (tmp_path / "unrecorded" / "later.json").write_text("{}")
    told = told_by_history(tmp_path, place)
    about = 'objective="90",days="30"'
    assert (told["postdeploy_history_up"], told["postdeploy_history_waiting_runs"]) == (1, 1)
    assert told[f"postdeploy_availability_ratio{{{about}}}"] == 0.75
    assert told[f"postdeploy_error_budget_left_ratio{{{about}}}"] == pytest.approx(-1.5)
    rates = {name: value for name, value in told.items() if "burn_rate" in name}
    assert set(re.findall(r'window="(\w+)"', str(rates))) == {"5m", "30m", "1h", "2h", "6h", "1d", "3d"}
    assert rates[f'postdeploy_error_budget_burn_rate{{{about},window="5m"}}'] == pytest.approx(10)
    assert rates[f'postdeploy_error_budget_burn_rate{{{about},window="6h"}}'] == pytest.approx(2.5)


def test_of_a_target_that_the_history_does_not_know(tmp_path: Path) -> None:
    """The history is well, and says nothing."""
    place = Place(file=tmp_path / "history.sqlite3")
    open_database(place, create=True).close()
    told = told_by_history(tmp_path, place)
    assert told["postdeploy_history_up"] == 1
    assert not any("budget" in name for name in told)


def test_alerts(server: Server) -> None:
    """What the policy of alerts has come to, as far as it can be read."""
    file = server.path.with_name("monitor.json")
    for broken in ("[]", json.dumps(ALERTS | {"alerts": 3})):
        file.write_text(broken)
        assert not any("alert" in name for name in server.scrape())
    file.write_text(json.dumps(ALERTS))
    assert {name: value for name, value in server.scrape().items() if "alert" in name} == {
        'postdeploy_alert_open{kind="outage"}': 1, 'postdeploy_alert_open{kind="blind"}': 0,
        "postdeploy_alerts_muted": 1, "postdeploy_alerts_untold": 3,
    }  # fmt: skip


def test_promtool_has_no_complaint(tmp_path: Path, report_tools: Path) -> None:
    """Prometheus's own linter, on everything that is served."""
    command = [str(report_tools / "promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=whole_text(tmp_path), capture_output=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
