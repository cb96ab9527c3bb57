"""Which release answers decides whether anything that was seen counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Demo, Project

GOOD = "- {name: healthy, get: 'web:/healthz', expect: {status: 200}}"
TEST = """
    def test_agents(api):
        assert api.get("/agents").status_code == 200
"""


def test_the_expected_release_is_verified(demo_project: Project) -> None:
    """The right release is waited for, seen in the answers, and named in the verdict."""
    demo_project.suite(GOOD)
    demo_project.tests(TEST)
    run = demo_project.run("--release=4f9d2c1")
    run.require(0, "all_required_passed")
    assert run.verdict["release"]["expected"] == "4f9d2c1"
    assert run.check("test_agents")["attempts"][0]["releases"] == ["4f9d2c1"]


def test_another_release_is_not_verified(demo_project: Project) -> None:
    """Where another release answers nothing runs, with workers neither."""
    demo_project.suite(GOOD)
    demo_project.tests(TEST)
    run = demo_project.run("--release=a81be03")
    run.require(10, "wrong_release")
    assert run.outcomes() == {"healthy": "not_run", "test_agents": "not_run"}
    assert "4f9d2c1" in run.verdict["summary"]


def test_a_mixture_of_releases_is_not_verified(demo_project: Project, demo: Demo) -> None:
    """As long as an old release answers too, the new one is not live."""
    demo.suffer("mixed-release")
    demo_project.suite(GOOD)
    run = demo_project.run("--release=4f9d2c1")
    run.require(10, "wrong_release")
    assert run.outcomes() == {"healthy": "not_run"}


def test_a_target_that_says_no_release_is_not_live(demo_project: Project, demo: Demo) -> None:
    """Without an answer about the release nothing is known of it."""
    demo.suffer("no-build-info")
    demo_project.suite(GOOD)
    run = demo_project.run("--release=4f9d2c1")
    assert run.status == 10
    assert run.reason in {"target_not_live", "wrong_release"}
    assert run.outcomes() == {"healthy": "not_run"}


def test_a_release_that_changes_during_the_run_is_noticed(demo_project: Project) -> None:
    """Evidence about two releases is evidence about none."""
    demo_project.suite(GOOD)
    demo_project.tests("""
        import httpx2

        def test_deploys_in_between(web):
            assert web.get("/healthz").status_code == 200
            control = str(web.base_url.copy_with(path="/_demo/release"))
            httpx2.post(control, json={"commit": "a81be03"}, trust_env=False).raise_for_status()
    """)
    demo_project.run("--release=4f9d2c1").require(10, "release_changed")


def test_a_server_that_does_not_start_is_a_target_that_is_not_live(project: Project) -> None:
    """The end of its log is told, and nothing waits for it."""
    project.target("server: {command: [python, -c, 'raise SystemExit(\"no port\")'], ready: 'api:/', within: 5s}\n")
    text = (project.path / "targets.yaml").read_text()
    (project.path / "targets.yaml").write_text(text.replace(project.url, "http://127.0.0.1:9"))
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    run = project.run()
    run.require(10, "target_not_live")
    assert "no port" in run.verdict["summary"]
    assert run.outcomes() == {"good": "not_run"}
