"""HTTP on behalf of a check: permitted, redirects followed, a plea to come back later heard."""

from __future__ import annotations

from collections.abc import Callable

from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Target
from postdeploy.engine.attempt import Answer
from postdeploy.errors import GuardRefusalError, ProbeError
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS, Courtesy, retry_after
from postdeploy.guard.limits import REDIRECT_LIMIT
from postdeploy.guard.outgoing import refusal
from postdeploy.lazy_dataclass import dataclass
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest

__all__ = ["Fetcher", "Wish"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of an answer.

    Args:
        deliver: called on the loop's thread, once.
        settled: whether an answer is what was expected, so that nothing better can come.
        follow: whether redirects are followed.
    """

    deliver: Callable[[Answer], None]
    settled: Callable[[HttpObservation], bool]
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Sends requests that the target permits, when its courtesy lets it."""

    target: Target
    loop: HttpLoop
    courtesy: Courtesy

    def fetch(self, request: HttpRequest, wish: Wish) -> None:
        """Send it; a refusal comes as an answer too, in the loop's next turn."""
        refused = refusal(self.target, request.method, request.url, body=request.body is not None)
        if refused is not None:
            self.loop.call_soon(lambda: wish.deliver(refused))
            return
        self._send(request, wish)

    def _hear(self, request: HttpRequest, wish: Wish, outcome: HttpObservation | ProbeError, sent: float) -> None:
        if isinstance(outcome, ProbeError):
            wish.deliver(outcome)
        elif wish.follow and outcome.is_redirect:
            self._follow(request, wish, outcome)
        elif outcome.status == TOO_MANY_REQUESTS and not wish.settled(outcome):
            self._calm_down(request, wish, outcome, sent)
        else:
            self.loop.call_soon(lambda: wish.deliver(outcome))  # others may be sent before this is judged

    def _follow(self, request: HttpRequest, wish: Wish, outcome: HttpObservation) -> None:
        phases = dict(outcome.phases)
        if request.redirects >= REDIRECT_LIMIT:
            wish.deliver(ProbeError("protocol_redirects", f"more than {REDIRECT_LIMIT} redirects", phases=phases))
            return
        try:
            following = request.redirected(outcome)
        except (ProbeError, GuardRefusalError) as error:
            wish.deliver(error)
            return
        self.fetch(following, wish)

    def _calm_down(self, request: HttpRequest, wish: Wish, outcome: HttpObservation, sent: float) -> None:
        """The answer was 429: ask again when the target lets us, unless it has said so before."""
        self.courtesy.limited(sent, retry_after(outcome.header("retry-after")))
        self.fetch(request, wish)

    def _send(self, request: HttpRequest, wish: Wish) -> None:
        if self.courtesy.stopped:
            wish.deliver(ProbeError("rate_limited", self.courtesy.stopped, target_fault=False))
            return
        pause = self.courtesy.pause()
        if pause > 0:
            self.loop.call_later(pause, lambda: self._send(request, wish))
            return
        sent = self.loop.clock()
        self.loop.fetch(request, lambda outcome: self._hear(request, wish, outcome, sent))
