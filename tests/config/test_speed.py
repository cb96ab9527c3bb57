from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from postdeploy.config import load_suite
from postdeploy.domain.target import Target

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
