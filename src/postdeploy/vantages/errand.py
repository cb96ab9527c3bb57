"""A run at a vantage: what a worker is asked for, in a process of its own that ends with the worker.

``run_errand`` is what dask calls. Bytes come in, bytes go out: JSON, of which nothing is unpickled. The process that it
starts (``python -m postdeploy.vantages.errand``) gets the order on its standard input, which stays open as long as the
worker lives.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["run_errand"]

_SPARE: Final = 20.0
"""Seconds for what is around a run: files, Python's start."""

_PATIENCE: Final = 10.0
"""Seconds that a run has to seal and to end after it was told to."""

_GLANCE: Final = 0.2


def run_errand(order: bytes) -> bytes:
    """Make the run that an order asks for: returns its reports, or a ``problem``, as JSON."""
    told = json.loads(order)
    command = [sys.executable, "-m", "postdeploy.vantages.errand"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own command
    alarm = threading.Timer(told["wall_clock"] + _PATIENCE + 2 * _SPARE, process.kill)
    alarm.start()
    try:
        with suppress(OSError):
            process.stdin.write(len(order).to_bytes(8, "big") + order)  # type: ignore[union-attr]  # it is a pipe
            process.stdin.flush()  # type: ignore[union-attr]
        answer: bytes = process.stdout.read(told["most"] * 2 + 1)  # type: ignore[union-attr]
    finally:
        alarm.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
    if len(answer) > told["most"] * 2:
        return _problem("the reports are too large")
    return answer or _problem(f"the process of the run ended with status {process.returncode} and sent nothing")


def _problem(text: str) -> bytes:
    return json.dumps({"problem": text}).encode()


def _main() -> None:
    from postdeploy.errors import PostdeployError

    order = json.loads(_read(int.from_bytes(_read(8), "big")))
    with tempfile.TemporaryDirectory(prefix="postdeploy-vantage-") as folder:
        try:
            answer = json.dumps(_carry_out(order, Path(folder))).encode()
        except (PostdeployError, OSError) as error:
            answer = _problem(str(error))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


def _read(size: int) -> bytes:
    """Exactly so many bytes: nothing may stay in a buffer, for the rest of this stream is waited for."""
    content = b""
    while len(content) < size:
        piece = os.read(0, size - len(content))
        if not piece:
            raise SystemExit("postdeploy: the order is not whole")
        content += piece
    return content


def _carry_out(order: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    from postdeploy.errors import VantageError
    from postdeploy.vantages.parcel import gather, to_json, unpack

    project = Path(order["there"] or folder / "project")
    if order["there"] is None:
        text = json.dumps(order["files"], sort_keys=True).encode()
        if hashlib.sha256(text).hexdigest() != order["sha256"]:
            raise VantageError("the project is not the one that was ordered")
        unpack(order["files"], project)
    elif not project.is_dir():
        raise VantageError(f"there is no folder {project} on this machine")
    reports = folder / "reports"
    command = [sys.executable, "-m", "postdeploy", *order["arguments"], f"--reports={reports}"]
    if order["baseline"] is not None:
        baseline = folder / "baseline.json"
        baseline.write_text(order["baseline"], encoding="utf-8")
        command.append(f"--baseline={baseline}")
    _live(subprocess.Popen(command, cwd=project, stdin=subprocess.DEVNULL, stdout=2))  # noqa: S603  # our own command
    return {"reports": to_json(gather(reports, _worth_sending(reports), order["most"]))}


def _live(run: subprocess.Popen[bytes]) -> None:
    """Wait for the run, and end it when the worker is gone."""
    while run.poll() is None:
        if select.select([0], [], [], _GLANCE)[0] and not os.read(0, 1):
            run.send_signal(signal.SIGTERM)
            end = time.monotonic() + _PATIENCE
            while run.poll() is None and time.monotonic() < end:
                time.sleep(_GLANCE)
            run.kill()
            raise SystemExit("postdeploy: the worker is gone")


def _worth_sending(reports: Path) -> Iterator[Path]:
    """The proof first, then what the attempts left behind."""
    yield from (reports / name for name in ("verdict.json", "evidence.jsonl"))
    yield from sorted(path for path in reports.rglob("*") if path.is_file() and path.parent != reports)


if __name__ == "__main__":
    _main()
