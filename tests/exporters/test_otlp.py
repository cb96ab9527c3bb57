from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from postdeploy.exporters.otlp import render
from postdeploy.guard.identity import identity_headers
from tests.exporters.conftest import nothing

Document = dict[str, Any]
Json = dict[str, Any]
RUNS = ("good", "bad", "hostile", "unfinished", "large")


def spans(document: Document) -> list[Json]:
    """The spans of a run."""
    (resource,) = json.loads(render(document, nothing)["traces.json"])["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    found: list[Json] = scope["spans"]
    return found


def points(document: Document) -> dict[str, list[tuple[dict[str, Any], float]]]:
    """The points of each metric, with their attributes."""
    (resource,) = json.loads(render(document, nothing)["metrics.json"])["resourceMetrics"]
    (scope,) = resource["scopeMetrics"]
    return {
        metric["name"]: [(facts(point), point["asDouble"]) for point in metric["gauge"]["dataPoints"]]
        for metric in scope["metrics"]
    }


def facts(holder: Json) -> dict[str, Any]:
    """The attributes of a span or a point."""
    return {one["key"]: next(iter(one["value"].values())) for one in holder["attributes"]}


@pytest.mark.parametrize("run", RUNS)
def test_the_messages_of_the_specification_take_it(request: pytest.FixtureRequest, run: str) -> None:
    """Every field is one of the protocol's, with a value of its type; ids are unique and parents are there."""
    document = request.getfixturevalue(run)
    rendered = render(document, nothing)
    for name, kind in (("traces.json", TracesData), ("metrics.json", MetricsData)):
        assert len(rendered[name].splitlines()) == 1
        Parse(rendered[name], kind())  # ids are hexadecimal in OTLP's JSON, base64 in protobuf's: both take these
    found = spans(document)
    ids = [span["spanId"] for span in found]
    assert len(set(ids)) == len(ids)
    assert {span.get("parentSpanId", ids[0]) for span in found} <= set(ids)
    assert all(int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) for span in found)


def test_the_target_continues_the_trace(bad: Document) -> None:
    """Trace and span of each attempt are those that its requests were sent with."""
    attempts = {(facts(span)["postdeploy.check"], facts(span)["postdeploy.attempt"]): span
                for span in spans(bad) if "postdeploy.attempt" in facts(span)}  # fmt: skip
    assert len(attempts) == sum(len(check["attempts"]) for check in bad["checks"])
    for (check, number), span in attempts.items():
        sent = identity_headers(bad["run"]["id"], check, int(number))["traceparent"]
        assert sent == f"00-{span['traceId']}-{span['spanId']}-01"


def test_what_was_waited_for_has_spans(good: Document) -> None:
    """Their ids are those that the requests of preflight and of the wait for the release were sent with."""
    good["waits"] = [
        {"name": "release", "began": "1970-01-12T13:46:40.000Z", "seconds": 2.5},
        {"name": "preflight", "began": "1970-01-12T13:46:42.500Z", "seconds": 0.25},
    ]
    release, preflight = spans(good)[1:3]
    for span in (release, preflight):
        sent = identity_headers(good["run"]["id"], span["name"])["traceparent"]
        assert sent == f"00-{span['traceId']}-{span['spanId']}-01"
        assert span["parentSpanId"] == spans(good)[0]["spanId"]
        assert "status" not in span
    assert facts(release) == {
        "postdeploy.release": "r2", "postdeploy.release.live": True, "postdeploy.release.answers": "5",
    }  # fmt: skip
    assert (int(preflight["endTimeUnixNano"]) - int(preflight["startTimeUnixNano"])) == 250_000_000
    good["release"] |= {"live": False, "problem": "not live within 3 s"}
    assert spans(good)[1]["status"]["message"] == "not live within 3 s"


def test_the_run_is_the_root(bad: Document) -> None:
    """It says what became of the deployment, in the words of the semantic conventions and in ours."""
    root = spans(bad)[0]
    said = facts(root)
    assert "parentSpanId" not in root
    assert (said["cicd.pipeline.task.run.result"], said["deployment.status"]) == ("failure", "failed")
    assert (said["deployment.environment.name"], said["test.suite.run.status"]) == ("staging", "failure")
    assert (said["postdeploy.verdict"], said["postdeploy.action"]) == ("fail", "rollback")
    assert [facts(event)["postdeploy.reason"] for event in root["events"]] == ["deadline_exceeded"]
    assert root["status"]["code"] == 2


