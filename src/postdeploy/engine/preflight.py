"""Is a service there at all? One request tells of name, connection, TLS and HTTP; a failure is confirmed first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from postdeploy.domain.evidence import ServiceState
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.policy import Confirmation
from postdeploy.domain.target import Service
from postdeploy.errors import ProbeError
from postdeploy.guard.identity import identity_headers
from postdeploy.probes.http import HttpRequest
from postdeploy.probes.http_loop import HttpLoop

__all__ = ["Preflight"]

_TIMEOUT: Final = 5.0
_SERVER_ERROR: Final = 500


class Preflight:
    """Asks services, each at most once at a time; runs on the loop's thread."""

    def __init__(self, loop: HttpLoop, run_id: str, confirm: Confirmation) -> None:
        self._loop = loop
        self._headers = identity_headers(run_id, "preflight")
        self._confirm = confirm
        self._waiting: dict[str, list[Callable[[ServiceState], None]]] = {}

    def examine(self, service: Service, done: Callable[[ServiceState], None]) -> None:
        """Call ``done`` with the state of the service; a live one is told at once, a dead one when it is confirmed."""
        listeners = self._waiting.setdefault(service.name, [])
        listeners.append(done)
        if len(listeners) == 1:
            self._ask(service, 1)

    def _ask(self, service: Service, number: int) -> None:
        url = service.resolve(service.health) if service.health else service.url + "/"
        request = HttpRequest("GET", url, self._headers, timeout=_TIMEOUT, fresh=True, place=f"{service.name}:")
        self._loop.fetch(request, lambda answer: self._judge(service, number, answer))

    def _judge(self, service: Service, number: int, answer: HttpObservation | ProbeError) -> None:
        state = state_of(service, answer, number)
        if not state.live and number < self._confirm.attempts:
            self._loop.call_later(self._confirm.spacing, lambda: self._ask(service, number + 1))
            return
        for done in self._waiting.pop(service.name):
            done(state)


def state_of(service: Service, answer: HttpObservation | ProbeError, attempts: int) -> ServiceState:
    """What an answer says about a service: any answer means up, at its health path only one below 500."""
    if isinstance(answer, ProbeError):
        where = f"{service.host}:{service.port}"
        return ServiceState(
            service.name, False, answer.code, f"{answer.message} ({where})", answer.target_fault, attempts
        )
    if service.health and answer.status >= _SERVER_ERROR:
        message = f"{service.health} answers HTTP {answer.status}"
        return ServiceState(service.name, False, f"http_{answer.status}", message, attempts=attempts)
    return ServiceState(service.name, True, attempts=attempts)
