"""One check on its way."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future

from postdeploy.domain.check import Check, Step
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.engine.attempt import Answer, Wanted
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Life"]


@dataclass(slots=True, eq=False)
class Life:
    """What is known of a check until its future has a result.

    Args:
        generator: the attempt that is being made.
        asking: the step that has no answer yet.
        asked: how many steps were asked, so that an answer which comes too late is known as one.
        ended: whether the run gave up on it, so that only its cleanup goes on.
    """

    check: Check
    future: Future[CheckResult]
    attempts: list[Attempt] = field(default_factory=list)
    generator: Generator[Wanted, Answer | None, Attempt] | None = None
    asking: Step | None = None
    asked: int = 0
    ended: bool = False

    def finish(
        self, outcome: Outcome, *, reason: str | None = None, blocked_by: str | None = None, by_policy: bool = False
    ) -> None:
        """Give the check its result, unless it has one."""
        if not self.future.done():
            self.future.set_result(
                CheckResult(self.check.id, outcome, tuple(self.attempts), reason, blocked_by, by_policy)
            )

    def leave(self) -> None:
        """Nothing goes on any more."""
        self.generator, self.asking = None, None
