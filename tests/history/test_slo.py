from __future__ import annotations

import pytest

from postdeploy.history.slo import burns, objective_of, tell_checks, tell_objective, tell_objective_json
from postdeploy.history.sums import CheckSum, HourSum

MINUTE = 60_000
NOW = 30 * 24 * 60 * MINUTE


def verdicts(bad_minutes: int, of: int) -> list[tuple[int, str]]:
    """A run a minute up to now, the last of which failed."""
    return [(NOW - back * MINUTE, "fail" if back < bad_minutes else "pass") for back in range(of, -1, -1)]


def test_budget() -> None:
    """The budget is what the objective allows to fail; what could not be told is not counted."""
    hours = [HourSum(1, 5000, 3, 7), HourSum(2, 4995, 2, 0)]
    one = objective_of("staging", 0.999, 30, hours, [], NOW)
    assert (one.good, one.bad, one.unknown) == (9995, 5, 7)
    assert one.availability == pytest.approx(0.9995)
    assert one.left == pytest.approx(0.5)
    lines = list(tell_objective(one))
    assert lines[0] == "staging: 99.95 % of 10000 runs were good in 30 days"
    assert "7 more runs could not tell" in lines[1]
    assert "objective 99.9 %; error budget left: 50.0 %" in lines[2]


@pytest.mark.parametrize(("hours", "left"), [([], 1.0), ([HourSum(1, 0, 4, 0)], -999.0)])
def test_extremes(hours: list[HourSum], left: float) -> None:
    """Nothing used of nothing; and all of it many times over."""
    assert objective_of("a", 0.999, 30, hours, [], NOW).left == pytest.approx(left)


def test_thresholds() -> None:
    """For 30 days they are those of the workbook."""
    assert [round(burn.threshold, 1) for burn in burns(0.999, 30, [], NOW)] == [14.4, 6.0, 3.0, 1.0]
    assert [burn.minutes for burn in burns(0.999, 1, [], NOW)] == [60, 360]


@pytest.mark.parametrize(
    ("bad", "alerts"), [(0, []), (1, []), (9, [60]), (60, [60, 360])], ids=["none", "one", "nine minutes", "an hour"]
)
def test_alerts(bad: int, alerts: list[int]) -> None:
    """What burns fast is told soon, what burns slowly later, and one bad run of an hour never."""
    found = burns(0.99, 30, verdicts(bad, 4320), NOW)
    assert [burn.minutes for burn in found if burn.alerts and burn.action == "page"] == alerts


def test_an_alert_ends_soon() -> None:
    """Five minutes after the last failure the fastest alert is over, although the hour still burns."""
    late = [(started - 6 * MINUTE, verdict) for started, verdict in verdicts(30, 100)]
    late += [(NOW - back * MINUTE, "pass") for back in range(5, -1, -1)]
    burn = burns(0.999, 30, late, NOW)[0]
    assert burn.rate > burn.threshold
    assert not burn.alerts


def test_checks_below() -> None:
    """Checks that missed the objective are named, the worst first."""
    checks = [
        CheckSum(n, name, name, "api", "critical", None, None, 0, {"passed": good, "failed": 10})
        for n, (name, good) in enumerate([("bad", 90), ("worse", 10), ("fine", 10**6)])
    ]
    assert [line.split()[-1] for line in tell_checks(checks, 0.999)] == ["check", "worse", "bad"]
    assert tell_objective_json(objective_of("a", 0.9, 7, [], [], NOW))["burns"][0]["alerts"] is False
