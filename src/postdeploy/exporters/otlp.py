"""OpenTelemetry: the run, its checks and their attempts as spans, and what they measured as metrics, in OTLP's JSON.

Each file is what a receiver takes at /v1/traces and /v1/metrics, and a line as the collector's file receiver reads it.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import inert_json
from postdeploy.exporters.otlp_metrics import metrics
from postdeploy.exporters.otlp_spans import spans
from postdeploy.exporters.otlp_values import attributes, quoted

__all__ = ["METRICS", "TRACES", "render"]

Document = Mapping[str, Any]

TRACES: Final = "traces.json"
METRICS: Final = "metrics.json"


def render(document: Document, _read: Read) -> dict[str, bytes]:
    """Both files."""
    return {TRACES: _file(document, "Spans", spans(document)), METRICS: _file(document, "Metrics", metrics(document))}


def _file(document: Document, signal: str, objects: list[str]) -> bytes:
    """One line of megabytes, which is put together once."""
    resource = f'{{"attributes":{attributes(_resource(document))}}}'
    scope = f'{{"name":"postdeploy","version":{quoted(document["run"]["tool"]["version"])}}}'
    head = f'{{"resource{signal}":[{{"resource":{resource},"scope{signal}":[{{"scope":{scope},"{signal.lower()}":['
    first, *more = objects
    parts = [head + first, *more]
    parts[-1] += "]}]}]}\n"
    return inert_json(",".join(parts))


def _resource(document: Document) -> dict[str, Any]:
    """Who reports, and about which deployment."""
    release, ci = document["release"]["expected"], document["run"].get("ci") or {}
    return {
        "service.name": "postdeploy",
        "service.version": document["run"]["tool"]["version"],
        "deployment.environment.name": document["target"]["name"],
        "cicd.pipeline.run.url.full": ci.get("url"),
        "postdeploy.release": release,
        "postdeploy.run": document["run"]["id"],
    }
