"""What all formats ask of a verdict document: times, durations, messages of a check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

__all__ = ["duration", "issue_name", "message", "moment", "run_seconds", "title"]

Document = Mapping[str, Any]


@lru_cache(maxsize=4096)
def moment(text: str | None) -> float:
    """Seconds since the epoch of an RFC 3339 time; 0 for none. Every format asks for the same ones."""
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def run_seconds(document: Document) -> float:
    """How long the run took."""
    run = document["run"]
    return max(0.0, moment(run["finished"]) - moment(run["started"])) if run.get("finished") else 0.0


def duration(check: Document) -> float:
    """Seconds of all attempts of a check."""
    return float(sum(attempt["duration"] for attempt in check["attempts"]))


def issue_name(url: str) -> str:
    """An issue in a word: ``#7`` for one of GitHub's, ``SHOP-7`` for one of Jira's."""
    name = url.rstrip("/").rsplit("/", 1)[-1]
    return f"#{name}" if name.isdecimal() else name


def title(document: Document) -> str:
    """The decision in a few words, such as ``FAIL: roll back``."""
    action = {"rollback": "roll back"}.get(document["action"], document["action"])
    return f"{str(document['verdict']).upper()}: {action}"


def message(check: Document) -> str:
    """Why a check did not pass, or what its first attempts said: findings first, then errors, then the reason.

    Of several vantages, the last line says at which it ended how.
    """
    lines: list[str] = []
    for attempt in reversed(check["attempts"]):
        lines = [_finding(finding) for finding in attempt.get("findings", ())]
        if attempt.get("error"):
            lines.append(attempt["error"])
        if lines:
            break
    if not lines and check.get("reason"):
        lines = [check["reason"]]
    if lines and check.get("outcomes"):
        lines.append(_by_vantage(check["outcomes"]))
    return "\n".join(lines)


def _by_vantage(outcomes: Mapping[str, str | None]) -> str:
    """Where a check ended how, such as ``failed at eu, ap; passed at us``."""
    places: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        places.setdefault((outcome or "no answer").replace("_", " "), []).append(name)
    return "; ".join(f"{outcome} at {', '.join(names)}" for outcome, names in places.items())


def _finding(finding: Document) -> str:
    if finding["code"] == "assertion":
        return str(finding["observed"])
    return f"{finding['subject']}: expected {finding['expected']}, got {finding['observed']}"
