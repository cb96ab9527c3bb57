from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from postdeploy.exporters import FORMATS
from postdeploy.reports import write_reports
from tests.domain import builders as make
from tests.exporters.conftest import document_of

SCRIPT = """
import json, os, pathlib, signal, sys

import postdeploy.exporters.ctrf
from postdeploy import report_process, reports
from postdeploy.exporters import FORMATS

here, fork, pipe = os.getpid(), os.fork, os.pipe
render, write = postdeploy.exporters.ctrf.render, reports._write_new

def run(kind, folder):
    forks = []

    def counted():
        if kind == "no process":
            raise BlockingIOError(11, "too many processes")
        forks.append(1)
        return fork()

    def write_new(path, content):
        write(path, content)
        if os.getpid() != here and kind == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if os.getpid() != here and kind == "hung":
            signal.pause()

    def ctrf(document, read):
        if kind == "broken":
            raise ZeroDivisionError("broken")
        return render(document, read)

    def no_pipe():
        raise OSError(24, "too many open files")

    os.fork, postdeploy.exporters.ctrf.render, reports._write_new = counted, ctrf, write_new
    os.pipe = no_pipe if kind == "no pipe" else pipe
    os.sched_getaffinity = lambda _: {0} if kind == "one processor" else {0, 1}
    report_process._PATIENCE = 0.2 if kind == "hung" else 60
    document = json.loads((folder / "verdict.json").read_text())
    if kind == "few":
        del document["checks"][100:]
    told = report_process.write_by_two(document, tuple(FORMATS), folder, folder / kind)
    return len(forks), [(report.name, report.problem) for report in told]

print(json.dumps({kind: run(kind, pathlib.Path(sys.argv[1])) for kind in sys.argv[2:]}))
"""

KINDS = ("well", "killed", "hung", "broken", "no process", "no pipe", "one processor", "few")


class Written(NamedTuple):
    """By kind: how often it forked and what it told; and what one process writes."""

    told: dict[str, tuple[int, list[list[str | None]]]]
    folder: Path
    expected: dict[str, bytes]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Two hundred checks of which some failed, reported in each way, by a Python without other threads."""
    folder, alone = tmp_path_factory.mktemp("two"), tmp_path_factory.mktemp("one")
    results = [make.failed(f"c{n}") if n % 50 == 0 else make.passed(f"c{n}") for n in range(200)]
    document = document_of(make.evidence(*results))
    (folder / "verdict.json").write_text(json.dumps(document))
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), *KINDS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert {report.problem for report in write_reports(document, FORMATS, folder, alone)} == {None}
    return Written(json.loads(done.stdout), folder, contents(alone))


def contents(folder: Path) -> dict[str, bytes]:
    """Every report by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_process_loses_no_report(written: Written, kind: str) -> None:
    """It writes what one would; where it dies, hangs or cannot be had, the first writes everything."""
    forks, told = written.told[kind]
    broken = {"ctrf": "ZeroDivisionError: broken"} if kind == "broken" else {}
    assert forks == (kind not in {"no process", "no pipe", "one processor", "few"})
    assert told == [[name, broken.get(name)] for name in FORMATS]
    found = contents(written.folder / kind)
    if kind == "few":
        assert found.keys() < written.expected.keys()
    else:
        assert found == {
            name: data for name, data in written.expected.items() if not (broken and name.startswith("ctrf"))
        }
