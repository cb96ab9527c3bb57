"""Metrics: gauges with the time of the end of the run, one point for each check, phase, outcome or action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from postdeploy.exporters.otlp_spans import SUITE, TASK
from postdeploy.exporters.otlp_values import array, attributes, nanoseconds, number, quoted
from postdeploy.exporters.page.latency import latencies
from postdeploy.exporters.reading import duration, run_seconds

__all__ = ["metrics"]

Document = Mapping[str, Any]
Point = tuple[str, float]
"""Attributes as JSON, and the value."""


def metrics(document: Document) -> list[str]:
    """Those that have a point, each as JSON, that of the run first."""
    time = nanoseconds(document["run"].get("finished") or document["run"]["started"])
    return [_gauge(time, *family) for family in (*_of_the_run(document), *_of_checks(document)) if family[3]]


def _of_the_run(document: Document) -> Iterator[tuple[str, str, str, list[Point]]]:
    whole = {
        "test.suite.name": document["target"]["name"],
        "test.suite.run.status": SUITE.get(document["verdict"]),
        "cicd.pipeline.task.run.result": TASK.get(document["action"]),
        "postdeploy.reason": document["reason"],
    }
    yield "postdeploy.run.duration", "s", "How long the run took.", [(attributes(whole), run_seconds(document))]
    for name, words in (("verdict", ("pass", "fail", "inconclusive")), ("action", ("promote", "hold", "rollback"))):
        points = [(attributes({f"postdeploy.{name}": word}), float(document[name] == word)) for word in words]
        yield f"postdeploy.{name}", "1", f"The {name} of the run: 1 for the one that it is.", points
    counts = document.get("counts", {}).items()
    yield (
        "postdeploy.checks",
        "{check}",
        "Checks by what became of them.",
        [(attributes({"postdeploy.outcome": name}), float(count)) for name, count in counts],
    )


def _of_checks(document: Document) -> Iterator[tuple[str, str, str, list[Point]]]:
    checks = [check for check in document.get("checks", ()) if check["outcome"] not in {"skipped", "not_run"}]
    about = [(attributes(_facts(check)), check) for check in checks]
    passed = [(facts, float(check["outcome"] == "passed")) for facts, check in about]
    yield "postdeploy.check.success", "1", "Whether the check passed.", passed
    seconds = [(facts, duration(check)) for facts, check in about]
    yield "postdeploy.check.duration", "s", "How long the check took, over all attempts.", seconds
    attempts = [(facts, float(len(check["attempts"]))) for facts, check in about]
    yield "postdeploy.check.attempts", "{attempt}", "How often the check was attempted.", attempts
    phases = [
        (attributes({"postdeploy.phase": row.phase, "postdeploy.statistic": name}), value / 1000)
        for row in latencies(document)
        for name, value in (("p50", row.p50), ("p95", row.p95), ("max", row.most))
    ]  # those of each check are attributes of its spans
    yield "postdeploy.phase.duration", "s", "Duration of the exchanges of all checks by phase.", phases


def _facts(check: Document) -> dict[str, Any]:
    return {
        "test.case.name": check["name"],
        "postdeploy.check": check["id"],
        "postdeploy.kind": check["kind"],
    }


def _gauge(time: str, name: str, unit: str, text: str, points: list[Point]) -> str:
    head = f'{{"timeUnixNano":{time},"asDouble":'
    values = array([f'{head}{number(value)},"attributes":{facts}}}' for facts, value in points])
    return f'{{"name":"{name}","unit":"{unit}","description":{quoted(text)},"gauge":{{"dataPoints":{values}}}}}'
