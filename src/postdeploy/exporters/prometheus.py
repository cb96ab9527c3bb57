"""Metrics of one run for Prometheus, such as for the textfile collector of the node exporter.

Names are blackbox_exporter's where they mean the same, so that its alerts and dashboards work; ours begin with
``postdeploy_``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.exposition import Family, Sample, exposition, labelled
from postdeploy.exporters.reading import duration, moment, run_seconds

__all__ = ["families", "render"]

Document = Mapping[str, Any]

_PHASES: Final = {
    "dns": "resolve",
    "connect": "connect",
    "tls": "tls",
    "first_byte": "processing",
    "transfer": "transfer",
}
_UNKNOWN: Final = frozenset({"skipped", "not_run"})


def render(document: Document, _read: Read) -> bytes:
    """The file."""
    return exposition(families(document))


def families(document: Document) -> Iterator[Family]:
    """What a verdict document says in numbers."""
    target = {"target": document["target"]["name"]}
    yield from _of_checks(document, target)
    yield from _of_the_run(document, target)


def _of_checks(document: Document, target: dict[str, str]) -> Iterator[Family]:
    checks = [check for check in document.get("checks", ()) if check["outcome"] not in _UNKNOWN]
    about = [(check, labelled(target | {"check": check["id"], "kind": check["kind"]})) for check in checks]
    success = [Sample(labels, float(check["outcome"] == "passed")) for check, labels in about]
    yield Family("probe_success", "Whether the check passed.", success)
    seconds = [Sample(labels, duration(check)) for check, labels in about]
    yield Family("probe_duration_seconds", "How long the check took, over all attempts.", seconds)
    lookups = [
        Sample(labels, phases["dns"]) for check, labels in about if "dns" in (phases := _last(check).get("phases", {}))
    ]
    yield Family("probe_dns_lookup_time_seconds", "Duration of the last lookup of a name.", lookups)
    phases = [sample for check, labels in about for sample in _phases(check, labels)]
    yield Family("probe_http_duration_seconds", "Duration of the last HTTP exchange by phase.", phases)
    expiry = [Sample(labels, _last(check)["expires"]) for check, labels in about if "expires" in _last(check)]
    yield Family("probe_ssl_earliest_cert_expiry", "When the first certificate of the chain expires.", expiry)
    attempts = [Sample(labels, len(check["attempts"])) for check, labels in about]
    yield Family("postdeploy_check_attempts", "How often the check was attempted.", attempts)
    flaky = [Sample(labels, float(check["flaky"])) for check, labels in about]
    yield Family("postdeploy_check_flaky", "Whether the check passed only when it was repeated.", flaky)


def _of_the_run(document: Document, target: dict[str, str]) -> Iterator[Family]:
    for name, values in (("verdict", ("pass", "fail", "inconclusive")), ("action", ("promote", "hold", "rollback"))):
        samples = [Sample(labelled(target | {name: value}), float(document[name] == value)) for value in values]
        yield Family(f"postdeploy_{name}", f"The {name} of the last run: 1 for the one that it is.", samples)
    counts = [
        Sample(labelled(target | {"outcome": name}), float(count)) for name, count in document.get("counts", {}).items()
    ]
    yield Family("postdeploy_checks", "Checks of the last run by what became of them.", counts)
    run, finished = labelled(target), moment(document["run"].get("finished"))
    yield Family("postdeploy_run_duration_seconds", "How long the run took.", [Sample(run, run_seconds(document))])
    yield Family("postdeploy_last_run_timestamp_seconds", "When the last run finished; 0 if none did.",
                 [Sample(run, finished)])  # fmt: skip
    about = target | {
        "release": _release(document["release"]),
        "mode": str(document["run"].get("mode", "")),
        "version": document["run"]["tool"]["version"],
    }
    yield Family("postdeploy_run_info", "What the last run was about.", [Sample(labelled(about), 1.0)])


def _release(release: Document) -> str:
    """The one that was expected, else the only one that answered."""
    observed = set(release.get("observed", {}).values())
    return str(release["expected"] or (observed.pop() if len(observed) == 1 else ""))


def _last(check: Document) -> Document:
    """The last attempt, if there was any."""
    return check["attempts"][-1] if check["attempts"] else {}


def _phases(check: Document, labels: str) -> Iterator[Sample]:
    for name, seconds in _last(check).get("phases", {}).items():
        if name in _PHASES:
            yield Sample(f'{labels},phase="{_PHASES[name]}"', seconds)
