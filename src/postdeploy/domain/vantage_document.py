"""What a verdict document says of the vantages of its run."""

from __future__ import annotations

from typing import Any

from postdeploy.domain.decision import decide
from postdeploy.domain.document import iso
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.standing import Standing, quorum_of, stand

__all__ = ["about_vantages"]


def about_vantages(evidence: Evidence) -> dict[str, Any]:
    """The keys ``quorum`` and ``vantages``."""
    quorum = quorum_of(evidence, evidence.policy)
    return {
        "quorum": {"failing": quorum.failing, "passing": quorum.passing, "of": quorum.of},
        "vantages": [_vantage(standing, evidence) for standing in stand(evidence, evidence.policy)],
    }


def _vantage(standing: Standing, run: Evidence) -> dict[str, Any]:
    """One vantage, with the verdict that it has by itself; inconclusive if it is lost."""
    about = {"name": standing.name, "state": standing.state.value}
    evidence = standing.evidence
    if evidence is None:
        reason, text = standing.doubt or (None, None)
        return about | {"verdict": "inconclusive", "reason": reason, "summary": text, "run": None, "counts": None}
    verdict = decide(evidence, run.policy)
    return about | {
        "verdict": verdict.conclusion.value,
        "reason": verdict.reason.value,
        "summary": verdict.summary,
        "run": {
            "id": evidence.run["id"],
            "started": iso(evidence.run["started"]),
            "finished": iso(evidence.finished_at or 0.0),
        },
        "release": dict(evidence.release.first),
        "counts": evidence.counts(),
    }
