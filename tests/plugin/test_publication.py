"""What a run hands out beside its verdict: Allure's folder, spans and metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.web_server import WebServer, respond

if TYPE_CHECKING:
    from tests.plugin.conftest import Outcome, Peer, Project

SUITE = """
    - {name: good, get: 'api:/ok', expect: {status: 200}}
    - {name: bad, get: 'api:/bad', severity: major, owner: api team, expect: {status: 200}}
    - {name: elsewhere, get: 'api:/ok', when: {target: elsewhere}, expect: {status: 200}}
"""
TESTS = """
    def test_fine(api):
        assert api.get("/ok").status_code == 200

    @pytest.mark.check(owner="web team")
    def test_flaky(api):
        assert api.get("/flaky").status_code == 200
"""


def results(run: Outcome, folder: str) -> dict[str, list[dict[str, Any]]]:
    """The results of an Allure folder by check."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in (run.reports.parent / folder).glob("*-result.json"):
        one = json.loads(path.read_text())
        labels = {label["name"]: label["value"] for label in one["labels"]}
        found.setdefault(labels.get("postdeploy.check", one["fullName"]), []).append(one)
    return found


def test_allure_has_all_of_it(both: Project) -> None:
    """Allure's own folder of the report and that of allure-pytest have each check once, judged like the verdict."""
    both.suite(SUITE)
    both.tests(TESTS)
    run = both.run("-p", "allure_pytest", "--alluredir=allure", "--report=allure", "--reruns=1")
    ids = {check["id"]: check for check in run.verdict["checks"]}
    ours, theirs = results(run, "reports/allure-results"), results(run, "allure")
    words = {"passed": "passed", "failed": "failed", "skipped": "skipped"}
    for found in (ours, theirs):
        assert found.keys() == ids.keys()
        last = {name: max(each, key=lambda one: one["start"]) for name, each in found.items()}
        assert {name: one["status"] for name, one in last.items()} == {
            name: words[check["outcome"]] for name, check in ids.items()
        }
        owners = {label["value"] for one in last.values() for label in one["labels"] if label["name"] == "owner"}
        assert owners == {"api team", "web team"}
    assert {name: len(each) for name, each in ours.items()} == dict.fromkeys(ids, 1)
    assert (both.path / "allure" / "environment.properties").is_file()
    assert f"allure: {both.path / 'allure'}" in run.out


def test_a_lost_check_is_not_lost(project: Project) -> None:
    """A worker that dies takes its test with it; both of Allure's folders have it nevertheless, and why."""
    project.workers = "2"
    project.tests("import os\n\ndef test_dies(api):\n    os._exit(9)\n\ndef test_lives(api):\n    api.get('/ok')\n")
    run = project.run("-p", "allure_pytest", "--alluredir=allure", "--report=allure,junit")
    for folder in ("allure", "reports/allure-results"):
        found = results(run, folder)
        assert found.keys() >= {check["id"] for check in run.verdict["checks"]}
        (lost,) = (each for name, each in found.items() if "test_dies" in name)
        assert {one["status"] for one in lost} <= {"broken", "unknown"}
        assert [name for name in found if name.startswith("the run::worker_lost")]


def test_the_target_gets_the_spans_that_are_reported(both: Project, one_peer: Peer) -> None:
    """Every request of a check carries the trace and the span of its attempt; declared or Python, first or second."""
    both.suite(SUITE)
    both.tests(TESTS)
    run = both.run("--report=otlp", "--reruns=1")
    (resource,) = json.loads((run.reports / "otlp/traces.json").read_text())["resourceSpans"]
    spans = {span["spanId"]: span for span in resource["scopeSpans"][0]["spans"] if span["name"].startswith("attempt")}
    traces = {span["traceId"] for span in spans.values()}
    sent = {path: [] for path, _ in one_peer.traces}  # type: dict[str, list[str]]
    for path, header in one_peer.traces:
        _, trace, span, _ = header.split("-")
        assert {trace} == traces
        sent[path].append(span)
    assert [spans[span]["name"] for span in sent["/bad"]] == ["attempt 1", "attempt 2"]
    assert [spans[span]["name"] for span in sent["/flaky"]] == ["attempt 1", "attempt 2"]
    assert set(sent["/ok"]) >= {span for span, each in spans.items() if _check(each).endswith("test_fine")}


def _check(span: dict[str, Any]) -> str:
    return str(next(one["value"]["stringValue"] for one in span["attributes"] if one["key"] == "postdeploy.check"))


def test_a_receiver_is_sent_the_spans(project: Project) -> None:
    """Named on the command line, after the seal, of a scheduled run, too; one that refuses is only a warning."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    server = WebServer().script("*", respond())
    try:
        run = project.run(f"--otlp-endpoint={server.url}")
        run.require(0, "all_required_passed")
        assert server.paths() == ["/v1/traces", "/v1/metrics"]
        assert f"otlp: sent to {server.url}/v1/traces, {server.url}/v1/metrics" in run.out
        scheduled = project.run(f"--otlp-endpoint={server.url}", "--monitor", "--history=off")
        scheduled.require(0, "all_required_passed")
        assert f"otlp: sent to {server.url}/v1/traces" in scheduled.out
        server.script("*", respond(503))
        again = project.run(f"--otlp-endpoint={server.url}")
        again.require(0, "all_required_passed")
        assert f"warning: the otlp report could not be sent: {server.url}/v1/traces: HTTP 503" in again.out
    finally:
        server.close()


def test_an_endpoint_that_is_none(project: Project) -> None:
    """A usage error before anything is sent."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    run = project.run("--otlp-endpoint=collector:4318")
    assert run.status == 4
    assert "--otlp-endpoint: " in run.err
