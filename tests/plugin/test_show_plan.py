"""``--show-plan``: what would run, against what, under which policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project


def test_the_plan_is_shown_and_nothing_is_sent(both: Project, peer: Peer) -> None:
    """Target, policy and every check are listed; reports stay as they are, the status is 0."""
    both.target("release: {from: 'api:/release', within: 7s}\n")
    text = (both.path / "targets.yaml").read_text()
    (both.path / "targets.yaml").write_text(text.replace("read-write", "read-only"))
    both.suite("""
        - name: round trip
          severity: major
          owner: platform
          repeatable: true
          steps:
            - {post: 'api:/things', expect: {status: 200}}
            - {get: 'api:/things/1', expect: {status: 200}}
        - {name: certificate, tcp: api, expect: {within: 1s}}
    """)
    both.tests("""
        @pytest.mark.check(when="elsewhere", owner="web")
        def test_elsewhere(api):
            raise AssertionError
    """)
    run = both.run("--show-plan", "--release=r2")
    assert run.status == 0, run.out
    for text in (
        "local, read-only", f"api {both.url}", "r2, from api:/release", "within 7 s", "2 attempts 0.05 s apart",
        "suites/checks.yaml::round trip", "POST api:/things, GET api:/things/1", "tcp api", "platform",
        "suites/test_it.py::test_elsewhere", "skipped by policy: 2 of 3", "not for target 'local'",
        "does not allow POST api:/things",
    ):  # fmt: skip
        assert text in run.out, text
    assert peer.seen == []
    assert not both.reports.exists()


def test_a_plan_of_broken_suites_says_what_is_wrong(project: Project, peer: Peer) -> None:
    """There is no plan of files that cannot be read."""
    project.suite("- {name: a, gett: 'api:/ok'}")
    run = project.run("--show-plan")
    assert run.status == 2
    assert "suites/checks.yaml:2:" in run.out
    assert peer.seen == []


def test_quiet_plans_are_plans(project: Project) -> None:
    """-q leaves out pytest's own lines, not the plan."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    run = project.run("--show-plan", "-q")
    assert "GET api:/ok" in run.out
