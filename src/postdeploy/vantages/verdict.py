"""Whole runs from several vantages become the journal of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postdeploy.domain.evidence import Incident
from postdeploy.domain.merging import vantage_records
from postdeploy.domain.verdict import Reason
from postdeploy.errors import RefusedError

if TYPE_CHECKING:
    from postdeploy.merge import Read

__all__ = ["of_parts", "records_of"]


def of_parts(
    reads: Sequence[Read], run: Mapping[str, Any], now: float, problems: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The journal of runs that somebody else made; the policy says which vantages there are to be.

    Raises:
        RefusedError: it does not, a run was not told its vantage, or one vantage has several runs.
    """
    names = reads[0].part.evidence.policy.vantages
    if not names:
        raise RefusedError("runs of vantages need 'vantages' in the policy of the target, so that none is forgotten")
    seen: dict[str, Read] = {}
    for read in reads:
        name = read.part.evidence.run.get("vantage")
        if name not in names or name in seen:
            told = f"is a run of vantage {name}, again" if name in seen else f"is a run of {name or 'no vantage'}"
            raise RefusedError(f"{read.part.place} {told}; the vantages are {', '.join(names)}")
        seen[name] = read
    text = "; ".join(["there is no run of it", *problems])
    lost = {name: Incident(Reason.INCOMPLETE.value, text) for name in names if name not in seen}
    return records_of(seen, lost, {**run, "vantages": list(names)}, {}, now)


def records_of(
    seen: Mapping[str, Read],
    lost: Mapping[str, Incident],
    run: Mapping[str, Any],
    about: Mapping[str, Any],
    now: float,
) -> list[dict[str, Any]]:
    """The journal of a run of several vantages.

    Args:
        seen: by vantage, the run that was made there and is believed.
        lost: by vantage, why there is none.
        run: facts of the whole run: at least its id and the names of its vantages.
        about: ``target``, ``policy`` and ``expected``, for when nothing came back from anywhere.
        now: seconds since the epoch.
    """
    parts = [read.part.evidence for read in seen.values()]
    starts = [float(part.run["started"]) for part in parts]
    ends = [each for part in parts if isinstance(each := part.run.get("ends_at"), int | float)]
    told: dict[str, Any] = dict(about)
    own: dict[str, Any] = {"started": min(starts, default=now)}
    if parts:
        first = parts[0]
        told = {"target": dict(first.target), "policy": first.policy.to_json(), "expected": first.release.expected}
        own = {**{key: value for key, value in first.run.items() if key != "vantage"}, **own}
    whole = {**own, **run, "ends_at": max(ends, default=None)}
    return vantage_records({"run": whole, **told}, {name: read.records for name, read in seen.items()}, lost, now)
