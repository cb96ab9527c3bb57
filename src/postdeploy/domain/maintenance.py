"""Whether an answer says that a service is closed on purpose."""

from __future__ import annotations

from typing import Final

from postdeploy.domain.observation import HttpObservation, Observation, PageObservation
from postdeploy.domain.target import Maintenance

__all__ = ["asks_to_come_back", "shows_maintenance"]

_UNAVAILABLE: Final = 503


def shows_maintenance(answer: Observation, marker: Maintenance) -> bool:
    """Whether an answer has what the target marks its maintenance with, whatever its status is."""
    if isinstance(answer, PageObservation):
        return bool(marker.contains) and str(marker.contains) in answer.body_text
    if not isinstance(answer, HttpObservation):
        return False
    if marker.header is not None and any(name == marker.header for name, _ in answer.headers):
        return True
    return bool(marker.contains) and str(marker.contains).encode() in answer.body


def asks_to_come_back(answer: Observation) -> bool:
    """Whether an answer is 503 with Retry-After (RFC 9110 §15.6.4): a service that knows when it will be back."""
    if not isinstance(answer, HttpObservation) or answer.status != _UNAVAILABLE:
        return False
    return any(name == "retry-after" for name, _ in answer.headers)
