from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.harness import TARGETS, fuzz


@pytest.mark.parametrize("name", TARGETS)
def test_fuzzed(name: str) -> None:
    """A hundred inputs of each kind; ``make fuzz`` goes on for ten minutes."""
    fuzz(name, settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None))
