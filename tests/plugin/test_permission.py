"""Writes on purpose: what a target has to say for them, and what has to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

WRITES = """
    - {name: reads, get: 'api:/a', expect: {status: 200}}
    - {name: writes, post: 'api:/b', json: {}, expect: {status: 200}}
"""
TESTS = """
    @pytest.mark.writes
    def test_writes(api):
        assert api.post("/c").status_code == 200

    @pytest.mark.writes("POST api:/d")
    def test_one_write(api):
        assert api.post("/d").status_code == 200
"""


def _restrict(project: Project, access: str) -> None:
    path = project.path / "targets.yaml"
    path.write_text(path.read_text().replace("access: read-write", access, 1))


def test_a_read_only_target_skips_what_writes(both: Project) -> None:
    """The reason is told, the verdict does not mind, and nothing is sent."""
    _restrict(both, 'access: read-only\n    allow: ["POST api:/d"]')
    both.suite(WRITES)
    both.tests(TESTS)
    run = both.run()
    run.require(0, "all_required_passed")
    assert run.outcomes() == {
        "reads": "passed",
        "writes": "skipped",
        "test_writes": "skipped",
        "test_one_write": "passed",
    }
    assert "does not allow POST api:/b" in run.check("writes")["reason"]


def test_a_protected_target_is_written_to_when_that_was_typed(both: Project) -> None:
    """Workers know it as well as the process that was told."""
    _restrict(both, "access: read-write\n    protected: true")
    both.suite(WRITES)
    both.tests(TESTS)
    run = both.run()
    assert set(run.outcomes().values()) == {"passed", "skipped"}
    assert "needs --allow-writes=local" in run.check("writes")["reason"]
    assert run.check("test_writes")["reason"] == "target 'local' is protected and needs --allow-writes=local"
    run = both.run("--allow-writes=local")
    run.require(0, "all_required_passed")
    assert set(run.outcomes().values()) == {"passed"}
    assert run.verdict["target"]["writes_granted"] is True


def test_permission_counts_where_it_is_typed(project: Project, monkeypatch: object) -> None:
    """Neither a variable of the environment nor a file can give it, nor one for another target."""
    _restrict(project, "access: read-write\n    protected: true")
    project.suite(WRITES)
    (project.path / "pyproject.toml").write_text(
        '[tool.pytest]\ntestpaths = ["suites"]\nstrict = true\naddopts = ["--allow-writes=local"]\n'
    )
    run = project.run()
    assert run.status == 4
    assert "counts only where it is typed" in run.err
    assert project.run("--allow-writes", "elsewhere").status == 4


def test_a_mark_that_names_no_request(project: Project) -> None:
    """It is a mistake in the file."""
    project.tests("""
        @pytest.mark.writes("orders")
        def test_it(api):
            assert api.get("/a").status_code == 200
    """)
    run = project.run()
    run.require(4, "config_error")
    assert "'POST api:/orders'" in run.verdict["summary"]


def test_a_denied_path_is_skipped(project: Project) -> None:
    """A declared check of it does not run; a client that asks for it is refused."""
    _restrict(project, 'access: read-write\n    deny: ["/logout"]')
    project.suite("""
        - {name: reads, get: 'api:/a', expect: {status: 200}}
        - {name: leaves, get: 'api:/logout', expect: {status: 200}}
    """)
    project.tests("""
        from postdeploy.errors import GuardRefusalError

        def test_leaves(api):
            api.get("/logout")
    """)
    run = project.run()
    assert run.outcomes() == {"reads": "passed", "leaves": "skipped", "test_leaves": "errored"}
    assert "remove '/logout' from 'deny'" in run.check("test_leaves")["attempts"][0]["error"]
