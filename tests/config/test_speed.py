from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from postdeploy.config import load_suite
from postdeploy.domain.target import Target
from postdeploy.errors import ConfigurationError

CHECK = """\
  - name: API is healthy {}
    get: api:/healthz
    expect: {{status: 200, json: {{$.status: ok, $.db: {{in: [ok, degraded]}}}}, within: 500ms}}
"""


def test_importing_the_package_imports_nothing_else() -> None:
    """PyYAML and JSON paths are imported when they are needed."""
    code = (
        "import sys, postdeploy.config;"
        "print([n for n in ('yaml', 'jsonpath_rfc9535', 'postdeploy.domain.check', 'postdeploy.config.targets')"
        " if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_reading_plain_files_imports_neither_pydantic_nor_the_path_library(tmp_path: Path) -> None:
    """What costs more than reading the files is not imported for them."""
    (tmp_path / "targets.yaml").write_text("targets: {a: {services: {api: http://a.test}}}")
    (tmp_path / "suite.yaml").write_text("checks:\n" + CHECK.format(1))
    code = (
        "import sys; from pathlib import Path; from postdeploy.config import load_suite, load_target;"
        "load_suite(Path('suite.yaml'), Path(), load_target(Path('targets.yaml'), 'a', {}));"
        "print([n for n in ('pydantic', 'jsonpath_rfc9535', 'difflib', 'jsonschema') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(("count", "seconds"), [(1_000, 0.6), (10_000, 6.0)])
def test_large_suites_load_in_linear_time(tmp_path: Path, target: Target, count: int, seconds: float) -> None:
    """A thousand checks take a tenth of a second, ten thousand ten times that (with room for a busy machine)."""
    path = tmp_path / "suite.yaml"
    path.write_text("checks:\n" + "".join(CHECK.format(number) for number in range(count)))
    start = time.process_time()
    assert len(load_suite(path, tmp_path, target)) == count
    assert time.process_time() - start < seconds


WORDS = ", ".join(map("w{}: 1".format, range(40_000)))
HOSTILE = {
    "items": "checks:\n" + "- x\n" * 100_000,
    "keys": "checks:\n  - name: a\n" + "".join(f"    k{number}: 1\n" for number in range(30_000)),
    "matchers": "checks: [{name: a, get: web:/, expect: {json: {$.a: {" + WORDS + "}}}}]",
    "steps": "checks: [{name: a, steps: [%s]}]" % ("{a: 1}, " * 50_000),
    "placeholders": 'checks: [{name: a, post: web:/, body: "%s", expect: {status: 200}}]' % ("${x}" * 100_000),
    "expression": "checks: [{name: a, get: web:/, expect: {body: {matches: '%s'}}}]" % ("(" * 100_000),
    "path": "checks: [{name: a, get: web:/, expect: {json: {'$%s': 1}}}]" % ("[?" * 100_000),
    "name": "checks: [{name: a, %s: 1}]" % ("x" * 1000),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_hostile_suites_are_refused_quickly(tmp_path: Path, target: Target, kind: str) -> None:
    """However much is wrong, the list of problems ends, and it comes soon."""
    path = tmp_path / "suite.yaml"
    path.write_text(HOSTILE[kind])
    start = time.process_time()
    with pytest.raises(ConfigurationError) as caught:
        load_suite(path, tmp_path, target)
    assert time.process_time() - start < 3
    assert len(caught.value.problems) <= 1001
    assert max(len(problem.message) for problem in caught.value.problems) <= 1000
