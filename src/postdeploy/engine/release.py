"""Waiting until the expected release answers on every origin that names one, and looking again at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from postdeploy.domain.evidence import ReleaseEvidence, ServiceState, Wait
from postdeploy.domain.foreign import plain
from postdeploy.domain.matcher import show
from postdeploy.domain.observation import HttpObservation, UnreadableError
from postdeploy.domain.selection import MISSING, Missing
from postdeploy.domain.target import ReleaseSource, ReleaseWait, Target
from postdeploy.engine.preflight import state_of
from postdeploy.errors import ProbeError
from postdeploy.guard.identity import identity_headers
from postdeploy.lazy_dataclass import dataclass, field
from postdeploy.probes.http_loop import HttpLoop
from postdeploy.probes.http_request import HttpRequest

__all__ = ["ReleaseWatch", "Waiting"]

_TIMEOUT: Final = 5.0
_UNEXPECTED_READS: Final = 2
"""How often a source is asked when no release is expected: then it only has to be there."""

_LOOKS: Final = 3
"""How often a source is asked at the end before its silence counts."""

_SILENCE: Final = "?"
_NAME: Final = 200
"""Letters of the longest text that can be the name of a release; a page of HTML is none."""


@dataclass(slots=True)
class _Poll:
    """What one source has said so far."""

    source: ReleaseSource
    streak: int = 0
    asked: int = 0
    last: str | None = None
    problem: str | None = None
    error: ProbeError | None = None
    errors: int = 0
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

    def __init__(
        self, target: Target, wait: ReleaseWait, loop: HttpLoop, *, run_id: str, expected: str | None,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._target = target
        self._wait = wait
        self._loop = loop
        self._headers = identity_headers(run_id, "release") | {"Cache-Control": "no-cache"}
        self._expected = expected
        self._polls = [_Poll(source) for source in wait.sources]
        self._begun = loop.clock()
        self._wall = wall
        self._waited: tuple[Wait, ...] = ()
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

    def waits(self) -> tuple[Wait, ...]:
        """How long it took, once it is over."""
        return self._waited

    def end(self) -> None:
        """Ask no more; nobody is told."""
        self._done = None

    def look_again(self, done: Callable[[Mapping[str, str]], None]) -> None:
        """Ask every source again and call ``done`` once with what each said.

        One that says nothing is asked some times more, for one lost packet is no other release; then it says ``?``.
        """
        last: dict[ReleaseSource, str] = {}

        def ask(source: ReleaseSource, left: int) -> None:
            self._fetch(source, lambda answer: collect(source, answer, left))

        def collect(source: ReleaseSource, answer: HttpObservation | ProbeError, left: int) -> None:
            said = self._read(source, answer)[0]
            if said is None and left > 1:
                self._loop.call_later(self._wait.interval, lambda: ask(source, left - 1))
                return
            last[source] = said or _SILENCE
            if len(last) == len(self._polls):
                done({each.location.service: release for each, release in last.items()})

        for poll in self._polls:
            ask(poll.source, _LOOKS)

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
        poll.errors = poll.errors + 1 if poll.error else 0
        release, poll.problem = self._read(poll.source, answer)
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
            evidence = self._evidence(live)
            self._waited = (Wait("release", self._wall() - evidence.waited, evidence.waited),)
            done(evidence, list(self._states()))

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
                yield state_of(service, poll.error, poll.errors)
            elif service.health is None:
                yield ServiceState(service.name, True)

    def _problem(self) -> str:
        return f"not live within {self._wait.within:g} s: {'; '.join(self._lines())}"

    def _lines(self) -> Iterator[str]:
        for poll in self._polls:
            want = f" instead of {self._expected}" if self._expected and poll.last not in {None, self._expected} else ""
            yield f"{poll.source.location} {_said(poll)}{want} ({poll.streak} of {self._wait.consecutive} in a row)"

    def _read(self, source: ReleaseSource, answer: HttpObservation | ProbeError) -> tuple[str | None, str | None]:
        """The release that an answer names, or what is wrong with the answer."""
        if isinstance(answer, ProbeError):
            return None, answer.message
        if not 200 <= answer.status < 300:  # noqa: PLR2004  # 2xx, RFC 9110 §15.3
            return None, f"answers HTTP {answer.status}"
        try:
            place, value = self._value(source, answer)
        except UnreadableError as error:
            return None, plain(str(error))
        text = str(value).strip()
        if isinstance(value, dict | list | bool | Missing | None) or not text or len(text) > _NAME or "\n" in text:
            return None, plain(f"has no release at {place}: {show(value)}")
        return plain(text), None

    def _value(self, source: ReleaseSource, answer: HttpObservation) -> tuple[str, object]:
        if source.selector is not None:
            return source.selector.text, source.selector.select(answer.document)
        named = answer.header(self._wait.header) if self._wait.header else MISSING
        return ("its header", named) if named is not MISSING else ("its text", answer.text)


def _said(poll: _Poll) -> str:
    """What a source says, and how often if it says several things."""
    if poll.problem:
        return poll.problem
    if len(poll.counts) > 1:
        return "says " + ", ".join(f"{release} {count} times" for release, count in sorted(poll.counts.items()))
    return f"says {poll.last}" if poll.last else "has not answered yet"
