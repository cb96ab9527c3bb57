"""Undoing what a run has created: the requests of the ledger, filled in and sent under the same rules as any other."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final, Self

from postdeploy.config.answers import compile_path
from postdeploy.config.report import Wrong
from postdeploy.domain.check import HttpProbe, Save, Step, authorization
from postdeploy.domain.creation import Creation
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.selection import MISSING
from postdeploy.domain.target import Location, Target
from postdeploy.engine.attempt import Answer
from postdeploy.engine.entry import is_gone
from postdeploy.engine.fetching import Fetcher, Wish
from postdeploy.engine.record import select
from postdeploy.engine.variables import UnfitVariableError, UnknownVariableError, render_step
from postdeploy.errors import PostdeployError
from postdeploy.guard.courtesy import Courtesy
from postdeploy.guard.identity import identity_headers
from postdeploy.lazy_dataclass import replace
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import request_of

__all__ = ["Sweeper"]

_MARGIN: Final = 5.0


class Sweeper:
    """Sends what undoes creations, one request after the other; use it as a context.

    Args:
        target: what was written to.
        run: named in every request.
    """

    def __init__(self, target: Target, run: str) -> None:
        self._target = target
        self._run = run
        self._loop = HttpLoop(target.budget)
        self._fetcher = Fetcher(target, self._loop, Courtesy(self._loop.clock, book=self._loop.meter.book))
        self._secrets: dict[str, object] = {
            f"secrets.{name}": secret.reveal() for name, secret in target.secrets.items()
        }

    def __enter__(self) -> Self:
        """Start."""
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._loop.stop()

    def undo(self, creation: Creation) -> str | None:
        """Send the recipe of a creation; returns why something may still be there, or None if nothing is."""
        variables = {**creation.variables, **self._secrets, "target": self._target.name}
        sought: set[str] = set()
        for raw in creation.undo:
            try:
                problem = self._send(_step(raw), creation.check, variables, sought)
            except UnknownVariableError as error:
                if sought:  # an earlier request has looked for it, and it was not there
                    continue
                return f"{error}; undo it by hand: {raw['method']} {raw['place']}"
            except (PostdeployError, UnfitVariableError, Wrong, ValueError, TypeError) as error:
                return f"{raw['method']} {raw['place']}: {error}"
            if problem:
                return f"{raw['method']} {raw['place']}: {problem}"
        return None

    def _send(self, step: Step, check: str, variables: dict[str, object], sought: set[str]) -> str | None:
        rendered = render_step(step, variables)
        answer = self._ask(rendered, check)
        if isinstance(answer, PostdeployError):
            return str(answer)
        if not is_gone(answer):
            return f"HTTP {answer.status}" if isinstance(answer, HttpObservation) else "no answer"
        for save in step.save:
            value = select(answer, save)
            if value is MISSING:
                sought.add(save.name)
            else:
                variables[save.name] = value
        return None

    def _ask(self, step: Step, check: str) -> Answer:
        probe = step.probe
        assert isinstance(probe, HttpProbe)  # noqa: S101  # a recipe holds nothing else
        headers = identity_headers(self._run, check)
        request = request_of(probe, self._target.url(probe.location), headers=headers, timeout=step.timeout)
        answered: Future[Answer] = Future()
        wish = Wish(answered.set_result, lambda _answer: True)
        self._loop.call_soon(lambda: self._fetcher.fetch(request, wish))
        try:
            return answered.result(step.timeout + _MARGIN)
        except TimeoutError:
            return PostdeployError("no answer in time")


def _step(raw: Mapping[str, Any]) -> Step:
    service, _, path = str(raw["place"]).partition(":")
    probe = HttpProbe(
        method=str(raw["method"]),
        location=Location(service, path),
        headers=dict(raw.get("headers") or {}),
        json=raw.get("json"),
        has_json="json" in raw,
        body=raw.get("body"),
        auth=raw.get("auth"),
    )
    if probe.auth is not None and "${" not in probe.auth:
        probe = replace(probe, auth=authorization(probe.auth))
    return Step(
        probe, save=tuple(map(_save, raw.get("save", ()))), timeout=float(raw.get("timeout", 10.0)), templated=True
    )


def _save(raw: Mapping[str, Any]) -> Save:
    return Save(str(raw["name"]), compile_path(raw["json"]) if raw.get("json") else None, raw.get("header"))
