"""HTTP on behalf of a check: permitted, redirects followed, a plea to come back later heard once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Target
from postdeploy.engine.attempt import Answer
from postdeploy.errors import GuardRefusalError, ProbeError
from postdeploy.guard.outgoing import refusal
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest

__all__ = ["Fetcher", "Wish"]

_REDIRECTS: Final = 5
_TOO_MANY_REQUESTS: Final = 429
_PATIENCE: Final = 5.0
"""Seconds that a server may ask us to wait; one that asks for more has answered."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of an answer.

    Args:
        deliver: called on the loop's thread, once.
        settled: whether an answer is what was expected, so that nothing better can come.
        follow: whether redirects are followed.
        patient: whether to come back when the server says 429 with Retry-After.
    """

    deliver: Callable[[Answer], None]
    settled: Callable[[HttpObservation], bool]
    follow: bool = False
    patient: bool = True


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Sends requests that the target permits; ``deadline`` is in the seconds of the loop's clock."""

    target: Target
    loop: HttpLoop
    deadline: float | None = None

    def fetch(self, request: HttpRequest, wish: Wish) -> None:
        """Send it; a refusal comes as an answer too, in the loop's next turn."""
        refused = refusal(self.target, request.method, request.url, body=request.body is not None)
        if refused is not None:
            self.loop.call_soon(lambda: wish.deliver(refused))
            return
        self.loop.fetch(request, lambda outcome: self._hear(request, wish, outcome))

    def _hear(self, request: HttpRequest, wish: Wish, outcome: HttpObservation | ProbeError) -> None:
        if isinstance(outcome, ProbeError):
            wish.deliver(outcome)
        elif wish.follow and outcome.is_redirect:
            self._follow(request, wish, outcome)
        elif (pause := self._pause(wish, outcome)) is not None:
            calm = Wish(wish.deliver, wish.settled, wish.follow, patient=False)
            self.loop.call_later(pause, lambda: self.fetch(request, calm))
        else:
            wish.deliver(outcome)

    def _follow(self, request: HttpRequest, wish: Wish, outcome: HttpObservation) -> None:
        phases = dict(outcome.phases)
        if request.redirects >= _REDIRECTS:
            wish.deliver(ProbeError("protocol_redirects", f"more than {_REDIRECTS} redirects", phases=phases))
            return
        try:
            following = request.redirected(outcome)
        except (ProbeError, GuardRefusalError) as error:
            wish.deliver(error)
            return
        self.fetch(following, wish)

    def _pause(self, wish: Wish, outcome: HttpObservation) -> float | None:
        """Seconds after which to ask again; None where the answer stands."""
        if outcome.status != _TOO_MANY_REQUESTS or not wish.patient or wish.settled(outcome):
            return None
        pause = _retry_after(outcome.header("retry-after"))
        if pause is None or not 0 <= pause <= _PATIENCE:
            return None
        late = self.deadline is not None and self.loop.clock() + pause >= self.deadline
        return None if late else pause


def _retry_after(value: object) -> float | None:
    """RFC 9110 §10.2.3: seconds, or a date."""
    if not isinstance(value, str):
        return None
    if value.isascii() and value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
