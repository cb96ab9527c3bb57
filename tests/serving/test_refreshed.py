from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from postdeploy.serving.refreshed import BusyError, Refreshed


class Clock:
    """Stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


def counting(answers: list[object]) -> Callable[[], object]:
    """Gives one answer after the other; raises those that are exceptions."""

    def make() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return make


def test_made_once_for_a_time() -> None:
    """The answer is given again until it is too old, and then it is made anew."""
    clock = Clock()
    answer = Refreshed(counting(["first", "second"]), 15, clock)
    assert [answer.get(), answer.get()] == ["first", "first"]
    clock.now += 15
    assert [answer.get(), answer.get()] == ["second", "second"]


def test_what_broke_is_not_tried_again_at_once() -> None:
    """What is away is asked as seldom as what is there."""
    clock = Clock()
    answer = Refreshed(counting([ValueError("away"), "back"]), 15, clock)
    for _ in range(2):
        with pytest.raises(ValueError, match="away"):
            answer.get()
    clock.now += 15
    assert answer.get() == "back"


def test_nobody_waits_for_another() -> None:
    """While one thread makes an answer all others get the older one at once, or are told that there is none yet."""
    clock, begun, go_on = Clock(), threading.Event(), threading.Event()
    made: list[str] = []

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        made.append("made")
        return f"answer {len(made)}"

    answer = Refreshed(slow, 15, clock)
    for expected in (None, "answer 1"):
        begun.clear()
        go_on.clear()
        maker = threading.Thread(target=answer.get)
        maker.start()
        assert begun.wait(10)
        if expected is None:
            with pytest.raises(BusyError):
                answer.get()
        else:
            assert answer.get() == expected
        go_on.set()
        maker.join()
        clock.now += 20
    assert len(made) == 2
