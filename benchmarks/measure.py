"""Running whole processes in turns, and what each of them cost."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

__all__ = ["Command", "CommandFailedError", "Sample", "interleave", "measure"]

_LAST: Final = 2000


class CommandFailedError(Exception):
    """A command that was to be measured did not do its work."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure; ``rounds`` limits how often, for what takes a minute."""

    name: str
    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds of wall time and of CPU, peak memory in MiB (of the largest process), and what was printed.

    Linux counts the memory of the process that starts another as that one's, too: this one has to stay small.
    """

    wall: float
    cpu: float
    memory: float
    output: str
    errors: str


def measure(command: Command) -> Sample:
    """Run a command once. Raises CommandFailedError."""
    output, errors = command.folder / ".output", command.folder / ".errors"
    with output.open("wb") as out, errors.open("wb") as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command.arguments, cwd=command.folder, env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    said, complained = output.read_text("utf-8", "replace"), errors.read_text("utf-8", "replace")
    if process.returncode != 0:
        raise CommandFailedError(
            f"{command.name}: exit status {process.returncode}\n{' '.join(command.arguments)}\n"
            f"{said[-_LAST:]}{complained[-_LAST:]}"
        )
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said, complained)


def interleave(commands: Iterable[Command], rounds: int) -> dict[str, list[Sample]]:
    """The samples of every command, taken A B C A B C …, after one warm-up of those that run more than once."""
    listed = list(commands)
    samples: dict[str, list[Sample]] = {command.name: [] for command in listed}
    for command in listed:
        if command.rounds is None:
            measure(command)
    for number in range(rounds):
        for command in listed:
            if command.rounds is None or number < command.rounds:
                samples[command.name].append(measure(command))
    return samples
