"""Whose fault is it: the machine that verifies, what it was given, or the target?

Connections that fail are the runner's trouble where its control probes fail too, and the target's where they do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.evidence import SILENT, Evidence
from postdeploy.domain.result import Attempt, CheckResult, Outcome

__all__ = ["MAINTENANCE", "OWN_FAULTS", "closed", "control_answers", "control_warnings", "excuse", "sick_network"]

OWN_FAULTS: Final = frozenset(
    {
        "address_in_use",
        "authorities_unreadable",
        "network_changed",
        "network_denied",
        "network_unreachable",
        "no_free_port",
        "not_permitted",
        "out_of_memory",
        "resolver_timeout",
        "resolver_unavailable",
        "too_many_files",
    }
)
"""Codes of errors that only this machine can have made."""

MAINTENANCE: Final = "http_maintenance"
"""The code of a service that is closed on purpose."""

_DATES: Final = frozenset({"certificate_expired", "certificate_not_yet_valid"})
_REFUSED: Final = frozenset({401, 403})
_NAMES: Final = frozenset({"dns_not_found"})


def control_answers(evidence: Evidence, moment: float) -> bool:
    """Whether the control URL is known to have answered at this moment or later, so that our network works."""
    return any(each.healthy and each.probe is ControlProbe.URL and each.at >= moment for each in evidence.control)


def sick_network(evidence: Evidence) -> str | None:
    """Why connections may have failed through the runner's own network, or None where nothing says so.

    A run in which every connection came about needs no control, so what control probes say is not looked at.
    """
    troubles = frozenset(_troubles(evidence))
    if not troubles:
        return None
    last = list(_latest(evidence))
    answers = any(each.probe is ControlProbe.URL and each.healthy for each in last)
    for each in last:
        if not each.healthy and _explains(each, troubles, answers=answers):
            return f"{_first(troubles)}, and so do control probes: {each.message}"
    own = None if answers else next(iter(sorted(_own_faults(evidence))), None)
    return f"{_first(troubles)} beside a fault of this machine: {_words(own)}" if own else None


def excuse(attempt: Attempt | None, code: str | None, evidence: Evidence) -> str | None:
    """Why a failure says nothing of the target, from the clock and the credentials of this machine, or None."""
    status = attempt.status if attempt else None
    codes = {code, attempt.fault.code if attempt and attempt.fault else None}
    for each in evidence.control:
        if each.healthy:
            continue
        if each.probe is ControlProbe.CLOCK and (codes & _DATES or status in _REFUSED):
            return each.message
        if each.probe is ControlProbe.CREDENTIALS and status in _REFUSED:
            return each.message
    return None


def closed(result: CheckResult, evidence: Evidence) -> str | None:
    """Why a check says nothing but that a service is in maintenance, or None where it says more."""
    state = evidence.services.get(result.blocked_by or "")
    faults = [attempt.fault for attempt in result.attempts]
    if state is not None and state.code == MAINTENANCE:
        return f"service {state.name}: {state.message}"
    if faults and all(fault is not None and fault.code == MAINTENANCE for fault in faults):
        return "its service says that it is in maintenance"
    return None


def control_warnings(evidence: Evidence) -> Iterator[str]:
    """One text for each control probe that failed, and one for each credential; no machine needs a default route."""
    told = (each for each in evidence.control if each.code or not each.healthy)
    failed = {each.message if each.probe is ControlProbe.CREDENTIALS else each.probe: each for each in told}
    return (f"control: {each.message}" for each in failed.values() if each.probe is not ControlProbe.ROUTE)


def _latest(evidence: Evidence) -> Iterator[ControlResult]:
    """What was asked after something had gone wrong; of what was not asked again, what it said at the start."""
    asked = {each.probe for each in evidence.control if each.moment is Moment.FAILURE}
    return (each for each in evidence.control if each.moment is Moment.FAILURE or each.probe not in asked)


def _troubles(evidence: Evidence) -> Iterator[str]:
    """The codes of connections that failed, of services and of checks that did not pass."""
    for state in evidence.services.values():
        if not state.live and state.code:
            yield from _unanswered(state.code)
    for result in evidence.results.values():
        if result.outcome is not Outcome.PASSED:
            for attempt in result.attempts:
                if attempt.fault is not None:
                    yield from _unanswered(attempt.fault.code)


def _unanswered(code: str) -> Iterator[str]:
    """An answer, however wrong, came over a network that works."""
    if not code.startswith("http_"):
        yield code


def _own_faults(evidence: Evidence) -> Iterator[str]:
    for result in evidence.results.values():
        for attempt in result.attempts:
            if attempt.code in OWN_FAULTS and result.outcome is not Outcome.PASSED:
                yield attempt.code


def _explains(control: ControlResult, troubles: frozenset[str], *, answers: bool) -> bool:
    if control.probe is ControlProbe.URL:
        return True
    if control.probe is ControlProbe.RESOLVER:
        return bool(troubles & _NAMES)
    return control.probe is ControlProbe.ROUTE and bool(troubles & SILENT) and not answers


def _first(troubles: frozenset[str]) -> str:
    return f"connections to the target fail ({', '.join(sorted(map(_words, troubles)))})"


def _words(code: str) -> str:
    return code.replace("_", " ")
