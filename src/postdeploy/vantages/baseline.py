"""What was known before, on its way to each vantage: what ``--baseline`` reads of a verdict, and where it is from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from postdeploy.documents import read_document
from postdeploy.domain.facts import Baseline
from postdeploy.errors import DocumentError, VantageError

__all__ = ["of_file", "of_history"]


def of_file(path: Path) -> str:
    """Of a verdict about the release before. Raises VantageError for a file that is none."""
    try:
        document = read_document(path)
        outcomes = {str(check["id"]): str(check["outcome"]) for check in document["checks"]}
        return _rendered(document["release"]["expected"], outcomes, str(path))
    except (DocumentError, KeyError, TypeError) as error:
        raise VantageError(f"--baseline {path}: not a sealed verdict: {error}") from error


def of_history(baseline: Baseline) -> str:
    """Of what earlier runs saw."""
    outcomes = {check: outcome.value for check, outcome in baseline.outcomes.items()}
    return _rendered(baseline.release, outcomes, baseline.source)


def _rendered(release: str | None, outcomes: Mapping[str, str], source: str) -> str:
    checks = [{"id": check, "outcome": outcome} for check, outcome in outcomes.items()]
    return json.dumps({"release": {"expected": release}, "checks": checks, "source": source})
