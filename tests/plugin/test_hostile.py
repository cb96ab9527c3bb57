"""What targets, tests and disks do to break a report, and secrets that must not get out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
TOKEN = "peer-token-5f3a9c'\"<"


def test_whatever_a_test_leaves_in_its_report_arrives(both: Project) -> None:
    """Lone surrogates, enums, paths and dates in reports do not make a failing test vanish."""
    both.tests("""
        import datetime
        import http
        import pathlib

        def test_surrogate(api):
            assert api.get("/surrogate").json()["ok"] == "right"

        def test_properties(api, record_property):
            record_property("status", http.HTTPStatus.OK)
            record_property("path", pathlib.Path("/tmp"))
            record_property("when", datetime.datetime.now())
            assert api.get("/bad").status_code == 200
    """)
    run = both.run("--junitxml=junit.xml")
    run.require(20, "confirmed_failure")
    assert set(run.outcomes().values()) == {"failed"}


def test_secrets_stay_in(both: Project) -> None:
    """However a test spills a secret, no report has it."""
    quoted = TOKEN.replace("'", "''")
    both.target(f"secrets: {{token: '{quoted}'}}\n")
    both.suite("""
        - {name: declared, get: 'api:/bad/${secrets.token}', auth: "bearer ${secrets.token}", expect: {status: 200}}
    """)
    both.tests("""
        import logging
        import warnings

        @pytest.fixture
        def token(secrets):
            return secrets["token"].reveal()

        def test_assert(api, token):
            api.get("/ok")
            assert token == "something else"

        def test_traceback(api, token):
            raise ValueError(f"bad token {token}")

        def test_header(api, token):
            answer = api.get("/bad", headers={"authorization": f"Bearer {token}"})
            print(token)
            logging.getLogger().warning(token)
            warnings.warn(token)
            assert answer.status_code == 200, answer.request.headers

        def test_property(api, token, record_property):
            record_property("token", token)
            api.get("/bad", params={"token": token}).raise_for_status()

        def test_skip(api, token):
            pytest.skip(token)
    """)
    run = both.run("--junitxml=reports/junit.xml", "-ra", "-vv", "-l", "--showlocals")
    assert run.status == 20
    inside = "peer-token-5f3a9c"
    for text in (run.out, run.err, *(path.read_text() for path in both.reports.glob("*.*"))):
        assert inside not in text, text[max(0, text.index(inside) - 300) :][:600]
    assert "***" in run.out


def test_a_long_secret_that_pytest_shortens_is_masked(project: Project) -> None:
    """Pytest leaves the ends of a long text; neither may be shown."""
    secret = "eyJhbGciOiJIUzI1NiJ9." + "abcdefghij" * 60 + ".signature-of-the-token"
    project.target(f"secrets: {{token: {secret}}}\n")
    project.tests("""
        def test_long(api, secrets):
            token = secrets["token"].reveal()
            api.get("/ok")
            assert {"token": token} == {}
    """)
    run = project.run("-l")
    assert "eyJhbGciOiJ" not in run.out
    assert "signature-of-the-token" not in run.out


def test_reports_that_cannot_be_written_are_refused(project: Project) -> None:
    """Where the reports folder cannot be, the run does not start, and names the path."""
    project.suite(GOOD)
    (project.path / "blocked").write_text("a file")
    run = project.run("--reports=blocked/reports")
    assert run.status == 4
    assert "blocked/reports" in run.err


@pytest.mark.parametrize("call", ["seal", "append"])
def test_a_disk_that_fills_up_is_no_pass(project: Project, call: str) -> None:
    """A verdict that could not be sealed is said with its path, and the status is not 0."""
    project.suite("\n".join(GOOD.replace("good", f"good {number}") for number in range(30)))
    limit = {"seal": 'name == "pytest_unconfigure"', "append": 'name == "pytest_collection_finish"'}[call]
    project.conftest(f"""
        import resource

        def _full(name):
            if {limit}:
                resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))

        def pytest_unconfigure():
            _full("pytest_unconfigure")

        def pytest_collection_finish():
            _full("pytest_collection_finish")
    """)
    run = project.run("-p", "no:cacheprovider")
    assert run.status == 3, run.out + run.err
    assert "NO VERDICT" in run.err
    assert str(project.reports) in run.err
    assert run.verdict["state"] == "started"


def test_a_verdict_that_is_a_link_is_not_followed(project: Project) -> None:
    """Reports go to regular files only."""
    project.suite(GOOD)
    project.reports.mkdir()
    (project.path / "precious").write_text("data")
    (project.reports / "evidence.jsonl").symlink_to(project.path / "precious")
    run = project.run()
    assert run.status == 4
    assert (project.path / "precious").read_text() == "data"
