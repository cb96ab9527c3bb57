"""``--only`` runs what somebody asked for, and never promotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project


def _write(project: Project) -> None:
    project.suite("""
        - {name: sign in, get: 'api:/ok/declared', tags: [login], expect: {status: 200}}
        - {name: other, get: 'api:/bad', severity: major, expect: {status: 200}}
    """)
    project.tests("""
        @pytest.mark.check(owner="api")
        def test_sign_out(api):
            assert api.get("/ok/out").status_code == 200

        @pytest.mark.login
        def test_password(api):
            assert api.get("/ok/password").status_code == 200
    """)
    text = '[tool.pytest]\ntestpaths = ["suites"]\nstrict = true\nmarkers = ["login"]\n'
    (project.path / "pyproject.toml").write_text(text)


@pytest.mark.parametrize(
    ("words", "ran"),
    [
        (["sign"], {"sign in", "test_sign_out"}),
        (["SIGN IN"], {"sign in"}),
        (["test_it.py::test_pass"], {"test_password"}),
        (["login"], {"sign in", "test_password"}),
        (["sign_out", "password"], {"test_sign_out", "test_password"}),
    ],
    ids=["name", "case", "id", "tag", "two"],
)
def test_only_what_was_asked_for_runs(project: Project, peer: Peer, words: list[str], ran: set[str]) -> None:
    """By a part of the name, of the id, of a tag; the rest is planned and asks nothing."""
    _write(project)
    run = project.run(*(f"--only={word}" for word in words))
    run.require(10, "suite_narrowed")
    assert {name for name, outcome in run.outcomes().items() if outcome == "passed"} == ran
    assert len(run.outcomes()) == 4
    assert run.verdict["narrowed_by"] == [f"--only {word}" for word in words]
    assert run.verdict["action"] == "hold"
    assert peer.asked("/bad") == 0


def test_workers_run_only_that_too(both: Project, peer: Peer) -> None:
    """With workers as without."""
    _write(both)
    run = both.run("--only=login")
    run.require(10, "suite_narrowed")
    assert sorted(path for _, path in peer.seen if path != "/") == ["/ok/declared", "/ok/password"]


def test_it_can_fail(project: Project) -> None:
    """One solid failure is enough."""
    _write(project)
    project.target()
    project.tests("def test_sign_up(api):\n    assert api.get('/surrogate').json()['ok'] is True\n", "test_up.py")
    run = project.run("--only=sign_up")
    run.require(20, "confirmed_failure")


def test_asking_for_everything_never_promotes(project: Project) -> None:
    """Whoever asks for a part does not decide what is whole."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    project.run("--only=good").require(10, "suite_narrowed")


def test_nothing_of_that_name(project: Project, peer: Peer) -> None:
    """A word that nothing has runs nothing."""
    _write(project)
    run = project.run("--only=nonesuch")
    run.require(5, "nothing_selected")
    assert [path for _, path in peer.seen if path != "/"] == []


def test_what_a_conftest_drops_beside_it_is_named(project: Project) -> None:
    """What was typed explains only itself."""
    _write(project)
    run = project.run("--only=sign", "-k", "in")
    run.require(10, "suite_narrowed")
    assert run.verdict["narrowed_by"] == ["-k", "--only sign"]
