"""Every way to write a Python test that pytest knows is a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project


def test_classes_and_unittest_are_checks(both: Project) -> None:
    """Methods of classes and of unittest.TestCase pass and fail as functions do."""
    both.tests("""
        import unittest

        @pytest.mark.check(severity="minor")
        class TestClass:
            def test_good(self, api):
                assert api.get("/ok").status_code == 200

            def test_bad(self, api):
                assert api.get("/bad").status_code == 200

        class Case(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def clients(self, api):
                self.api = api

            def test_good(self):
                self.assertEqual(self.api.get("/ok").status_code, 200)

            def test_bad(self):
                self.assertEqual(self.api.get("/bad").status_code, 200)
    """)
    run = both.run()
    run.require(20, "confirmed_failure")
    assert run.outcomes() == {
        "TestClass.test_good": "passed", "TestClass.test_bad": "failed",
        "Case.test_good": "passed", "Case.test_bad": "failed",
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["load", "loadgroup"])
def test_odd_ids_keep_checks_apart(both: Project, mode: str) -> None:
    """Brackets, colons, unicode and @ in ids name one check each, in every mode of xdist."""
    both.tests("""
        @pytest.mark.parametrize("path", ["/ok", "/bad"], ids=["a::b[c]@d", "대화 @e"])
        @pytest.mark.xdist_group("g")
        def test_odd(api, path):
            assert api.get(path).status_code == 200

        def test_plain(api):
            assert api.get("/ok").status_code == 200
    """)
    run = both.run(*(["--dist", mode] if both.workers == "2" else []))
    run.require(20, "confirmed_failure")
    assert sorted(run.outcomes().values()) == ["failed", "passed", "passed"]


def test_a_failing_subtest_fails_its_check(both: Project) -> None:
    """Subtests belong to their test: one result, as many attempts as were made."""
    both.tests("""
        def test_parts(api, subtests):
            for path in ("/ok", "/bad", "/ok"):
                with subtests.test(path=path):
                    assert api.get(path).status_code == 200

        def test_good_parts(api, subtests):
            for path in ("/ok", "/ok"):
                with subtests.test(path=path):
                    assert api.get(path).status_code == 200
    """)
    run = both.run()
    assert run.outcomes() == {"test_parts": "failed", "test_good_parts": "passed"}, run.out
    assert len(run.check("test_parts")["attempts"]) == 2
    run.require(20, "confirmed_failure")


def test_an_async_test_without_a_plugin_is_our_mistake(both: Project) -> None:
    """It says nothing about the target."""
    both.tests("async def test_async(api):\n    api.get('/ok')\n")
    run = both.run()
    run.require(10, "required_check_not_proven")
    assert run.outcomes() == {"test_async": "errored"}


def test_a_doctest_may_be_a_check(both: Project) -> None:
    """With --doctest-modules, what it exchanges counts."""
    both.tests('''
        def look():
            """Look at the target.

            >>> getfixture("api").get("/ok").status_code
            200
            """
    ''')
    run = both.run("--doctest-modules")
    assert list(run.outcomes().values()) == ["passed"], run.out
    run.require(0, "all_required_passed")


def test_failing_by_word_is_a_failure(project: Project) -> None:
    """pytest.fail and pytest.raises speak of the target."""
    project.tests("""
        def test_fail(api):
            api.get("/ok")
            pytest.fail("it is wrong")

        def test_raises(api):
            with pytest.raises(ValueError):
                api.get("/ok")
    """)
    run = project.run()
    assert run.outcomes() == {"test_fail": "failed", "test_raises": "failed"}


def test_a_mistake_in_a_request_is_ours(project: Project) -> None:
    """A URL or a protocol that cannot be says nothing about the target."""
    project.tests("""
        def test_url(api):
            api.get("http://127.0.0.1:port/")

        def test_protocol(client):
            client("api").get("htp://127.0.0.1/")
    """)
    run = project.run()
    assert run.outcomes() == {"test_url": "errored", "test_protocol": "errored"}


def test_a_writing_test_is_attempted_once(project: Project) -> None:
    """It may not be repeated, so it holds, unless it says that it may."""
    project.tests("""
        @pytest.mark.writes
        def test_once(api):
            assert api.post("/bad").status_code == 200
    """)
    run = project.run()
    assert (run.status, run.verdict["verdict"], run.verdict["action"]) == (10, "fail", "hold")
    assert len(run.check("test_once")["attempts"]) == 1


def test_a_refused_request_is_our_mistake(project: Project) -> None:
    """A test that writes without saying so is stopped on a read-only target, and says nothing about it."""
    text = (project.path / "targets.yaml").read_text()
    (project.path / "targets.yaml").write_text(text.replace("read-write", "read-only"))
    project.tests("def test_writes(api):\n    api.post('/ok')\n")
    run = project.run()
    assert run.outcomes() == {"test_writes": "errored"}
    assert run.status == 10
    assert len(run.check("test_writes")["attempts"]) == 1, "what is not let out is not let out the next time"


def test_fixtures_tell_of_the_run(project: Project) -> None:
    """target, release, secrets and client are there."""
    project.target("secrets: {token: secret-value-1}\n")
    project.tests("""
        def test_facts(target, release, secrets, client):
            assert target.name == "local"
            assert release is None
            assert secrets["token"].reveal() == "secret-value-1"
            assert client("api").get("/ok").status_code == 200
    """)
    project.run().require(0, "all_required_passed")


def test_a_mark_says_more_of_a_check(project: Project) -> None:
    """Owner, runbook, kind and severity are in the verdict, the closest mark counts."""
    project.tests("""
        pytestmark = pytest.mark.check(owner="web", severity="major")

        @pytest.mark.check(runbook="https://wiki/x", issue="https://bugs.test/7", kind="health", severity="minor")
        def test_marked(api):
            assert api.get("/ok").status_code == 200
    """)
    check = project.run().check("test_marked")
    assert (check["owner"], check["runbook"], check["kind"], check["severity"]) == (
        "web", "https://wiki/x", "health", "minor",
    )  # fmt: skip
    assert check["issues"] == ["https://bugs.test/7"]
    assert check["path"] == "suites/test_it.py"
    assert check["services"] == ["api"]
