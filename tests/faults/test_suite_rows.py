"""F01 to F26: suites, options and other plugins that stock pytest takes for success."""

from __future__ import annotations

import pytest

from tests.faults.expected import hold, promote
from tests.faults.project import Project


def test_a_healthy_suite_passes(project: Project) -> None:
    """What the rows start from is a pass that the gate believes: they fail because of their fault alone."""
    project.healthy()
    run = project.run()
    run.require(promote())
    assert run.outcomes() == {"test_a": "passed", "test_b": "passed", "declared": "passed"}


@pytest.mark.row("F01", "test file without tests")
def test_an_empty_suite(project: Project) -> None:
    """Nothing was verified."""
    project.tests("x = 1")
    run = project.run()
    run.require(hold("nothing_selected", 5))
    assert run.document["counts"]["planned"] == 0
