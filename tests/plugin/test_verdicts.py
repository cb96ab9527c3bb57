"""From checks to a verdict and an exit status, with and without workers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"


def test_a_suite_that_passes_is_promoted(both: Project) -> None:
    """Declared and Python checks that pass make a sealed pass and exit status 0."""
    both.suite(GOOD)
    both.tests("""
        def test_good(api):
            assert api.get("/ok").json() == {"ok": True}
    """)
    run = both.run()
    run.require(0, "all_required_passed")
    assert run.outcomes() == {"good": "passed", "test_good": "passed"}


def test_before_anything_is_sent_a_verdict_says_nothing(
    both: Project, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kills the run from its first request on finds a verdict on disk that holds."""
    found: list[tuple[str, str, str]] = []
    answer = peer.answer

    def look(method: str, path: str) -> tuple[int, bytes]:
        document = json.loads((both.reports / "verdict.json").read_text())
        found.append((document["state"], document["verdict"], document["action"]))
        return answer(method, path)

    monkeypatch.setattr(peer, "answer", look)
    both.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    both.run().require(0, "all_required_passed")
    assert found
    assert set(found) == {("started", "inconclusive", "hold")}


@pytest.mark.parametrize(
    ("severity", "status", "reason"),
    [("critical", 20, "confirmed_failure"), ("major", 10, "confirmed_failure"), ("minor", 0, "passed_with_warnings")],
)
def test_the_severity_of_a_declared_failure_decides(project: Project, severity: str, status: int, reason: str) -> None:
    """A confirmed failure rolls back, holds or warns by its severity."""
    project.suite(f"{GOOD}\n- {{name: bad, severity: {severity}, get: 'api:/bad', expect: {{status: 200}}}}")
    run = project.run()
    run.require(status, reason)
    assert run.outcomes()["bad"] == "failed"


@pytest.mark.parametrize(
    ("severity", "status", "reason"),
    [("critical", 20, "confirmed_failure"), ("major", 10, "confirmed_failure"), ("minor", 0, "passed_with_warnings")],
)
def test_the_severity_of_a_failing_test_decides(both: Project, severity: str, status: int, reason: str) -> None:
    """A Python test that fails twice weighs as its mark says."""
    both.tests(f"""
        def test_good(api):
            assert api.get("/ok").status_code == 200

        @pytest.mark.check(severity="{severity}")
        def test_bad(api):
            assert api.get("/bad").status_code == 200
    """)
    run = both.run()
    run.require(status, reason)
    assert [attempt["outcome"] for attempt in run.check("test_bad")["attempts"]] == ["failed", "failed"]


def test_what_is_no_assertion_is_no_failure(both: Project) -> None:
    """A fixture that raises and a KeyError in a test mean that we could not tell."""
    both.tests("""
        @pytest.fixture
        def broken():
            raise RuntimeError("no fixture today")

        def test_fixture(api, broken):
            pass

        def test_key(api):
            api.get("/ok").json()["data"]
    """)
    run = both.run()
    run.require(10, "required_check_not_proven")
    assert run.outcomes() == {"test_fixture": "errored", "test_key": "errored"}


def test_a_broken_teardown_leaves_a_test_unproven(both: Project) -> None:
    """A test whose teardown raises has not passed; a failing one still has failed."""
    both.tests("""
        @pytest.fixture
        def leaves_something():
            yield
            raise RuntimeError("could not clean up")

        def test_good(api, leaves_something):
            assert api.get("/ok").status_code == 200

        def test_bad(api, leaves_something):
            assert api.get("/bad").status_code == 200
    """)
    run = both.run()
    run.require(20, "confirmed_failure")
    assert run.outcomes() == {"test_good": "errored", "test_bad": "failed"}
    assert len(run.check("test_bad")["attempts"]) == 2


def test_what_passes_on_a_second_attempt_is_a_warning(both: Project) -> None:
    """Flaky checks, declared and Python, pass with a warning each."""
    both.suite("- {name: shaky, get: 'api:/flaky/declared', expect: {status: 200}}")
    both.tests("""
        def test_shaky(api):
            assert api.get("/flaky/python").status_code == 200
    """)
    run = both.run()
    run.require(0, "passed_with_warnings")
    assert len(run.verdict["warnings"]) == 2
    assert run.verdict["counts"]["flaky"] == 2