def test_what_nobody_could_tell_is_no_success(good: Document, unfinished: Document) -> None:
    """An unfinished run is an error of the task, says nothing of the deployment, and is in progress."""
    assert facts(spans(good)[0])["deployment.status"] == "succeeded"
    said = facts(spans(unfinished)[0])
    assert (said["cicd.pipeline.task.run.result"], said["test.suite.run.status"]) == ("error", "in_progress")
    assert "deployment.status" not in said
    timed_out = good | {"verdict": "inconclusive", "reason": "deadline_exceeded", "action": "hold"}
    assert facts(spans(timed_out)[0])["test.suite.run.status"] == "timed_out"


def test_every_check_has_a_span(bad: Document) -> None:
    """Also one that was never attempted: it has no length; one that was not run has no result of a test case."""
    checks = {span["name"]: facts(span) for span in spans(bad)[1:] if "postdeploy.attempt" not in facts(span)}
    statuses = {name: said.get("test.case.result.status") for name, said in checks.items()}
    assert statuses == {
        "home": "fail", "flaky": "pass", "broken": "fail", "down": "fail", "left out": None, "late": None,
        "fine": "pass",
    }  # fmt: skip
    assert checks["down"]["error.type"] == "blocked"


def test_an_attempt_says_what_went_wrong(bad: Document) -> None:
    """A code as the type of the error, the message as its status, and the phases in seconds."""
    span = next(span for span in spans(bad) if facts(span).get("postdeploy.attempt") == "1")
    assert facts(span)["error.type"] == "mismatch"
    assert span["status"]["message"] == "status: expected 200, got 404"
    assert facts(span)["postdeploy.phase.first_byte"] == 0.05


def test_metrics(bad: Document) -> None:
    """Success, duration and attempts of each check that was tried; counts, and one action that is 1."""
    found = points(bad)
    success = {said["postdeploy.check"]: value for said, value in found["postdeploy.check.success"]}
    assert success == {"home": 0.0, "flaky": 1.0, "broken": 0.0, "down": 0.0, "fine": 1.0}
    assert {said["postdeploy.action"]: value for said, value in found["postdeploy.action"]}["rollback"] == 1.0
    assert {said["postdeploy.outcome"]: value for said, value in found["postdeploy.checks"]}["not_run"] == 1.0
    assert found["postdeploy.run.duration"][0][1] == 10.0
    phases = {(said["postdeploy.phase"], said["postdeploy.statistic"]): value
              for said, value in found["postdeploy.phase.duration"]}  # fmt: skip
    assert phases["first_byte", "p95"] == 0.05


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A collector that writes down what it takes: its address, and the file."""
    folder = tmp_path_factory.mktemp("collector")
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                str(files("rotel").joinpath("rotel-agent")), "start", "--exporter=blackhole", "--debug-log=traces",
                "--debug-log=metrics", "--debug-log-verbosity=detailed", f"--otlp-http-endpoint=127.0.0.1:{ports[0]}",
                f"--otlp-grpc-endpoint=127.0.0.1:{ports[1]}", f"--pid-file={folder / 'pid'}",
            ],
            stdout=out, stderr=out,
        )  # fmt: skip
    try:
        for _ in range(200):
            if socket.socket().connect_ex(("127.0.0.1", ports[0])) == 0:
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{ports[0]}", log
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("run", RUNS)
def test_a_collector_takes_it(request: pytest.FixtureRequest, collector: tuple[str, Path], run: str) -> None:
    """A collector of OpenTelemetry answers 200 and rejects nothing, whatever the run was like."""
    url, log = collector
    document = request.getfixturevalue(run)
    document["run"]["id"] = f"{run} taken"
    for name, content in render(document, nothing).items():
        wanted = urllib.request.Request(f"{url}/v1/{name.removesuffix('.json')}", content)
        wanted.add_header("content-type", "application/json")
        with urllib.request.urlopen(wanted, timeout=10) as answer:
            assert (answer.status, json.load(answer)) == (200, {"partialSuccess": None})
    last = spans(document)[-1]["spanId"]
    for _ in range(100):
        if last in log.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text()[-2000:])
