from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from postdeploy.domain.mute import Deploy, DeployMute, Mute, Once, Weekly, find_mutes

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    """A moment in UTC, in seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_once() -> None:
    """From its beginning to its end, which is no part of it."""
    window = Once(100, 200, "new disks")
    assert [window.mute(now) for now in (99, 100, 199, 200)] == [None, *[Mute("new disks", 200)] * 2, None]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-28T22:59:59", None),
        ("2026-11-28T23:00", "2026-11-29T01:30"),
        ("2026-11-29T01:29:59.5", "2026-11-29T01:30"),
        ("2026-11-29T01:30", None),
        ("2026-11-29T23:10", None),
        ("2026-12-05T23:10", "2026-12-06T01:30"),
    ],
)
def test_weekly(now: str, until: str | None) -> None:
    """Each Saturday night, into Sunday."""
    found = Weekly((5,), 23 * 60, 150).mute(at(now))
    assert (found and found.until) == (until and pytest.approx(at(until)))


def test_the_end_of_a_week() -> None:
    """A Sunday night ends on Monday."""
    window = Weekly((6,), 23 * 60, 120)
    assert window.mute(at("2026-11-30T00:30")) == Mute("maintenance", at("2026-11-30T01:00"))


@pytest.mark.parametrize(("now", "muted"), [("2026-07-05T00:30", True), ("2026-12-06T00:30", False)])
def test_the_clock_of_a_place(now: str, muted: bool) -> None:
    """Two o'clock in Berlin is another moment in summer than in winter."""
    assert bool(Weekly((6,), 2 * 60, 60, BERLIN).mute(at(now))) is muted


@pytest.mark.parametrize(
    ("deploy", "until"),
    [
        (Deploy("d", 1000), 1500.0),
        (Deploy("d", 400), None),
        (Deploy("d", 400, 950), 1010.0),
        (Deploy("d", 400, 940), None),
        (Deploy("d", 1005), 1505.0),
    ],
)
def test_deploys(deploy: Deploy, until: float | None) -> None:
    """A deploy that is going on mutes, but not for ever; one that has ended mutes for a while."""
    found = deploy.mute(1000, DeployMute(after=60, longest=500))
    assert (found and found.until) == until


def test_all_mutes() -> None:
    """Everything that mutes now; deploys do not where the policy says so."""
    windows, deploys = (Once(0, 5), Once(5, 10), Weekly((3,), 0, 1)), (Deploy("d", 1), Deploy("e", 2, 3))
    reasons = [each.reason for each in find_mutes(4, windows, deploys, DeployMute())]
    assert reasons == ["maintenance", "maintenance", "deploy d is going on", "deploy e has just ended"]
    assert len(find_mutes(4, windows, deploys, None)) == 2
    assert find_mutes(4, (), (Deploy("d", -4000),), DeployMute()) == ()
    assert Mute("why", 1.0).to_json() == {"reason": "why", "until": 1.0}


@pytest.mark.parametrize("deploy", [Deploy("d", 1.5), Deploy("d", 1.5, 2.5)])
def test_json(deploy: Deploy) -> None:
    """A deploy comes back from JSON."""
    assert Deploy.from_json(deploy.to_json()) == deploy
