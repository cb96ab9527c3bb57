from __future__ import annotations

import pytest

from postdeploy.history.flakes import find_flakes, interval, tell_flakes, tell_flakes_json
from postdeploy.history.sums import CheckSum
from tests.history.memories import NOW  # 2026-09-21


def sums(name: str, passed: int, flaky: int = 0, failed: int = 0, until: str | None = None) -> CheckSum:
    """What came of a check."""
    entry = {"owner": "web", "until": until, "reason": "issue 7"} if until else None
    return CheckSum(1, name, name, "api", "critical", "team", entry, 0, {"passed": passed, "failed": failed}, flaky)


def test_order() -> None:
    """The flakiest stand first; what was never flaky stands there only in quarantine."""
    checks = [sums("steady", 100), sums("rare", 1000, 10), sums("often", 100, 30), sums("held", 5, until="2099-01-01")]
    assert [flake.id for flake in find_flakes(checks, NOW)] == ["often", "rare", "held"]


def test_one_of_one_is_no_proof() -> None:
    """Few runs say little: three of a hundred stand before one of one hundredth as many."""
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(1, 10) == pytest.approx((0.0179, 0.4042), abs=0.0001)
    assert [flake.id for flake in find_flakes([sums("one", 3, 1), sums("sure", 1000, 200)], NOW)] == ["sure", "one"]


@pytest.mark.parametrize(
    ("check", "state", "said"),
    [
        (sums("a", 10, 1, until="2099-01-01"), "holds", "until 2099-01-01 (web: issue 7)"),
        (sums("a", 100, until="2020-01-01"), "over", "OVER since 2020-01-01 (web: issue 7)"),
        (sums("a", 20, until="2099-01-01"), "idle", "take it out"),
        (sums("a", 19, until="2099-01-01"), "holds", "until"),
        (sums("a", 100, failed=1, until="2099-01-01"), "holds", "until"),
        (sums("a", 10, 1), None, "-"),
    ],
)
def test_quarantines(check: CheckSum, state: str | None, said: str) -> None:
    """A quarantine holds, is over, or is no longer needed."""
    flakes = find_flakes([check], NOW)
    assert [flake.state for flake in flakes] == [state]
    assert said in list(tell_flakes(flakes))[1]
    assert tell_flakes_json(flakes)[0]["state"] == state


def test_none() -> None:
    """That there is none is told."""
    assert list(tell_flakes([])) == ["no check was flaky, and none is in quarantine"]
