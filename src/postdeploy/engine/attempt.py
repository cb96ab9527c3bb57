"""One attempt at a check: its steps in turn, each answer judged, the cleanup always.

An attempt is a generator: it yields what it wants to ask, and is sent the answer. So it knows no I/O and no threads.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from postdeploy.domain.check import Check, Step
from postdeploy.domain.creation import Creation
from postdeploy.domain.expectation import evaluate
from postdeploy.domain.foreign import plain
from postdeploy.domain.matcher import MatcherError
from postdeploy.domain.observation import Observation
from postdeploy.domain.redaction import Secret
from postdeploy.domain.result import Attempt, Fault, Finding, Outcome
from postdeploy.domain.target import Maintenance
from postdeploy.engine.entry import Entry, Note
from postdeploy.engine.record import Record
from postdeploy.engine.variables import UnfitVariableError, UnknownVariableError, render_step
from postdeploy.errors import PostdeployError
from postdeploy.lazy_dataclass import dataclass, field, replace

__all__ = ["Answer", "Ask", "Surroundings", "Wanted", "attempt_check"]

Answer = Observation | PostdeployError


@dataclass(frozen=True, slots=True)
class Ask:
    """What an attempt wants to know next."""

    step: Step
    settled: Callable[[Observation], bool]


Wanted = Ask | Note


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an attempt needs of the world.

    Args:
        wall: seconds since the epoch.
        clock: seconds, monotonic.
        locate: the URL or place that a step talks to.
        curl: a command that does what a step does.
        learn: told of every secret that is saved.
        ended: whether there is no time for anything but the cleanup.
        maintenance: how the target says that it is closed on purpose.
        creation: the beginning of an entry in the ledger of what is created; None: no ledger is kept.
    """

    wall: Callable[[], float]
    clock: Callable[[], float]
    locate: Callable[[Step], str]
    curl: Callable[[Step], str]
    learn: Callable[[Secret], object]
    ended: Callable[[], bool] = _never
    maintenance: Maintenance = field(default_factory=Maintenance)
    creation: Callable[[Check], Creation] | None = None


class _Span:
    """From when the first probe left to when the last answer came; the wait for a turn before the first is not in."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.started, self._begun = around.wall(), around.clock()
        self._answered = False

    def ask(self, ask: Ask) -> Generator[Wanted, Answer | None, Answer]:
        answer = yield ask
        assert answer is not None  # noqa: S101  # an ask is always answered
        if not self._answered:
            self._answered = True
            now = self._around.clock()
            took = min(_seconds(answer, now - self._begun), now - self._begun)
            self.started, self._begun = self._around.wall() - took, now - took
        return answer

    def seconds(self) -> float:
        return self._around.clock() - self._begun


def _seconds(answer: Answer, otherwise: float) -> float:
    if isinstance(answer, Observation):
        return answer.duration
    return sum(getattr(answer, "phases", {}).values()) or otherwise


def attempt_check(
    check: Check, variables: Mapping[str, object], around: Surroundings
) -> Generator[Wanted, Answer | None, Attempt]:
    """Execute a check once (or ``repeat.times`` times); ``variables`` are what ``${…}`` may name from the start."""
    span = _Span(around)
    record = yield from _repeat(check, variables, around, span)
    return Attempt(
        outcome=record.outcome,
        started=span.started,
        duration=span.seconds(),
        phases=record.phases,
        findings=tuple(map(_plain, record.findings)),
        error=plain(record.error) if record.error else None,
        exchanges=record.exchanges,
        releases=tuple(map(plain, record.releases)),
        excerpt=plain(record.excerpt),
        curl=plain(around.curl(record.culprit)) if record.culprit else None,
        evidence=tuple(map(plain, record.evidence)),
        fault=Fault(plain(record.fault.url), record.fault.code) if record.fault else None,
        status=record.status if record.bad else None,
        code=record.code if record.outcome is Outcome.ERRORED else None,
        expires=record.expires,
    )


def _plain(finding: Finding) -> Finding:
    return replace(
        finding, subject=plain(finding.subject), expected=plain(finding.expected), observed=plain(finding.observed)
    )


def _repeat(
    check: Check, variables: Mapping[str, object], around: Surroundings, span: _Span
) -> Generator[Wanted, Answer | None, Record]:
    """As many executions as asked for; too many bad ones, and the first bad one speaks for all."""
    good, bad, exchanges = None, [], 0
    releases: dict[str, None] = {}
    tolerated = check.repeat.times - check.repeat.passes
    for _ in range(check.repeat.times):
        record = yield from _Execution(check, dict(variables), around, span).run()
        exchanges += record.exchanges
        releases |= record.releases
        if record.bad:
            bad.append(record)
        else:
            good = record
        if len(bad) > tolerated or around.ended():
            break
    chosen = bad[0] if len(bad) > tolerated else good or bad[0]
    chosen.exchanges, chosen.releases = exchanges, releases
    return chosen


class _Execution:
    """All steps of a check, once."""

    def __init__(self, check: Check, variables: dict[str, object], around: Surroundings, span: _Span) -> None:
        self._check = check
        self._variables = variables
        self._around = around
        self._span = span
        self._record = Record(around.maintenance)
        self._entry = Entry(check, around.creation(check) if around.creation and check.cleanup else None)

    def run(self) -> Generator[Wanted, Answer | None, Record]:
        """The record of it; the cleanup runs whatever happened."""
        for number, step in enumerate(self._check.steps, start=1):
            yield from self._perform(step, number)
            if self._record.bad or self._around.ended():
                break
        for number, step in enumerate(self._check.cleanup, start=len(self._check.steps) + 1):
            if self._nameable(step):
                yield from self._perform(step, number, cleanup=True)
            else:
                self._entry.unnamed()
        yield from self._entry.end()
        return self._record

    def _nameable(self, step: Step) -> bool:
        """A cleanup step that cannot name what it would clean up has nothing to clean up."""
        try:
            render_step(step, self._variables)
        except UnknownVariableError:
            return False
        except Exception:  # noqa: BLE001  # the attempt to perform it tells
            return True
        return True

    def _perform(self, step: Step, number: int, *, cleanup: bool = False) -> Generator[Wanted, Answer | None, None]:
        try:
            rendered = render_step(step, self._variables)
        except UnknownVariableError as error:
            self._record.give_up(str(error), step)
        except (UnfitVariableError, MatcherError) as error:
            self._record.give_up(f"step {number} cannot be made: {error}", step)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not keep the cleanup from running
            self._record.give_up(f"step {number} cannot be made: {_words(error)}", step)
        else:
            yield from self._send(rendered, number, cleanup=cleanup)

    def _send(self, step: Step, number: int, *, cleanup: bool) -> Generator[Wanted, Answer | None, None]:
        problem = None if cleanup else (yield from self._entry.before(step, self._variables, self._around.ended))
        if problem is not None:
            self._record.give_up(problem, step)
            return
        answer = yield from self._span.ask(Ask(step, lambda seen: not evaluate(step.expectations, seen)))
        self._take(answer, step, number)
        yield from self._entry.after(step, answer, self._variables, cleanup=cleanup)

    def _take(self, answer: Answer, step: Step, number: int) -> None:
        try:
            url = self._around.locate(step)
            if isinstance(answer, Observation):
                self._record.judge(answer, step, number, url)
                self._record.keep(answer, step, number, self._variables, self._around.learn, url)
            else:
                self._record.blame(answer, step, number, url)
        except Exception as error:  # noqa: BLE001  # a fault of ours must not keep the cleanup from running
            self._record.give_up(f"the answer to step {number} could not be judged: {_words(error)}", step)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
