from __future__ import annotations

import pytest

from postdeploy.history.facts import CheckMemory, RunMemory
from tests.history.memories import check, run


def test_there_and_back() -> None:
    """A run comes back from JSON as it was."""
    told = run("run-1", check("a", quarantine={"owner": "web", "until": "2026-12-01"}), check("b", "not_run"))
    assert RunMemory.from_json(told.to_json()) == told


@pytest.mark.parametrize("change", [{"started": "now"}, {"complete": 1}, {"id": None}, {"checks": {}}])
def test_strict(change: dict[str, object]) -> None:
    """What is not of the type that was written is refused."""
    with pytest.raises((TypeError, ValueError)):
        RunMemory.from_json(run().to_json() | change)


def test_unknown_outcome() -> None:
    """An outcome that does not exist is refused."""
    with pytest.raises(ValueError, match="perfect"):
        CheckMemory.from_json(check().to_json() | {"outcome": "perfect"})
