"""900 checks from each of three vantages, and a worker that is killed in mid-run: is everything there in the end?

``python -m benchmarks.vantages`` starts a scheduler of dask and four workers on this machine, two for one vantage.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

__all__ = ["main"]

_CHECKS: Final = 900
_BIN: Final = Path(sys.executable).parent
_SCHEDULER: Final = "tcp://127.0.0.1:18786"
_WORKERS: Final = (("a", "eu"), ("b", "us"), ("c", "us"), ("d", "ap"))
_RESULTS: Final = Path(__file__).parent / "results" / "vantages.jsonl"


def main() -> int:
    """Run it twice, the second time with a worker that dies, and keep what came of it."""
    with tempfile.TemporaryDirectory(prefix="vantages-") as name, _server() as port:
        folder = _project(Path(name), port)
        with _cluster(folder) as workers:
            _told("all workers live", *_run(folder, None))
            _told("one worker is killed", *_run(folder, workers))
    return 0


def _project(folder: Path, port: int) -> Path:
    (folder / "suites").mkdir()
    (folder / "pyproject.toml").write_text('[tool.pytest]\ntestpaths = ["suites"]\n')
    (folder / "targets.yaml").write_text(
        f"targets:\n  far:\n    services: {{web: http://127.0.0.1:{port}}}\n"
        "    policy: {deadline: 60s, vantages: [eu, us, ap], quorum: 2 of 3}\n"
    )
    checks = (f"  - {{name: n{n}, get: 'web:/check/{n}', expect: {{status: 200}}}}\n" for n in range(_CHECKS))
    (folder / "suites" / "checks.yaml").write_text("checks:\n" + "".join(checks))
    return folder


@contextmanager
def _server() -> Iterator[int]:
    """Answers after 50 ms; ends with its standard input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", "0.05"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield int(process.stdout.readline())  # type: ignore[union-attr]  # it is a pipe
    finally:
        process.kill()
        process.wait()


@contextmanager
def _cluster(folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    dask, log = str(_BIN / "dask"), (folder / "dask.log").open("wb")
    quiet: dict[str, Any] = {"stdout": log, "stderr": log}
    started = {
        "scheduler": subprocess.Popen(
            [dask, "scheduler", "--host=127.0.0.1", "--port=18786", "--no-dashboard"], **quiet
        ),
        **{name: subprocess.Popen(
            [dask, "worker", _SCHEDULER, f"--name={name}", "--nthreads=1", "--no-dashboard", "--no-nanny",
             f"--resources=vantage-{vantage}=1"], **quiet)
           for name, vantage in _WORKERS},
    }  # fmt: skip
    try:
        while (folder / "dask.log").read_bytes().count(b"Register worker") < len(_WORKERS):
            time.sleep(0.1)
        yield started
    finally:
        for process in started.values():
            process.kill()
            process.wait()


def _run(folder: Path, workers: dict[str, subprocess.Popen[bytes]] | None) -> tuple[float, dict[str, Any]]:
    """Seconds and the verdict; with ``workers``, the one that runs for vantage us is killed as soon as it does."""
    begun = time.perf_counter()
    run_id = f"bench-{time.time_ns()}"
    process = subprocess.Popen(
        [str(_BIN / "postdeploy"), "vantages", "far", f"--scheduler={_SCHEDULER}", f"--run-id={run_id}"],
        cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    if workers:
        _kill_who_works(workers, f"{run_id}.us.1")
    process.wait(timeout=120)
    return time.perf_counter() - begun, json.loads((folder / "reports" / "verdict.json").read_bytes())


def _kill_who_works(workers: dict[str, subprocess.Popen[bytes]], run_id: str) -> None:
    """SIGKILL for the worker under which a run has begun, half a second later."""
    while not (found := next(_processes(run_id), None)):
        time.sleep(0.01)
    time.sleep(0.5)
    above = found
    while above > 1 and not any(above == worker.pid for worker in workers.values()):
        above = int(Path(f"/proc/{above}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(above, signal.SIGKILL)


def _processes(run_id: str) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if run_id.encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


def _told(what: str, seconds: float, document: dict[str, Any]) -> None:
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "what": what, "seconds": round(seconds, 1),
        "load": round(os.getloadavg()[0], 1),
        "verdict": document["verdict"], "reason": document["reason"],
        "runs": {each["name"]: each["run"]["id"].rpartition(".")[2] if each["run"] else None
                 for each in document["vantages"]},
        "results": sum(each["counts"]["passed"] for each in document["vantages"] if each["counts"]),
    }  # fmt: skip
    print(json.dumps(line))
    with _RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main())
