"""The entry of one execution of a check in the ledger of what was created: what to note, and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

from postdeploy.domain.check import Check, Step
from postdeploy.domain.creation import Creation, intent_record, learnt_record, placeholders, undone_record
from postdeploy.domain.observation import HttpObservation, Observation
from postdeploy.errors import GuardRefusalError, PostdeployError
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = ["Entry", "Note", "is_gone"]

_CLIENT_ERROR: Final = 400
_GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Note:
    """A record that has to be on disk before the attempt goes on."""

    record: Mapping[str, Any]


_Noted = Generator[Any, Any, None]


class Entry:
    """Yields notes; the one before a step is answered with an error if it could not be written.

    Args:
        check: whose ``finally`` undoes what its steps create.
        creation: the beginning of the entry; None where no ledger is kept.
    """

    def __init__(self, check: Check, creation: Creation | None) -> None:
        self._creation = creation
        self._names = _told_of(check, creation) if creation else frozenset[str]()
        self._told: dict[str, Any] = {}
        self._begun = self._made = False
        self._undone = True

    def before(
        self, step: Step, variables: Mapping[str, object], ended: Callable[[], bool]
    ) -> Generator[Any, Any, str | None]:
        """Before a step is sent: the intent, if this is the first one that writes; why it may not be sent, or None."""
        if self._creation is None or self._begun or not step.probe.writes:
            return None
        self._begun, self._told = True, self._known(variables)
        problem = yield Note(intent_record(replace(self._creation, variables=self._told), time.time()))
        if problem is not None:
            return str(problem)
        return "the run ended before this step" if ended() else None

    def after(
        self, step: Step, answer: Observation | PostdeployError, variables: Mapping[str, object], *, cleanup: bool
    ) -> _Noted:
        """After its answer: whether something was made, or undone, and what the recipe has to know."""
        if self._creation is None or not self._begun:
            return
        if cleanup:
            self._undone = self._undone and (not isinstance(answer, PostdeployError) and is_gone(answer))
            return
        self._made = self._made or (step.probe.writes and _may_have_made(answer))
        known = self._known(variables)
        if known != self._told:
            self._told = known
            yield Note(learnt_record(self._creation.id, known))

    def unnamed(self) -> None:
        """A step of the cleanup could not be sent, as it could not name what it would undo."""
        self._undone = self._undone and not self._made

    def end(self) -> _Noted:
        """All of the cleanup was performed."""
        if self._creation is not None and self._begun and (self._undone or not self._made):
            yield Note(undone_record(self._creation.id))

    def _known(self, variables: Mapping[str, object]) -> dict[str, Any]:
        return {name: variables[name] for name in sorted(self._names) if name in variables}


def _told_of(check: Check, creation: Creation) -> frozenset[str]:
    """What the recipe has to know of what is saved, and may, for a ledger holds no secrets."""
    secret = {save.name for step in (*check.steps, *check.cleanup) for save in step.save if save.secret}
    return placeholders(creation.undo) - secret


def _may_have_made(answer: Observation | PostdeployError) -> bool:
    """Whether a write may have had an effect: a refusal, by us or by the target, has none; nobody knows of silence."""
    if isinstance(answer, HttpObservation):
        return answer.status < _CLIENT_ERROR
    return not isinstance(answer, GuardRefusalError)


def is_gone(answer: object) -> bool:
    """Whether the answer to a request that undoes says that nothing is left."""
    return isinstance(answer, HttpObservation) and (answer.status < _CLIENT_ERROR or answer.status in _GONE)
