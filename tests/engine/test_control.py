from __future__ import annotations

import threading
from collections.abc import Iterator

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.secret import Secret
from postdeploy.domain.target import Control, Service, Target
from postdeploy.engine.control import ControlWatch
from postdeploy.errors import JournalError
from postdeploy.probes.control import Question

WEB = {"web": Service("web", "https://web.test")}
HERE = {"web": Service("web", "http://127.0.0.1:9")}


class Rounds:
    """Answers every round at once, by a clock that stands still until it is moved."""

    def __init__(self, services: dict[str, Service] = WEB, control: Control = Control()) -> None:  # noqa: B008
        self.now = 100.0
        self.asked: list[Question] = []
        self.told: list[ControlResult] = []
        target = Target("test", services, control=control)
        self.watch = ControlWatch(target, "run-1", self.told.append, clock=lambda: self.now, observe=self._observe)

    def _observe(self, question: Question) -> Iterator[ControlResult]:
        self.asked.append(question)
        yield question.result(ControlProbe.URL, "it answers")

    def trouble(self, code: str = "timeout") -> int:
        """Tell of trouble; returns how many rounds there were so far."""
        self.watch.trouble(code, "https://web.test/")
        self.watch.settle()
        return len(self.asked)


def test_a_round_at_the_start() -> None:
    """What was found before the run is told on its own; nobody waits for it."""
    rounds = Rounds()
    rounds.watch.begin()
    for thread in threading.enumerate():
        if thread.name == "postdeploy-control":
            thread.join(5)
    assert [result.moment for result in rounds.told] == [Moment.START]
    assert "run=run-1;check=control" in rounds.asked[0].headers["X-Synthetic-Test"]


def test_credentials_are_looked_at_before_the_run() -> None:
    """One that has expired is told at once, whether there is anything to ask or not."""
    told: list[ControlResult] = []
    control = Control(expires={"pin": "2027-01-31"})
    target = Target("test", HERE, control=control, secrets={"pin": Secret("pin", "pin-12345678")})
    ControlWatch(target, "run-1", told.append, wall=lambda: 2e9).begin()
    assert [(result.code, result.at) for result in told] == [("credentials_expired", 2e9)]


def test_trouble_is_asked_about_at_once_and_not_too_often() -> None:
    """Thirty connections that fail together are one question; those that fail later are another."""
    rounds = Rounds()
    assert [rounds.trouble("certificate_expired"), rounds.trouble(), rounds.trouble()] == [1, 1, 1]
    assert (rounds.asked[0].code, rounds.asked[0].url) == ("certificate_expired", "https://web.test/")
    rounds.now += 6
    assert rounds.trouble() == 2
    assert {result.moment for result in rounds.told} == {Moment.FAILURE}


def test_trouble_without_end() -> None:
    """A run that never has anything but trouble asks a bounded number of times."""
    rounds = Rounds()
    for _ in range(30):
        rounds.now += 6
        rounds.trouble()
    assert len(rounds.asked) == 12


def test_a_target_on_this_machine() -> None:
    """Where nothing can be told from the target, no thread is started."""
    rounds = Rounds(HERE)
    rounds.watch.begin()
    assert rounds.trouble() == 0
    assert Rounds(HERE, Control(url="http://127.0.0.1:8")).trouble() == 1


def test_a_journal_that_refuses() -> None:
    """A disk that is full is told of where the run is sealed, not by a thread that dies."""

    def refuse(_result: ControlResult) -> None:
        raise JournalError("the disk is full")

    rounds = Rounds()
    watch = ControlWatch(Target("test", WEB), "run-1", refuse, observe=rounds._observe)
    watch.trouble("timeout", "https://web.test/")
    watch.settle()
    assert len(rounds.asked) == 1
