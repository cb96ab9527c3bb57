"""The verdict names what its checks were made from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
TEST = """
def test_good(api):
    assert api.get("/ok").status_code == 200
"""


def _suite(project: Project, *arguments: str) -> dict[str, Any]:
    suite: dict[str, Any] = project.run(*arguments).verdict["suite"]
    return suite


def test_the_suite_has_a_digest(both: Project) -> None:
    """Declared suites, test files and conftests are named with their digests, with and without workers."""
    both.suite(GOOD)
    both.tests(TEST)
    root = both.path
    (root / "suites/conftest.py").write_text("")
    suite = _suite(both)
    names = {"suites/checks.yaml", "suites/test_it.py", "suites/conftest.py"}
    assert names <= suite["files"].keys()
    for name, digest in suite["files"].items():
        assert digest == "sha256:" + hashlib.sha256((root / name).read_bytes()).hexdigest()


def test_what_changes_the_digest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another byte in a file, or another plugin, is another suite; a narrowed run is of the same one."""
    project.suite(GOOD)
    project.tests(TEST)
    first = _suite(project)
    assert _suite(project, "-k", "nothing") == first
    (project.path / "local_plugin.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    pinned = project.run("-p", "local_plugin").verdict
    assert pinned["run"]["plugins"]["local_plugin"] == "sha256:" + hashlib.sha256(b"").hexdigest()
    assert pinned["suite"]["digest"] != first["digest"]
    project.tests(TEST + "\n# another byte")
    assert _suite(project)["digest"] != first["digest"]
