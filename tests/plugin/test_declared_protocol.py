"""Declared checks that pass are reported on a shorter way than pytest's own, and nobody can tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Outcome, Project

SUITE = """
    - {name: first, get: 'api:/ok', expect: {status: 200}}
    - {name: second, get: 'api:/ok', expect: {status: 200}}
    - {name: broken, get: 'api:/bad', expect: {status: 200}}
    - {name: third, get: 'api:/ok', expect: {status: 200}}
    - {name: last, get: 'api:/ok', expect: {status: 200}}
"""

WRITE_DOWN = """
    from pathlib import Path

    def note(line):
        with open("noted.txt", "a", encoding="utf-8") as file:
            file.write(line + "\\n")
"""

REPORTS = """
    def pytest_runtest_logstart(nodeid, location):
        note(f"start {nodeid} {location}")

    def pytest_runtest_logreport(report):
        kept = {name: value for name, value in vars(report).items() if name not in {"duration", "start", "stop", "_id"}}
        kept.pop("_postdeploy", None), kept.pop("longrepr")
        note(f"{report.nodeid} {sorted(kept.items())} {report.when != 'call' or report.duration > 0}")

    def pytest_runtest_logfinish(nodeid, location):
        note(f"finish {nodeid} {location}")
"""

OBSERVER = """
    def pytest_runtest_teardown(item):
        pass
"""


def noted(project: Project) -> list[str]:
    """What the conftest has written down since it was last read."""
    file = project.path / "noted.txt"
    lines = file.read_text().splitlines()
    file.unlink()
    return lines


def run(project: Project, conftest: str, *arguments: str) -> Outcome:
    """Run with a conftest of these parts."""
    project.conftest(WRITE_DOWN + conftest)
    return project.run(*arguments)


@pytest.fixture
def checks(project: Project) -> Project:
    """Five checks, of which the third is broken."""
    project.suite(SUITE)
    return project


def test_reports_are_those_of_pytests_own_protocol(checks: Project) -> None:
    """Start, setup, call, teardown and finish of each check are told, in this order, with the same content."""
    run(checks, REPORTS, "-p", "no:cacheprovider").require(20, "confirmed_failure")
    short = noted(checks)
    run(checks, REPORTS + OBSERVER, "-p", "no:cacheprovider").require(20, "confirmed_failure")
    assert short == noted(checks)
    assert len(short) == 5 * 5


LISTENER = """
    def pytest_runtest_logreport(report):
        note(report.when)
"""

COUNTER = """
    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(session):
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        note(str({category: len(reports) for category, reports in reporter.stats.items()}))
"""

VARYING = re.compile(r"[0-9.]+ ?m?s\b|run \S+|[0-9T:.-]+Z\b")
"""Durations, moments, and the name of a run."""

TOLD_OF_CALLS = "{'passed': 4, '': 4, 'failed': 1}"
TOLD_OF_ALL = "{'': 10, 'passed': 4, 'failed': 1}"


@pytest.mark.parametrize(
    ("conftest", "arguments", "told"),
    [
        ("", ("-rA", "-v"), TOLD_OF_CALLS),
        ("", ("--durations=0",), TOLD_OF_ALL),
        ("", ("--junitxml=junit.xml",), TOLD_OF_ALL),
        ("", ("-n1",), TOLD_OF_ALL),
        ("    def pytest_report_teststatus():\n        pass\n", (), TOLD_OF_ALL),
    ],
    ids=["verbose", "durations", "junit", "worker", "conftest"],
)
def test_passed_phases_in_which_nothing_ran(
    checks: Project, conftest: str, arguments: tuple[str, ...], told: str
) -> None:
    """They are told of where somebody makes something of them; the broken check and the last of a file have all."""
    run(checks, conftest + COUNTER, *arguments).require(20, "confirmed_failure")
    assert noted(checks)[-1] == told


def test_the_terminal_shows_the_same_whoever_listens(checks: Project) -> None:
    """Who hears of every phase changes nothing that people see."""
    outputs = [run(checks, conftest, "-rA", "-v").result.outlines for conftest in (LISTENER, "")]
    shown = [[VARYING.sub("", line) for line in lines] for lines in outputs]
    assert len(noted(checks)) == 5 * 3
    assert shown[0] == shown[1]


@pytest.mark.parametrize("phase", ["setup", "call", "teardown"])
def test_a_hook_of_a_conftest_is_called_for_each_phase(checks: Project, phase: str) -> None:
    """Whoever implements a hook of a phase hears of every declared check."""
    run(checks, f"    def pytest_runtest_{phase}(item):\n        note(item.name)\n").require(20, "confirmed_failure")
    assert noted(checks) == ["first", "second", "broken", "third", "last"]


def test_a_conftest_may_skip_a_declared_check(checks: Project) -> None:
    """A mark that a conftest adds holds, and a check that was left out keeps the run from passing."""
    mark = """
    def pytest_collection_modifyitems(items):
        items[1].add_marker(pytest.mark.skip(reason="not today"))
    """
    assert run(checks, mark).outcomes()["second"] != "passed"


def test_stopping_at_the_first_failure_stops(checks: Project) -> None:
    """-x ends the run at the broken check."""
    passed = run(checks, "", "-x").result.parseoutcomes()
    assert passed == {"passed": 2, "failed": 1}


HOOK = """
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):
        note(item.name)
        return (yield)

    pytest_runtest_protocol.__module__ = "{module}"
"""


@pytest.mark.parametrize(
    ("module", "arguments", "around"),
    [
        ("_pytest.fake", (), ["broken", "last"]),
        ("conftest", (), ["first", "second", "broken", "third", "last"]),
        ("_pytest.fake", ("--timeout=50",), ["first", "second", "broken", "third", "last"]),
        ("_pytest.fake", ("-o", "faulthandler_timeout=50"), ["first", "second", "broken", "third", "last"]),
        ("_pytest.fake", ("-n1",), ["first", "second", "broken", "third", "last"]),
    ],
    ids=["nobody", "conftest", "timeout", "faulthandler", "worker"],
)
def test_the_hook_around_a_check(checks: Project, module: str, arguments: tuple[str, ...], around: list[str]) -> None:
    """Only what did not pass and the last of a file need it, unless somebody listens there or it is timed."""
    run(checks, HOOK.format(module=module), *arguments).require(20, "confirmed_failure")
    assert noted(checks) == around
