"""A run of less than the whole suite may fail, but never pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
BAD = "- {name: bad, get: 'api:/bad', expect: {status: 200}}"


@pytest.fixture
def whole(project: Project) -> Project:
    """A project with two good suites."""
    _write(project)
    return project


@pytest.fixture
def whole_both(both: Project) -> Project:
    """The same with and without workers."""
    _write(both)
    return both


def _write(project: Project) -> None:
    project.suite(GOOD)
    project.tests("""
        def test_good(api):
            assert api.get("/ok").status_code == 200

        @pytest.mark.check(severity="major")
        def test_better(api):
            assert api.get("/ok").status_code == 200
    """)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-k", "good"], "-k"),
        (["-m", "critical"], "-m"),
        (["--deselect", "suites/test_it.py::test_good"], "--deselect"),
        (["--ignore", "suites/checks.yaml"], "--ignore"),
        (["--ignore-glob", "*.yaml"], "--ignore-glob"),
        (["suites/test_it.py"], "the paths on the command line"),
        (["suites/test_it.py::test_good"], "the paths on the command line"),
        (["--setup-only"], "--setup-only"),
        (["--setup-plan"], "--setup-plan"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_an_option_that_narrows_never_passes(whole: Project, arguments: list[str], named: str) -> None:
    """Each way to run less is named in the verdict, and holds."""
    run = whole.run(*arguments)
    run.require(10, "suite_narrowed")
    assert any(named in each for each in run.verdict["narrowed_by"])


@pytest.mark.parametrize("arguments", [["-k", "good"], ["suites/test_it.py"]], ids=["k", "path"])
def test_workers_notice_too(whole_both: Project, arguments: list[str]) -> None:
    """A narrowed run with workers holds as one without."""
    whole_both.run(*arguments).require(10, "suite_narrowed")


def test_the_environment_can_not_narrow_unseen(whole_both: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTEST_ADDOPTS counts like the command line."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k good")
    whole_both.run().require(10, "suite_narrowed")


@pytest.mark.parametrize(
    "hook", ["", "(tryfirst=True)", "(wrapper=True, tryfirst=True)"], ids=["plain", "first", "wrap"]
)
def test_a_conftest_that_drops_items_is_seen(whole: Project, hook: str) -> None:
    """Items that a hook removes, however early, were planned."""
    whole.conftest(f"""
        @pytest.hookimpl{hook}
        def pytest_collection_modifyitems(items):
            items[:] = items[:1]
            {"return (yield)" if "wrapper" in hook else ""}
    """)
    run = whole.run()
    run.require(10, "suite_narrowed")
    assert run.verdict["counts"]["planned"] == 3


def test_workers_see_a_conftest_that_drops_items(whole_both: Project) -> None:
    """The same with workers."""
    whole_both.conftest("""
        def pytest_collection_modifyitems(items):
            items[:] = items[:1]
    """)
    whole_both.run().require(10, "suite_narrowed")


def test_only_what_failed_last_is_not_the_whole(project: Project) -> None:
    """--lf leaves whole files out before they are collected, and is noticed."""
    project.suite(GOOD)
    broken = project.tests("def test_was_bad(api):\n    assert api.get('/bad').status_code == 200\n")
    project.run()
    broken.write_text("def test_was_bad(api):\n    assert api.get('/ok').status_code == 200\n")
    project.run("--lf").require(10, "suite_narrowed")


def test_naming_the_whole_suite_is_not_narrowing(whole: Project) -> None:
    """Paths that contain all of testpaths may pass, also one above them."""
    whole.run("suites").require(0, "all_required_passed")
    whole.run(".").require(0, "all_required_passed")


def test_without_testpaths_the_root_folder_is_the_whole(whole: Project) -> None:
    """A project that does not say what its suite is has all of its folder as the suite."""
    (whole.path / "pyproject.toml").write_text("[tool.pytest]\n")
    whole.run("suites").require(10, "suite_narrowed")
    whole.run().require(0, "all_required_passed")


def test_a_narrowed_run_can_fail(both: Project) -> None:
    """One solid failure is enough, whatever else was left out."""
    both.suite(f"{GOOD}\n{BAD}")
    both.run("-k", "bad").require(20, "confirmed_failure")


def test_stopping_at_the_first_failure_still_fails(both: Project) -> None:
    """-x ends the run early, and the failure counts."""
    both.tests("""
        def test_bad(api):
            assert api.get("/bad").status_code == 200

        def test_later(api):
            assert api.get("/ok").status_code == 200
    """)
    run = both.run("-x")
    run.require(20, "confirmed_failure")


def test_stopping_at_a_minor_failure_is_not_a_pass(project: Project) -> None:
    """What -x has cut off is not proven."""
    project.tests("""
        @pytest.mark.check(severity="minor")
        def test_a_minor(api):
            assert api.get("/bad").status_code == 200

        def test_b_later(api):
            assert api.get("/ok").status_code == 200
    """)
    run = project.run("--maxfail=1")
    assert run.status == 10
    assert run.outcomes()["test_b_later"] == "not_run"


@pytest.mark.parametrize(
    ("other", "narrowed"),
    [
        ('[pytest]\ntestpaths = ["suites/test_it.py"]\nstrict = true\n', True),
        ('[pytest]\ntestpaths = ["suites"]\npython_functions = ["test_good"]\n', True),
        ('[pytest]\ntestpaths = ["suites"]\nstrict = true\n', False),
    ],
)
def test_another_ini_file_cannot_say_what_the_whole_suite_is(project: Project, other: str, *, narrowed: bool) -> None:
    """``-c`` is noticed where its file selects otherwise than the project's own; where it does not, it is not."""
    project.suite("- {name: declared, get: 'api:/ok', expect: {status: 200}}")
    project.tests("def test_good(api):\n    assert api.get('/ok').status_code == 200\n")
    (project.path / "other.toml").write_text(other)
    run = project.run("-c", "other.toml")
    if narrowed:
        run.require(10, "suite_narrowed")
        assert "-c other.toml" in run.verdict["summary"]
    else:
        run.require(0, "all_required_passed")
