"""Fixture ``undo``: what a Python test creates is noted before it is sent, and undone after the test or by a sweep."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.domain.access import Location
from postdeploy.domain.creation import Creation, intent_record, learnt_record, undone_record
from postdeploy.errors import PostdeployError
from postdeploy.lazy_dataclass import replace
from postdeploy.plugin.keys import EXECUTION, PLANNED

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["Undo", "UndoError", "Undoing", "undo"]

_REQUEST: Final = r"([A-Z]+) +([a-z][a-z0-9_]*):(/\S*)"


class UndoError(PostdeployError):
    """What a test created could not be undone; it is in the ledger, for ``postdeploy sweep``."""


class Undoing:
    """One thing that a test is about to create."""

    def __init__(self, execution: Execution, creation: Creation) -> None:
        self.creation = creation
        self._execution = execution

    def named(self, **variables: Any) -> None:
        """Say what placeholders of the request stand for, such as the id that the target gave."""
        self.creation = replace(self.creation, variables={**self.creation.variables, **variables})
        self._execution.ledger.write(learnt_record(self.creation.id, variables))


class Undo:
    """See the fixture."""

    def __init__(self, execution: Execution, check: str) -> None:
        self._execution = execution
        self._check = check
        self._open: list[Undoing] = []

    def __call__(
        self, request: str, *, auth: str | None = None, headers: Mapping[str, str] | None = None, **variables: Any
    ) -> Undoing:
        """Note how to undo what is about to be created, as ``DELETE api:/conversations/${id}``. Raises ValueError.

        Args:
            request: method and place; ``${name}`` stands for what ``named`` will say, or for ``secrets.NAME``.
            auth: as in declared checks, such as ``bearer ${secrets.api_token}``.
            headers: of the request.
            variables: what is known already.
        """
        match = re.fullmatch(_REQUEST, request)
        if match is None or match[2] not in self._execution.target.services:
            raise ValueError(f"undo takes a request such as 'DELETE api:/orders/${{id}}', not {request!r}")
        recipe: dict[str, Any] = {"method": match[1], "place": str(Location(match[2], match[3]))}
        recipe |= {key: value for key, value in (("auth", auth), ("headers", dict(headers or {}))) if value}
        context = self._execution.context
        creation = Creation(
            uuid.uuid4().hex, self._execution.target.name, context.run_id, self._check, (recipe,), variables
        )
        self._execution.ledger.write(intent_record(creation, time.time()))
        undoing = Undoing(self._execution, creation)
        self._open.append(undoing)
        return undoing

    def all(self) -> None:
        """Undo everything, the newest first. Raises UndoError with what may be left."""
        from postdeploy.engine.sweep import Sweeper

        if not self._open:
            return
        problems = []
        with Sweeper(self._execution.target, self._execution.context.run_id) as sweeper:
            for undoing in reversed(self._open):
                problem = sweeper.undo(undoing.creation)
                if problem is None:
                    self._execution.ledger.write(undone_record(undoing.creation.id))
                else:
                    problems.append(problem)
        if problems:
            raise UndoError("what the test created may be left: " + "; ".join(problems))


@pytest.fixture
def undo(request: pytest.FixtureRequest) -> Iterator[Undo]:
    """``undo("DELETE api:/orders/${id}")`` before an order is made; then ``.named(id=...)``: it goes after the test."""
    undoing = Undo(request.config.stash[EXECUTION], request.node.stash[PLANNED].id)
    yield undoing
    undoing.all()