def test_a_service_that_is_down_is_one_cause(both: Project) -> None:
    """Checks of an unreachable service are blocked, shown with a letter of their own, and share a cause."""
    both.target(services=", chat: http://127.0.0.1:9")
    both.suite(f"{GOOD}\n- {{name: talk, get: 'chat:/', expect: {{status: 200}}}}")
    both.tests("""
        def test_talk(chat):
            chat.get("/")
    """)
    run = both.run()
    assert run.status == 20, run.out
    assert run.outcomes() == {"good": "passed", "talk": "blocked", "test_talk": "blocked"}
    assert [len(cause["checks"]) for cause in run.verdict["causes"]] == [2]
    assert "2 blocked" in run.out
    if both.workers == "0":
        run.result.stdout.fnmatch_lines(["suites?test_it.py b*", "suites?checks.yaml .b*"])


def test_what_policy_leaves_out_does_not_count(both: Project) -> None:
    """``when``, marked writes and declared writing steps are skipped by policy, and the rest passes."""
    both.target("allow: ['POST api:/allowed']\n")
    text = (both.path / "targets.yaml").read_text()
    (both.path / "targets.yaml").write_text(text.replace("read-write", "read-only"))
    both.suite(f"""
        {GOOD}
        - {{name: other target, when: elsewhere, get: 'api:/bad', expect: {{status: 200}}}}
        - {{name: writes, post: 'api:/ok', expect: {{status: 200}}}}
        - {{name: allowed, post: 'api:/allowed', expect: {{status: 200}}}}
    """)
    both.tests("""
        @pytest.mark.check(when="elsewhere")
        def test_other_target(api):
            raise AssertionError

        @pytest.mark.writes
        def test_writes(api):
            api.post("/ok")
    """)
    run = both.run()
    run.require(0, "all_required_passed")
    assert run.verdict["counts"]["skipped"] == 4
    assert run.verdict["counts"]["passed"] == 2


@pytest.mark.parametrize(
    "body",
    [
        'pytest.skip("not today")',
        'pytest.xfail("known")',
        'pytest.importorskip("nothing_of_this_name", exc_type=ImportError)',
    ],
)
def test_a_test_that_skips_itself_is_not_proven(project: Project, body: str) -> None:
    """A required check that skips itself verifies nothing."""
    project.tests(f"""
        def test_good(api):
            assert api.get("/ok").status_code == 200

        def test_skips(api):
            {body}
    """)
    run = project.run()
    run.require(10, "required_check_not_proven")
    assert run.outcomes()["test_skips"] == "skipped"


@pytest.mark.parametrize("mark", ["skip", "skipif(True, reason='x')", "xfail(strict=False)", "xfail"])
def test_a_test_marked_as_skipped_or_expected_to_fail_is_not_proven(both: Project, mark: str) -> None:
    """Skip and xfail marks prove nothing, also where the test passes."""
    both.tests(f"""
        @pytest.mark.{mark}
        def test_marked(api):
            assert api.get("/ok").status_code == 200
    """)
    both.run().require(10, "required_check_not_proven")


def test_a_test_that_exchanges_nothing_proves_nothing(both: Project) -> None:
    """Without an exchange with the target a pass is empty."""
    both.tests("""
        def test_vain():
            assert True
    """)
    run = both.run()
    run.require(10, "required_check_not_proven")
    assert "exchange" in run.verdict["summary"]


def test_evidence_by_other_means_proves_a_test(both: Project) -> None:
    """``evidence("…")`` says what a test verified without our clients."""
    both.tests("""
        def test_dashboard(evidence):
            evidence("looked at the dashboard")
    """)
    both.run().require(0, "all_required_passed")


def test_a_test_that_returns_its_answer_is_not_proven(project: Project) -> None:
    """``return ok`` instead of ``assert ok`` verifies nothing."""
    project.tests("""
        def test_returns(api):
            return api.get("/ok").status_code == 404
    """)
    run = project.run()
    assert run.status == 10
    assert run.outcomes() == {"test_returns": "errored"}


def test_nothing_collected_is_never_a_pass(both: Project) -> None:
    """An empty suite is pytest's status 5."""
    both.run().require(5, "nothing_selected")


def test_everything_skipped_by_policy_is_never_a_pass(project: Project) -> None:
    """A suite that does not apply to the target verifies nothing."""
    project.suite("- {name: other, when: elsewhere, get: 'api:/ok', expect: {status: 200}}")
    project.run().require(5, "nothing_selected")
