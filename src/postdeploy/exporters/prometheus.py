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
    "dns": ',phase="resolve"',
    "connect": ',phase="connect"',
    "tls": ',phase="tls"',
    "first_byte": ',phase="processing"',
    "transfer": ',phase="transfer"',
}
"""As labels that follow others."""

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
    ours = labelled(target)
    about = [
        (f"{ours},{labelled({'check': check['id'], 'kind': check['kind']})}", check)
        for check in document.get("checks", ())
        if check["outcome"] not in _UNKNOWN
    ]
    last = [(labels, check["attempts"][-1]) for labels, check in about if check["attempts"]]
    success = [(labels, float(check["outcome"] == "passed")) for labels, check in about]
    yield Family("probe_success", "Whether the check passed.", success)
    seconds = [(labels, duration(check)) for labels, check in about]
    yield Family("probe_duration_seconds", "How long the check took, over all attempts.", seconds)
    lookups = [(labels, phases["dns"]) for labels, one in last if "dns" in (phases := one.get("phases", {}))]
    yield Family("probe_dns_lookup_time_seconds", "Duration of the last lookup of a name.", lookups)
    phases = [
        (labels + _PHASES[name], seconds)
        for labels, one in last
        for name, seconds in one.get("phases", {}).items()
        if name in _PHASES
    ]
    yield Family("probe_http_duration_seconds", "Duration of the last HTTP exchange by phase.", phases)
    expiry = [(labels, one["expires"]) for labels, one in last if "expires" in one]
    yield Family("probe_ssl_earliest_cert_expiry", "When the first certificate of the chain expires.", expiry)
    attempts = [(labels, len(check["attempts"])) for labels, check in about]
    yield Family("postdeploy_check_attempts", "How often the check was attempted.", attempts)
    flaky = [(labels, float(check["flaky"])) for labels, check in about]
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
