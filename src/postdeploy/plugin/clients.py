"""The HTTP clients of Python tests: one a service for the whole run, and every exchange on the record of its test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import httpx2
import pytest

from postdeploy.domain.tokens import issued
from postdeploy.errors import GuardRefusalError, ProbeError
from postdeploy.guard.client import Exchanged, open_client
from postdeploy.guard.identity import identity_headers
from postdeploy.probes.faults import classify

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["Clients"]


class Clients:
    """Opened when they are first asked for."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._open: dict[str, httpx2.Client] = {}

    def of(self, name: str) -> httpx2.Client:
        """The client for a service of the target. Raises pytest.UsageError for any other name."""
        if name not in self._open:
            target = self._execution.target
            if name not in target.services:
                raise pytest.UsageError(f"target '{target.name}' has no service '{name}': {', '.join(target.services)}")
            self._open[name] = open_client(
                target,
                target.services[name],
                headers=self._headers,
                exchanged=self._exchanged,
                failed=self._failed,
                issued=self._issued,
                refused=self._refused,
                meter=self._execution.traffic.meter,
                before=self._execution.be_polite,
            )
        return self._open[name]

    def close(self) -> None:
        """Close all of them."""
        for client in self._open.values():
            client.close()

    def _headers(self) -> Mapping[str, str]:
        current = self._execution.current
        check, attempt = (current.check_id, current.attempt) if current else ("fixture", 1)
        return identity_headers(self._execution.context.run_id, check, attempt)

    def _issued(self, method: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        for secret in issued(method, headers, body):
            self._execution.redactor.learn(secret)

    def _exchanged(self, exchange: Exchanged) -> None:
        if self._execution.current is not None:
            self._execution.current.answered(exchange)

    def _refused(self, error: GuardRefusalError) -> None:
        current = self._execution.current
        if current is not None:
            current.refused = current.refused or error

    def _failed(self, url: str, error: Exception) -> None:
        fault = _fault_of(error, url)
        self._execution.trouble(fault, url)
        if self._execution.current is not None:
            self._execution.current.unanswered(url, fault)


def _fault_of(error: Exception, url: str) -> ProbeError:
    """By the numbers of its causes; where there is none, by its class."""
    if isinstance(error, httpx2.RemoteProtocolError):
        return ProbeError("protocol_error", f"{url}: what came is no answer by HTTP")
    return classify(error, url, phase="connect" if isinstance(error, httpx2.ConnectTimeout) else "")
