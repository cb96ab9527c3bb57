"""Is a service there at all? One request tells of name, connection, TLS and HTTP; a failure is confirmed first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from postdeploy.domain.evidence import ServiceState, Wait
from postdeploy.domain.foreign import plain
from postdeploy.domain.health import MAINTENANCE
from postdeploy.domain.maintenance import asks_to_come_back, shows_maintenance
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.policy import Confirmation
from postdeploy.domain.target import Maintenance, Service
from postdeploy.errors import ProbeError
from postdeploy.guard.identity import identity_headers
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest

__all__ = ["Preflight", "state_of"]

_TIMEOUT: Final = 5.0
_SERVER_ERROR: Final = 500
_NO_NAME: Final = "dns_not_found"


class Preflight:
    """Asks services, each at most once at a time; runs on the loop's thread.

    ``on_trouble`` is told of each question that no answer came to, by its code and where it went.
    """

    def __init__(
        self,
        loop: HttpLoop,
        run_id: str,
        confirm: Confirmation,
        on_trouble: Callable[[str, str], None] = lambda _code, _url: None,
        maintenance: Maintenance = Maintenance(),  # noqa: B008  # frozen
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._loop = loop
        self._wall = wall
        self._began: float | None = None
        self._maintenance = maintenance
        self._on_trouble = on_trouble
        self._headers = identity_headers(run_id, "preflight")
        self._confirm = confirm
        self._waiting: dict[str, list[Callable[[ServiceState], None]]] = {}

    def examine(self, service: Service, done: Callable[[ServiceState], None]) -> None:
        """Call ``done`` with the state of the service; a live one is told at once, a dead one when it is confirmed."""
        self._began = self._wall() if self._began is None else self._began
        listeners = self._waiting.setdefault(service.name, [])
        listeners.append(done)
        if len(listeners) == 1:
            self._ask(service, 1)

    def waits(self) -> tuple[Wait, ...]:
        """How long services have been asked so far, if any was."""
        return () if self._began is None else (Wait("preflight", self._began, max(0.0, self._wall() - self._began)),)

    def _ask(self, service: Service, number: int) -> None:
        url = service.resolve(service.health or "/")
        request = HttpRequest("GET", url, self._headers, timeout=_TIMEOUT, fresh=True, place=f"{service.name}:")
        self._loop.fetch(request, lambda answer: self._judge(service, number, answer))

    def _judge(self, service: Service, number: int, answer: HttpObservation | ProbeError) -> None:
        state = state_of(service, answer, number, self._maintenance)
        if isinstance(answer, ProbeError):
            self._on_trouble(answer.code, service.url)
        if not state.live and number < self._confirm.attempts:
            self._loop.call_later(self._confirm.spacing, lambda: self._ask(service, number + 1))
        elif state.code == _NO_NAME:
            threading.Thread(target=self._look_up, args=(service, state), name="postdeploy-name", daemon=True).start()
        else:
            self._tell(state)

    def _look_up(self, service: Service, state: ServiceState) -> None:
        """Libcurl does not say whether a name does not exist or nobody answered, and the second is not the target's."""
        error = _name_error(service)
        told = state if error is None else state_of(service, error, state.attempts)
        self._loop.call_soon(lambda: self._tell(told))

    def _tell(self, state: ServiceState) -> None:
        for done in self._waiting.pop(state.name):
            done(state)


def _name_error(service: Service) -> ProbeError | None:
    from postdeploy.probes.connection import Timeline, resolve

    timeline = Timeline(service.host, _TIMEOUT, time.monotonic)
    try:
        with timeline.phase("dns"):
            resolve(service.host, service.port, timeline.left())
    except ProbeError as error:
        return error
    return None


def state_of(
    service: Service,
    answer: HttpObservation | ProbeError,
    attempts: int,
    maintenance: Maintenance = Maintenance(),  # noqa: B008  # frozen
) -> ServiceState:
    """What an answer says about a service: any answer means up, at its health path only one below 500."""
    if isinstance(answer, ProbeError):
        from postdeploy.probes.connection import endpoint

        message = plain(f"{answer.message} ({endpoint(service.host, service.port)})")
        return ServiceState(service.name, False, answer.code, message, answer.target_fault, attempts)
    ill = bool(service.health) and answer.status >= _SERVER_ERROR
    if shows_maintenance(answer, maintenance) or (ill and asks_to_come_back(answer)):
        message = f"{service.health or '/'} says that it is in maintenance (HTTP {answer.status})"
        return ServiceState(service.name, False, MAINTENANCE, message, attempts=attempts)
    if ill:
        message = f"{service.health} answers HTTP {answer.status}"
        return ServiceState(service.name, False, f"http_{answer.status}", message, attempts=attempts)
    return ServiceState(service.name, True, attempts=attempts)
