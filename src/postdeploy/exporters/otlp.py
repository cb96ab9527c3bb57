"""OpenTelemetry: the run, its checks and their attempts as spans, and what they measured as metrics, in OTLP's JSON.

Each file is what a receiver takes at /v1/traces and /v1/metrics, and a line as the collector's file receiver reads it.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import json_bytes
from postdeploy.exporters.otlp_metrics import metrics
from postdeploy.exporters.otlp_spans import spans
from postdeploy.exporters.otlp_values import Json, attributes

__all__ = ["METRICS", "TRACES", "render"]

Document = Mapping[str, Any]

TRACES: Final = "traces.json"
METRICS: Final = "metrics.json"


def render(document: Document, _read: Read) -> dict[str, bytes]:
    """Both files."""
    resource = {"attributes": attributes(_resource(document))}
    scope = {"name": "postdeploy", "version": document["run"]["tool"]["version"]}
    traces = [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans(document)}]}]
    measured = [{"resource": resource, "scopeMetrics": [{"scope": scope, "metrics": metrics(document)}]}]
    return {
        TRACES: json_bytes({"resourceSpans": traces}),
        METRICS: json_bytes({"resourceMetrics": measured}),
    }


def _resource(document: Document) -> Json:
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
