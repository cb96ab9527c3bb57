from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy.otlp_receiver import Receiver
from postdeploy.reports import send_otlp
from tests.web_server import Answer, WebServer, respond

FILES = {"traces.json": b'{"resourceSpans": []}', "metrics.json": b'{"resourceMetrics": []}'}
KEY = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def server() -> Iterator[WebServer]:
    """A receiver."""
    server = WebServer()
    server.script("*", respond())
    yield server
    server.close()


def receiver(endpoint: str | None, **environment: str) -> Receiver:
    """The receiver that is meant."""
    found = Receiver.of(endpoint, environment)
    assert found is not None
    return found


def test_both_are_sent(server: WebServer) -> None:
    """Traces and metrics, to the paths of the specification, compressed, with the headers of the environment."""
    headers = "authorization=Bearer%20token, x-scope=staging"
    assert receiver(server.url + "/", OTEL_EXPORTER_OTLP_HEADERS=headers).send(FILES) is None
    assert server.paths() == ["/v1/traces", "/v1/metrics"]
    first = server.seen[0]
    assert gzip.decompress(first.body) == FILES["traces.json"]
    assert (first.headers["authorization"], first.headers["x-scope"]) == ("Bearer token", "staging")
    assert (first.headers["content-type"], first.headers["content-encoding"]) == ("application/json", "gzip")


@pytest.mark.parametrize(
    ("endpoint", "environment", "urls"),
    [
        ("http://a:1", {KEY: "http://b:2"}, {"traces": "http://a:1/v1/traces", "metrics": "http://a:1/v1/metrics"}),
        (None, {KEY: "http://b:2/x"}, {"traces": "http://b:2/x/v1/traces", "metrics": "http://b:2/x/v1/metrics"}),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:3/t"}, {"traces": "http://c:3/t"}),
    ],
)
def test_where_it_goes(endpoint: str | None, environment: dict[str, str], urls: dict[str, str]) -> None:
    """The command line before the environment; a signal's own endpoint is taken as it is."""
    assert receiver(endpoint, **environment).urls == urls


def test_nobody_is_named() -> None:
    """Then nothing is sent."""
    assert Receiver.of(None, {}) is None


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://a", "http://", "file:///etc/passwd"])
def test_what_is_no_address(endpoint: str) -> None:
    """It is refused with what it should be."""
    with pytest.raises(ValueError, match="is not a URL of http or https"):
        Receiver.of(endpoint, {})


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (respond(401), "HTTP 401"),
        (respond(307, location="http://127.0.0.1:9/"), "HTTP 307"),
        (respond(body='{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too \\n late"}}'), "rejectedSpans 2"),
        (Answer(reset=True), "v1/traces: "),
        (respond(body="x" * 100_000), "v1/traces: "),
    ],
)
def test_a_receiver_that_does_not_take_it(server: WebServer, answer: Answer, problem: str) -> None:
    """Why is said in one line, without what the address holds of secrets; metrics are not tried any more."""
    server.script("/v1/traces", answer)
    told = receiver(server.url.replace("//", "//user:secret@") + "?key=secret").send(FILES) or ""
    server.script("/", answer)
    assert "secret" not in told
    told = receiver(server.url).send(FILES) or ""
    assert problem in told
    assert "\n" not in told
    assert "/v1/metrics" not in server.paths()


@pytest.mark.parametrize("answer", [respond(), respond(body="no JSON"), respond(body='{"partialSuccess": null}')])
def test_a_receiver_that_takes_it(server: WebServer, answer: Answer) -> None:
    """Whatever it says beside its status, if it rejects nothing."""
    server.script("*", answer)
    assert receiver(server.url).send(FILES) is None


@pytest.mark.parametrize(
    "answer", [Answer(hang=True), Answer(tuple([b"HTTP/1.1 200 OK\r\n"] + [b"a"] * 100), pause=0.1)]
)
def test_a_receiver_that_does_not_end(server: WebServer, answer: Answer) -> None:
    """Silence and drops alike end when the time is over."""
    server.script("*", answer)
    begun = time.monotonic()
    told = receiver(server.url, OTEL_EXPORTER_OTLP_TIMEOUT="300").send(FILES)
    assert "timed out" in str(told)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(("given", "seconds"), [("1500", 1.5), ("-1", 5.0), ("nan", 5.0), ("soon", 5.0), ("9e9", 30.0)])
def test_the_timeout(given: str, seconds: float) -> None:
    """Milliseconds, never more than half a minute."""
    assert receiver("http://a", OTEL_EXPORTER_OTLP_TIMEOUT=given).timeout == seconds


def test_headers_cannot_be_split(server: WebServer) -> None:
    """A line feed in a header would be another header: such a one is left out, and the others are not shown."""
    made = receiver(server.url, OTEL_EXPORTER_OTLP_HEADERS="a=b%0D%0Ax:%20y,c=d,nonsense")
    assert made.headers == {"c": "d"}
    assert "'d'" not in repr(made)


def test_a_report_that_is_not_there(tmp_path: Path, server: WebServer) -> None:
    """Nothing is sent, and the problem is that of the report."""
    (report,) = send_otlp(tmp_path, server.url, {})
    assert "FileNotFoundError" in str(report.problem)
    assert report.line.startswith("the otlp report could not be sent: ")
    assert server.seen == []
