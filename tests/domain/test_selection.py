from __future__ import annotations

from postdeploy.domain.selection import MISSING, Missing


def test_missing_reads_as_nothing() -> None:
    """A report says that nothing was there."""
    assert repr(MISSING) == str(MISSING) == "nothing"


def test_missing_is_not_null() -> None:
    """Nothing there is not the same as null."""
    assert MISSING is not None
    assert isinstance(MISSING, Missing)
