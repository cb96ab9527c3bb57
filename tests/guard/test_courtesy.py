from __future__ import annotations

from email.utils import formatdate

import pytest

from postdeploy.guard.courtesy import Courtesy, retry_after


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def exactly(low: float, _high: float) -> float:
    """No chance."""
    return low


def test_they_do_not_all_come_back_at_once() -> None:
    """A pause is as long as the target asked for, or by chance a little longer, two seconds at most."""
    courtesy = Courtesy(Clock(), jitter=lambda _low, high: high)
    courtesy.limited(99.0, 3.0)
    assert courtesy.pause() == pytest.approx(3.3)
    courtesy.limited(99.0, 60.0)
    assert courtesy.pause() == pytest.approx(62.0)


def test_a_pause_and_an_end() -> None:
    """The first 429 pauses, those to requests of before belong to it, and one to a request after it ends all."""
    clock = Clock()
    courtesy = Courtesy(clock, deadline=200.0, jitter=exactly)
    assert courtesy.pause() == 0.0
    courtesy.limited(99.0, 3.0)
    courtesy.limited(99.5, 2.0)
    assert (courtesy.pause(), courtesy.stopped) == (3.0, None)
    courtesy.limited(99.9, 5.0)
    assert courtesy.pause() == 5.0
    clock.now = 105.0
    assert courtesy.pause() == 0.0
    courtesy.limited(105.0, 1.0)
    assert "again" in str(courtesy.stopped)


def test_a_pause_beyond_the_deadline() -> None:
    """Nobody waits for what comes after the end, so nothing is sent any more."""
    courtesy = Courtesy(Clock(), deadline=110.0, jitter=exactly)
    courtesy.limited(99.0, 10.0)
    assert "beyond the deadline" in str(courtesy.stopped)


def test_a_target_that_does_not_say_how_long() -> None:
    """A second is waited then, and without a deadline as long as was asked for."""
    courtesy = Courtesy(Clock(), jitter=exactly)
    courtesy.limited(99.0, None)
    assert courtesy.pause() == 1.0
    courtesy.limited(99.0, 900.0)
    assert (courtesy.pause(), courtesy.stopped) == (900.0, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-1", None), ("soon", None), (None, None), (formatdate(0, usegmt=True), 0.0)],
)
def test_what_retry_after_says(value: object, seconds: float | None) -> None:
    """Seconds, or a date; what cannot be read says nothing."""
    assert retry_after(value) == seconds
