"""Many runs are counted in parts, and nothing is counted twice or lost when a part is broken off."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parts import End, count_in_parts, counted

PASS: End = ("pass", "all_required_passed", "0")
FAIL: End = ("fail", "confirmed_failure", "20")


def _count(folder: Path, runs: int, *, broken_at: int = -1) -> list[int]:
    made = []

    def run(number: int) -> End:
        if number == broken_at:
            raise KeyboardInterrupt
        made.append(number)
        return FAIL if number == 30 else PASS

    for _ in count_in_parts("healthy", runs, run, lambda _said: None, folder):
        pass
    return made


def test_what_was_broken_off_goes_on(tmp_path: Path) -> None:
    """The parts that were kept count, that which was not is made again, and there is nothing to do in the end."""
    with pytest.raises(KeyboardInterrupt):
        _count(tmp_path, 60, broken_at=40)
    assert counted("healthy", tmp_path).total() == 25
    assert _count(tmp_path, 60) == list(range(25, 60))
    assert counted("healthy", tmp_path) == {PASS: 59, FAIL: 1}
    assert _count(tmp_path, 60) == []
    assert counted("another", tmp_path).total() == 0
