"""Waiting until the expected release answers on every origin that names one, and looking again at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from postdeploy.domain.evidence import ReleaseEvidence, ServiceState
from postdeploy.domain.matcher import show
from postdeploy.domain.observation import HttpObservation, UnreadableError
from postdeploy.domain.selection import MISSING
from postdeploy.domain.target import ReleaseSource, ReleaseWait, Target
from postdeploy.engine.preflight import state_of
from postdeploy.errors import ProbeError
from postdeploy.guard.identity import identity_headers
from postdeploy.probes.http import HttpRequest
from postdeploy.probes.http_loop import HttpLoop

__all__ = ["ReleaseWatch", "Waiting"]

_TIMEOUT: Final = 5.0
_UNEXPECTED_READS: Final = 2
"""How often a source is asked when no release is expected: then it only has to be there."""


@dataclass(slots=True)
class _Poll:
    """What one source has said so far."""

    source: ReleaseSource
    streak: int = 0
    asked: int = 0
    last: str | None = None
    problem: str | None = None
    error: ProbeError | None = None
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How far the wait is, for a progress line."""

    waited: float
    within: float
    lines: tuple[str, ...]


class ReleaseWatch:
    """Polls every source over fresh connections; runs on the loop's thread.

    ``done`` is called with the evidence and the state of each service that answered or, at the last, did not.
    """

    def __init__(self, target: Target, wait: ReleaseWait, loop: HttpLoop, *, run_id: str, expected: str | None) -> None:
        self._target = target
        self._wait = wait
        self._loop = loop
        self._headers = identity_headers(run_id, "release") | {"Cache-Control": "no-cache"}
        self._expected = expected
        self._polls = [_Poll(source) for source in wait.sources]
        self._begun = loop.clock()
        self._done: Callable[[ReleaseEvidence, list[ServiceState]], None] | None = None

    def start(self, done: Callable[[ReleaseEvidence, list[ServiceState]], None]) -> None:
        """Begin to poll."""
        self._done = done
        self._begun = self._loop.clock()
        if self._expected:
            self._loop.call_later(self._wait.within, self._expire)
        for poll in self._polls:
            self._ask(poll)

    def waiting(self) -> Waiting:
        """A snapshot for people; may be called from any thread."""
        return Waiting(self._loop.clock() - self._begun, self._wait.within, tuple(self._lines()))

    def look_again(self, done: Callable[[Mapping[str, str]], None]) -> None:
        """Ask every source once more and call ``done`` with what each said; one that says nothing says ``?``."""
        last: dict[str, str] = {}

        def collect(source: ReleaseSource, answer: HttpObservation | ProbeError) -> None:
            last[source.location.service] = _read(source, answer)[0] or "?"
            if len(last) == len({poll.source.location.service for poll in self._polls}):
                done(last)

        for poll in self._polls:
            self._fetch(poll.source, lambda answer, source=poll.source: collect(source, answer))  # type: ignore[misc]

    def _ask(self, poll: _Poll) -> None:
        if self._done is not None:
            poll.asked += 1
            self._fetch(poll.source, lambda answer: self._hear(poll, answer))

    def _fetch(self, source: ReleaseSource, answer: Callable[[HttpObservation | ProbeError], None]) -> None:
        request = HttpRequest(
            "GET", self._target.url(source.location), self._headers,
            timeout=_TIMEOUT, fresh=True, place=str(source.location),
        )  # fmt: skip
        self._loop.fetch(request, answer)

    def _hear(self, poll: _Poll, answer: HttpObservation | ProbeError) -> None:
        if self._done is None:
            return
        poll.error = answer if isinstance(answer, ProbeError) else None
        release, poll.problem = _read(poll.source, answer)
        if release is not None:
            poll.last = release
            poll.counts[release] += 1
        matches = release is not None and release == (self._expected or release)
        poll.streak = poll.streak + 1 if matches else 0
        if not self._finish_if_settled():
            self._loop.call_later(self._wait.interval, lambda: self._ask(poll))

    def _finish_if_settled(self) -> bool:
        if self._expected:
            if all(poll.streak >= self._wait.consecutive for poll in self._polls):
                self._finish(live=True)
        elif all(poll.streak or poll.asked >= _UNEXPECTED_READS for poll in self._polls):
            self._finish(live=all(poll.streak for poll in self._polls) or None)
        return self._done is None

    def _expire(self) -> None:
        if self._done is not None:
            self._finish(live=False)

    def _finish(self, *, live: bool | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(self._evidence(live), list(self._states()))

    def _evidence(self, live: bool | None) -> ReleaseEvidence:
        return ReleaseEvidence(
            expected=self._expected,
            live=live,
            waited=self._loop.clock() - self._begun,
            first={poll.source.location.service: poll.last for poll in self._polls if poll.last is not None},
            counts={poll.source.location.service: dict(poll.counts) for poll in self._polls},
            problem=None if live is not False else self._problem(),
        )

    def _states(self) -> Iterator[ServiceState]:
        """The services that the last polls already know of, so that nobody has to ask them again."""
        for poll in self._polls:
            service = self._target.services[poll.source.location.service]
            if poll.error is not None:
                yield state_of(service, poll.error, poll.asked)
            elif service.health is None:
                yield ServiceState(service.name, True)

    def _problem(self) -> str:
        return f"not live within {self._wait.within:g} s: {'; '.join(self._lines())}"

    def _lines(self) -> Iterator[str]:
        for poll in self._polls:
            said = poll.problem or (f"says {poll.last}" if poll.last else "has not answered yet")
            want = f" instead of {self._expected}" if self._expected and poll.last not in {None, self._expected} else ""
            yield f"{poll.source.location} {said}{want} ({poll.streak} of {self._wait.consecutive} in a row)"


def _read(source: ReleaseSource, answer: HttpObservation | ProbeError) -> tuple[str | None, str | None]:
    """The release that an answer names, or what is wrong with the answer."""
    if isinstance(answer, ProbeError):
        return None, answer.message
    if not 200 <= answer.status < 300:  # noqa: PLR2004  # 2xx, RFC 9110 §15.3
        return None, f"answers HTTP {answer.status}"
    if source.selector is None:
        text = answer.text.strip()
        return (text, None) if text else (None, "answers with an empty body")
    try:
        value = source.selector.select(answer.document)
    except UnreadableError as error:
        return None, str(error)
    if value is MISSING or isinstance(value, dict | list | bool) or value is None or value == "":
        return None, f"has no release at {source.selector.text}: {show(value)}"
    return str(value), None
