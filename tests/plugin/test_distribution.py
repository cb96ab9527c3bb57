"""How work is spread: declared checks together and all at once, Python tests meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project


def test_declared_checks_are_in_flight_at_once(both: Project, peer: Peer) -> None:
    """Also with workers one process has all of them, and asks for each once."""
    both.suite("\n".join(f"- {{name: slow {n}, get: 'api:/slow/1.5/{n}', expect: {{status: 200}}}}" for n in range(12)))
    both.tests("def test_good(api):\n    assert api.get('/ok').status_code == 200\n")
    run = both.run("-v")
    run.require(0, "all_required_passed")
    assert peer.flights[1] == 12
    assert all(peer.asked(f"/slow/1.5/{n}") == 1 for n in range(12))
    workers = {line.split("]")[0] for line in run.out.splitlines() if "PASSED" in line and "checks.yaml" in line}
    assert len(workers) == (1 if both.workers == "2" else 12)


def test_the_time_is_that_of_the_longest(project: Project) -> None:
    """Python tests run while declared checks are in flight."""
    project.suite("- {name: slow, get: 'api:/slow/3', expect: {status: 200}}")
    project.tests("""
        import time

        def test_slow(evidence):
            evidence("slept")
            time.sleep(3)
    """)
    run = project.run()
    run.require(0, "all_required_passed")
    checks = [run.check(name)["attempts"][0] for name in ("slow", "test_slow")]
    begun = [time.strptime(check["started"][:19], "%Y-%m-%dT%H:%M:%S") for check in checks]
    assert abs(time.mktime(begun[0]) - time.mktime(begun[1])) <= 2


@pytest.mark.parametrize("mode", ["load", "worksteal", "loadscope", "loadfile", "loadgroup"])
def test_every_mode_of_xdist_runs_everything_once(project: Project, peer: Peer, mode: str) -> None:
    """However tests are spread, each check reports once."""
    project.workers = "2"
    project.suite("- {name: declared, get: 'api:/ok/declared', expect: {status: 200}}")
    project.tests("""
        @pytest.mark.parametrize("number", range(4))
        def test_many(api, number):
            assert api.get(f"/ok/{number}").status_code == 200
    """)
    run = project.run("--dist", mode)
    run.require(0, "all_required_passed")
    assert [peer.asked(f"/ok/{n}") for n in range(4)] == [1, 1, 1, 1]
    assert peer.asked("/ok/declared") == 1


def test_workers_leave_nothing_but_reports(project: Project) -> None:
    """What processes tell each other through the folder is gone at the end."""
    project.workers = "2"
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    project.run().require(0, "all_required_passed")
    assert sorted(path.name for path in project.reports.iterdir()) == ["evidence.jsonl", "verdict.json"]


def test_a_run_has_one_name(both: Project) -> None:
    """All processes send the run's id."""
    both.tests("""
        def test_name(api):
            assert "mine-1" in str(dict(api.get("/ok").request.headers))
    """)
    run = both.run("--run-id=mine-1")
    run.require(0, "all_required_passed")
    assert run.verdict["run"]["id"] == "mine-1"
