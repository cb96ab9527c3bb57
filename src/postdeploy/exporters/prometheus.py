"""Prometheus text format 0.0.4, for the textfile collector of the node exporter.

Names are blackbox_exporter's where they mean the same, so that its alerts and dashboards work; ours begin with
``postdeploy_``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from postdeploy.exporters import Read
from postdeploy.exporters.escaping import visible
from postdeploy.exporters.reading import duration, moment, run_seconds

__all__ = ["render"]

Document = Mapping[str, Any]

_PHASES: Final = {
    "dns": "resolve",
    "connect": "connect",
    "tls": "tls",
    "first_byte": "processing",
    "transfer": "transfer",
}
_UNKNOWN: Final = frozenset({"skipped", "not_run"})


class _Sample(NamedTuple):
    """Labels as they are written, and the value."""

    labels: str
    value: float


def render(document: Document, _read: Read) -> bytes:
    """The file."""
    target = {"target": document["target"]["name"]}
    lines = [line for family in _families(document, target) for line in _family(*family)]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _families(document: Document, target: dict[str, str]) -> Iterator[tuple[str, str, list[_Sample]]]:
    checks = [check for check in document.get("checks", ()) if check["outcome"] not in _UNKNOWN]
    labelled = [(check, _labels(target | {"check": check["id"], "kind": check["kind"]})) for check in checks]
    success = [_Sample(labels, float(check["outcome"] == "passed")) for check, labels in labelled]
    yield "probe_success", "Whether the check passed.", success
    yield (
        "probe_duration_seconds",
        "How long the check took, over all attempts.",
        [_Sample(labels, duration(check)) for check, labels in labelled],
    )
    yield (
        "probe_http_duration_seconds",
        "Duration of the last HTTP exchange by phase.",
        [sample for check, labels in labelled for sample in _phases(check, labels)],
    )
    yield (
        "postdeploy_check_attempts",
        "How often the check was attempted.",
        [_Sample(labels, len(check["attempts"])) for check, labels in labelled],
    )
    yield from _of_the_run(document, target)


def _of_the_run(document: Document, target: dict[str, str]) -> Iterator[tuple[str, str, list[_Sample]]]:
    for name, values in (("verdict", ("pass", "fail", "inconclusive")), ("action", ("promote", "hold", "rollback"))):
        samples = [_Sample(_labels(target | {name: value}), float(document[name] == value)) for value in values]
        yield f"postdeploy_{name}", f"The {name} of the last run: 1 for the one that it is.", samples
    counts = document.get("counts", {}).items()
    yield (
        "postdeploy_checks",
        "Checks of the last run by what became of them.",
        [_Sample(_labels(target | {"outcome": name}), float(count)) for name, count in counts],
    )
    run = _labels(target)
    yield "postdeploy_run_duration_seconds", "How long the run took.", [_Sample(run, run_seconds(document))]
    finished = moment(document["run"].get("finished"))
    yield "postdeploy_run_finished_timestamp_seconds", "When the last run finished.", [_Sample(run, finished)]
    release = target | {
        "release": str(document["release"]["expected"] or ""),
        "version": document["run"]["tool"]["version"],
    }
    yield "postdeploy_run_info", "What the last run was about.", [_Sample(_labels(release), 1.0)]


def _phases(check: Document, labels: str) -> Iterator[_Sample]:
    phases = check["attempts"][-1].get("phases", {}) if check["attempts"] else {}
    for name, seconds in phases.items():
        if name in _PHASES:
            yield _Sample(f'{labels},phase="{_PHASES[name]}"', seconds)


def _family(name: str, text: str, samples: list[_Sample]) -> Iterator[str]:
    if samples:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
        yield from (f"{name}{{{labels}}} {value:.9g}" for labels, value in samples)


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items())


def _quoted(value: str) -> str:
    return visible(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
