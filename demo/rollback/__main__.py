"""`python -m demo.rollback`, or `make rollback-demo`: the whole story, with real processes, on this machine."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import NoReturn

from demo.faults.registry import create
from demo.rollback.client import Client
from demo.rollback.narration import Narration
from demo.rollback.pipeline import Pipeline
from demo.rollback.story import BROKEN, Otherwise, Story
from demo.rollback.workspace import ROOT, lay_out


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story and return 0 if everything went as it should, else 1."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _end)
    with nullcontext(options.cluster) if options.cluster else _cluster(options.fault) as (public, canary):
        lay_out(options.folder, public, canary, options.fault)
        narration = Narration()
        narration.title(
            "Rollback demo: the scripts of deploy/ against a cluster of two slots, with a client that keeps asking"
        )
        narration.line(f"{public}, its canary at {canary}; logs, verdicts and reports: {options.folder}")
        client = Client(public)
        pipeline = Pipeline(options.folder, public, narration.event)
        story = Story(pipeline, public, client.tally, narration, options.fault)
        right = _tell(story, client)
        return _conclude(story, client, narration, right=right)


def _tell(story: Story, client: Client) -> bool:
    """Whether it went to its end as it should."""
    try:
        story.begin()
        client.start()
        story.blue_green()
        story.canary()
    except Otherwise:
        return False
    finally:
        client.stop()
    return True


def _conclude(story: Story, client: Client, narration: Narration, *, right: bool) -> int:
    tally, lost = client.tally, client.tally.lost(set(BROKEN))
    errors = sum(tally.errors[release] for release in BROKEN)
    narration.title("In the end")
    narration.line(
        f"  now serving: {', '.join(f'{name} {share} %' for name, share in story.serving().items() if share)}"
    )
    narration.line(f"  {lost} lost requests of {tally.asked}; {errors} were answered with an error by a broken release")
    for why in tally.unanswered[:5]:
        narration.line(f"    lost: {why}")
    right = right and not lost and tally.asked > 0
    narration.line("  Everything went as it should." if right else "  It did NOT all go as it should.")
    return 0 if right else 1


@contextmanager
def _cluster(fault: str) -> Iterator[tuple[str, str]]:
    broken = [word for release in BROKEN for word in ("--fault", f"{fault}@{release}")]
    command = [sys.executable, "-m", "demo.cluster", *broken]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
    try:
        line = process.stdout.readline() if process.stdout else ""
        public, canary = line.split()[-2:]
        yield public, canary
    finally:
        process.terminate()
        process.communicate()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rollback-demo", description=__doc__)
    parser.add_argument("fault", nargs="?", default="api-500", metavar="FAULT", help="what is broken (%(default)s)")
    folder = ROOT / "reports/rollback-demo"
    parser.add_argument(
        "--folder", type=Path, default=folder, help="where to work; emptied first (reports/rollback-demo)"
    )
    parser.add_argument(
        "--cluster",
        nargs=2,
        metavar=("URL", "CANARY"),
        help=f"an empty cluster that runs already, in which {' and '.join(BROKEN)} are broken",
    )
    options = parser.parse_args(arguments)
    options.folder = options.folder.resolve()
    try:
        fault = create(options.fault)
    except ValueError as error:
        parser.error(str(error))
    if fault.needs_tls:
        parser.error(f"{fault.name} needs TLS, which this cluster does without")
    return options


if __name__ == "__main__":
    sys.exit(main())
