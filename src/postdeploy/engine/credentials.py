"""Are the credentials of the checks accepted? If they are not, and other ones are, the target is not to blame."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Login, Target
from postdeploy.engine.attempt import Answer
from postdeploy.engine.fetching import Fetcher, Wish
from postdeploy.guard.identity import identity_headers
from postdeploy.probes.http_request import HttpRequest

__all__ = ["CredentialCheck"]

_REFUSED: Final = frozenset({401, 403})


class CredentialCheck:
    """Logs in with the account of the checks, and where that is refused with the control account; on the loop's thread.

    Args:
        target: whose control says how to log in.
        fetcher: sends what the target permits, within its budget.
        run_id: named in every request.
        wall: seconds since the epoch.
        told: called with the result, if there is one: a login that is broken says nothing of an account.
        done: called at the end.
    """

    def __init__(
        self,
        target: Target,
        fetcher: Fetcher,
        run_id: str,
        *,
        wall: Callable[[], float],
        told: Callable[[ControlResult], None],
        done: Callable[[], None],
    ) -> None:
        self._target = target
        self._fetcher = fetcher
        self._headers = {**identity_headers(run_id, "control"), "Content-Type": "application/json"}
        self._wall = wall
        self._told = told
        self._done = done

    def begin(self, login: Login) -> None:
        """Ask."""
        self._log_in(login, login.test, lambda status: self._heard_test(login, status))

    def _heard_test(self, login: Login, status: int | None) -> None:
        if status in _REFUSED:
            self._log_in(login, login.control, lambda other: self._heard_control(status, other))
            return
        if _accepted(status):
            self._tell("the account of the checks is accepted")
        self._done()

    def _heard_control(self, refused: int | None, status: int | None) -> None:
        if _accepted(status):
            message = f"the account of the checks is refused (HTTP {refused}), and the control account is not"
            self._tell(message, "credentials_refused")
        self._done()

    def _log_in(self, login: Login, account: Mapping[str, str], heard: Callable[[int | None], None]) -> None:
        body = {key: self._target.secrets[name].reveal() for key, name in account.items()}
        request = HttpRequest(
            "POST",
            self._target.url(login.location),
            self._headers,
            json.dumps(body).encode(),
            timeout=self._target.control.timeout,
            place=str(login.location),
        )
        self._fetcher.fetch(request, Wish(lambda answer: heard(_status(answer)), lambda _answer: True))

    def _tell(self, message: str, code: str | None = None) -> None:
        self._told(ControlResult(ControlProbe.CREDENTIALS, Moment.START, code is None, self._wall(), message, code))


def _status(answer: Answer) -> int | None:
    return answer.status if isinstance(answer, HttpObservation) else None


def _accepted(status: int | None) -> bool:
    return status is not None and 200 <= status < 300  # noqa: PLR2004  # 2xx, RFC 9110 §15.3
