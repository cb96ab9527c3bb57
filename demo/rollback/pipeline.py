"""The scripts of deploy/, run as a pipeline runs them; what they do is told line by line."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.rollback.workspace import environment

__all__ = ["Event", "Pipeline"]

_ACT = re.compile(r"deploy\.sh: \S+ (?P<release>\S+): (?P<act>\w+)(?: to (?P<previous>\S+))?")
_SAID = re.compile(r"release\.sh: (?P<what>verify|gate)(?P<about>.*): (?P<status>\d+)$")
_HELD = re.compile(r"release\.sh: hold: (?P<why>.*)")
_BACK = "after the rollback"


@dataclass(frozen=True)
class Event:
    """Something that the pipeline did or learnt; ``at`` is of the monotonic clock."""

    at: float
    act: str
    about: str
    status: int | None = None
    share: str = ""


class Pipeline:
    """Runs a script to its end, and keeps all that it prints in a log of its own."""

    def __init__(self, folder: Path, cluster: str, tell: Callable[[Event], None]) -> None:
        self._folder = folder
        self._environment = environment(folder, cluster)
        self._tell = tell
        self._events: list[Event] = []
        self._share = ""

    def run(self, name: str, *command: str, **variables: str) -> int:
        """Run a command whose reports go to the folder ``name``; returns its exit status."""
        self._share = variables.get("SHARE", "100")
        reports = {"REPORTS": f"reports/{name}"}
        with (
            (self._folder / f"{name}.log").open("w", encoding="utf-8") as log,
            subprocess.Popen(  # noqa: S603 - our own scripts
                command,
                cwd=self._folder,
                env=self._environment | reports | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            try:
                for line in process.stdout or ():
                    log.write(line)
                    self._heard(line.rstrip(), name)
            except BaseException:  # whoever ends the demo ends what it has started, too
                os.killpg(process.pid, signal.SIGTERM)
                raise
        return process.returncode

    def exposure(self, release: str, previous: str) -> float:
        """Seconds from the first shift of traffic to a release until the last rollback to the previous one."""
        shifted = [event.at for event in self._events if (event.act, event.about) == ("shift", release)]
        returned = [event.at for event in self._events if (event.act, event.about) == ("rollback", previous)]
        return returned[-1] - shifted[0] if shifted and returned else 0.0

    def verdict(self, name: str) -> dict[str, Any]:
        """The verdict that a command has left."""
        document: dict[str, Any] = json.loads((self._folder / "reports" / name / "verdict.json").read_text("utf-8"))
        return document

    def _heard(self, line: str, name: str) -> None:
        if found := _ACT.match(line):
            if found["act"] not in {"previous", "hold"}:
                self._note(found["act"], found["previous"] or found["release"])
        elif found := _SAID.match(line):
            about = ""
            if found["what"] == "verify":
                about = self.sentence(f"{name}/rollback" if found["about"].endswith(_BACK) else name)
            self._note(found["what"], about, int(found["status"]))
        elif found := _HELD.match(line):
            self._note("hold", found["why"])

    def sentence(self, name: str) -> str:
        """The verdict in words."""
        verdict = self.verdict(name)
        expected = verdict["release"]["expected"]
        return f"{expected}: {verdict['verdict']} → {verdict['action']} ({verdict['reason']}: {verdict['summary']})"

    def _note(self, act: str, about: str, status: int | None = None) -> None:
        event = Event(time.monotonic(), act, about, status, self._share if act == "shift" else "")
        self._events.append(event)
        self._tell(event)
