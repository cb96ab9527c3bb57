"""Runs of a monitor in few letters, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from postdeploy.domain.alert import AlertState, RunSeen
from postdeploy.domain.alert_outbox import heard
from postdeploy.domain.alerting import AlertPolicy, advance
from postdeploy.domain.mute import Mute

__all__ = ["MINUTE", "START", "run", "tell", "told"]

START = 1_800_000_000.0
MINUTE = 60.0
_REASONS = {"pass": "all_required_passed", "fail": "confirmed_failure", "inconclusive": "incomplete"}
_VERDICTS = {".": "pass", "?": "inconclusive"}


def run(letter: str, number: int = 0, **more: Any) -> RunSeen:
    """A run in some minute: ``.`` passed, ``?`` could not tell, any other letter is a check that failed."""
    failed = letter not in _VERDICTS
    checks = {letter.lower(): f"check {letter.lower()}"} if failed else {}
    facts: dict[str, Any] = {"at": START + MINUTE * number, "release": "r1", "checks": checks}
    if failed:
        facts["cause"] = f"{letter.lower()} answers 503"
    verdict = _VERDICTS.get(letter, "fail")
    about = {"id": f"run-{number}", "verdict": verdict, "reason": _REASONS[verdict], "summary": f"it was {verdict}"}
    return RunSeen(**about | facts | more)


def told(
    letters: str, policy: AlertPolicy | None = None, state: AlertState | None = None, *, muted: Iterable[int] = ()
) -> tuple[AlertState, list[str]]:
    """The state after a run a minute, and what was told: the minute, what, and of what."""
    now, said, quiet = state or AlertState("site"), list[str](), set(muted)
    begin = int(now.version)
    for number, letter in enumerate(letters, begin):
        mutes = (Mute("maintenance"),) if number - begin in quiet else ()
        now = advance(now, run(letter, number), policy or AlertPolicy(), mutes)
        now = tell(now, said, number)
    return now, said


def tell(state: AlertState, said: list[str], number: int, receivers: Sequence[str] = ("team",)) -> AlertState:
    """Everybody hears everything at once."""
    for event in state.outbox:
        checks = "".join(sorted(event.checks))
        said.append(" ".join(filter(None, (str(number), event.kind.value, event.alert.kind.value, checks))))
    news = {event.id: receivers for event in state.outbox}
    return heard(state, "me", news, receivers, START + MINUTE * number)
