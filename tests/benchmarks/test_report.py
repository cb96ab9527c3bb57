from __future__ import annotations

import re
from importlib.metadata import version

from benchmarks.environment import HERE
from benchmarks.report import document
from benchmarks.tables import Finding, Table


def test_the_page_says_what_pytest_loads_and_which_goals_are_missed() -> None:
    """The plugins are those that are found beside the Python which is measured, with their versions."""
    findings = [Finding("at most 1", "2", reached=False), Finding("at most 3", "2", reached=True)]
    page = document([Table("Some", ("what", "s"), [("one", "2")], findings)], "python -m benchmarks", HERE)
    words = " ".join(page.split())
    assert "with what is installed here (`--here`)" in words
    loaded = re.search(r"unless autoload is off: (.*?)\. - ", words)
    assert loaded is not None
    assert f"pytest-timeout {version('pytest-timeout')}" in loaded[1].split(", ")
    assert f"pytest-postdeploy {version('pytest-postdeploy')}" in loaded[1].split(", ")
    assert "pycurl" not in loaded[1]
    assert "1 of 2 goals are reached." in page
    assert "- Some: at most 1; measured 2" in page
