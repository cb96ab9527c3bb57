from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.config.lock import load_lock, render_lock
from postdeploy.domain.lock import Lock
from postdeploy.errors import ConfigurationError


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """One id a line, sorted, each once, in the letters that people use."""
    path = tmp_path / "postdeploy.lock"
    path.write_text(render_lock(["suites/b.yaml::나", "suites/a.yaml::x", "suites/a.yaml::x"]), encoding="utf-8")
    assert '    "suites/a.yaml::x",\n    "suites/b.yaml::나"\n' in path.read_text(encoding="utf-8")
    assert load_lock(path) == Lock("postdeploy.lock", ("suites/a.yaml::x", "suites/b.yaml::나"))


def test_no_lock_is_none(tmp_path: Path) -> None:
    """Nobody has to have one."""
    assert load_lock(tmp_path / "postdeploy.lock") is None


_BROKEN = {
    "empty": ("", "postdeploy.lock:1:1: not JSON: Expecting value"),
    "position": ('{\n  "schema": ,', "postdeploy.lock:2:13: not JSON: Expecting value"),
    "conflict": ("<<<<<<< HEAD", "postdeploy.lock:1:1: not JSON"),
    "deep": ("[" * 100_000, "not JSON: maximum recursion depth"),
    "surrogate": ("\udcff", "not JSON: 'utf-8' codec"),
    "list": ("[]", "not a lock of schema 'postdeploy/lock/1'"),
    "schema": ('{"schema": "postdeploy/lock/2", "checks": []}', "not a lock of schema"),
    "no checks": ('{"schema": "postdeploy/lock/1"}', "a list 'checks' and nothing else"),
    "more": ('{"schema": "postdeploy/lock/1", "checks": [], "more": 1}', "a list 'checks' and nothing else"),
    "mapping": ('{"schema": "postdeploy/lock/1", "checks": {"a": 1}}', "a list 'checks' and nothing else"),
    "number": ('{"schema": "postdeploy/lock/1", "checks": [1]}', "named by its id"),
    "twice": ('{"schema": "postdeploy/lock/1", "checks": ["a", "a"]}', "stands twice"),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_a_file_that_is_no_lock_is_refused(tmp_path: Path, name: str) -> None:
    """With its place, and the way out."""
    text, said = _BROKEN[name]
    path = tmp_path / "postdeploy.lock"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError) as raised:
        load_lock(path)
    assert said in str(raised.value)
    assert "run: postdeploy lock" in str(raised.value)


def test_a_folder_is_no_lock(tmp_path: Path) -> None:
    """What cannot be read is said."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_lock(tmp_path)
