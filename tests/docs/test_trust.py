"""What is promised on the page about trust names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "trust.md").read_text("utf-8")
PROMISES = re.findall(r"^- \*\*(.+?)\.?\*\*", PAGE.partition("## How it is proven")[0], re.MULTILINE)
PROOFS = re.findall(r"^\| ([A-Z][^|]+) \| (`tests/[^|]+) \| ([^|]*)\|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("guarantee", "tests", "rows"), PROOFS)
def test_named_tests_and_rows_exist(guarantee: str, tests: str, rows: str) -> None:
    """Each is a function in the file that is named, and each row is one of the matrix."""
    for name in re.findall(r"`([^`]+)`", tests):
        path, _, function = name.partition("::")
        assert re.search(rf"^def {function}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), name
    matrix = (ROOT / "docs" / "reference" / "fault-matrix.md").read_text("utf-8")
    for row in re.findall(r"[A-Z]\d\d", rows):
        assert f"| {row} |" in matrix, row


def test_every_guarantee_has_its_proof() -> None:
    """A promise without a test that is named is none."""
    assert len(PROMISES) == len(PROOFS) > 0
    for promise, (guarantee, _, _) in zip(PROMISES, PROOFS, strict=True):
        assert promise.startswith(guarantee)
