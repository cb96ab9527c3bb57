from __future__ import annotations

from postdeploy.domain.retention import HISTORY_VARIABLE, Retention
from postdeploy.plugin import settings


def test_sums_outlive_results() -> None:
    """What is summed up is kept for longer than what it is the sum of."""
    assert Retention().sums > Retention().results


def test_one_variable() -> None:
    """The plugin, which does not load this module without a target, reads the same variable."""
    assert settings._HISTORY == HISTORY_VARIABLE
