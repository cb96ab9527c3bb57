"""What happens: two ways to shift traffic, in each of them a release that works and one that is broken."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from demo.rollback.client import Tally
from demo.rollback.narration import Narration
from demo.rollback.pipeline import Pipeline
from demo.rollback.workspace import CANARY, TARGET

__all__ = ["BROKEN", "Otherwise", "Story"]

FIRST, WORKS, CANARY_WORKS = "v1.0.0", "v1.1.0", "v1.4.0"
BROKEN = BAD, CANARY_BAD = "v1.2.0", "v1.3.0"
SHARE = 25
_ROLLBACK, _HOLD = 20, 10


class Otherwise(Exception):  # noqa: N818 - what the story took a turn to
    """It did not become what it should, so that the rest of the story makes no sense."""


class Story:
    """Each chapter runs the pipeline, then asks cluster, verdict and gate whether it became what it should."""

    def __init__(self, pipeline: Pipeline, cluster: str, tally: Tally, narration: Narration, fault: str) -> None:
        self._pipeline = pipeline
        self._cluster = cluster
        self._tally = tally
        self._narration = narration
        self._fault = fault

    def begin(self) -> None:
        """The first release, which has nothing to go back to, is put there by hand."""
        self._narration.scene(f"Release {FIRST}, the first one, by hand")
        for act in ("deploy", "shift", "promote"):
            self._done(self._deploy("first", FIRST, act), act)
        self._serves(FIRST)

    def blue_green(self) -> None:
        """All traffic moves at once."""
        self._narration.title("Blue/green: all traffic moves to the new release at once")
        self._promoted("blue-green-good", WORKS)
        self._rolled_back("blue-green-bad", BAD, WORKS)

    def canary(self) -> None:
        """A share of the traffic moves; what is verified is the canary's own address."""
        self._narration.title(f"Canary: {SHARE} % of the traffic moves; the new release has an address of its own, too")
        self._narration.scene(
            f"Release {CANARY_BAD}: while both releases answer, it cannot be verified where they are mixed"
        )
        for act in ("deploy", "shift"):
            self._done(self._deploy("mixed", CANARY_BAD, act, share=SHARE), act)
        self._mixed("canary-mixed", CANARY_BAD)
        self._rolled_back("canary-bad", CANARY_BAD, WORKS, canary=True)
        self._promoted("canary-good", CANARY_WORKS, canary=True)
        self._narration.scene(f"Release {CANARY_WORKS} has all traffic now: verified once more, where everyone comes")
        status = self._pipeline.run("promoted", "deploy/verify.sh", TARGET, CANARY_WORKS)
        self._is(status == 0, self._pipeline.sentence("promoted"))

    def serving(self) -> dict[str, int]:
        """What each running release has of the traffic, as the cluster itself says."""
        slots = self._state()["slots"].values()
        return {slot["release"]: slot["percent"] for slot in slots if slot["release"]}

    def _deploy(self, name: str, release: str, act: str, share: int = 100) -> int:
        return self._pipeline.run(name, "deploy/deploy.sh", TARGET, release, act, SHARE=str(share))

    def _release(self, name: str, release: str, canary: bool) -> int:
        more = {"VERIFY_TARGET": CANARY, "SHARE": str(SHARE)} if canary else {}
        return self._pipeline.run(name, "deploy/release.sh", TARGET, release, **more)

    def _promoted(self, name: str, release: str, *, canary: bool = False) -> None:
        self._narration.scene(f"Release {release}, which works")
        status = self._release(name, release, canary)
        self._is(status == 0, f"the pipeline ended with {status}: promoted")
        self._serves(release)

    def _rolled_back(self, name: str, release: str, previous: str, *, canary: bool = False) -> None:
        self._narration.scene(f"Release {release}, which is broken: {self._fault}")
        status = self._release(name, release, canary)
        if status == _HOLD:
            held = "it was told to hold, so traffic stays where it is until somebody decides; docs/reference/faults.md"
            self._narration.line(f"{'':13}{held} says which faults are rolled back")
        self._is(status == _ROLLBACK, f"the pipeline ended with {status}: rolled back, and the rollback verified")
        gate = self._gate(name, release, CANARY if canary else TARGET)
        self._is(gate == _ROLLBACK, f"the gate, which a rollback does not wait for, says {gate} about {release}")
        self._serves(previous)
        seconds, errors = self._pipeline.exposure(release, previous), self._tally.errors[release]
        self._narration.line(
            f"{'':13}{release} had traffic for {seconds:.1f} s: {errors} requests got an error from it"
        )

    def _mixed(self, name: str, release: str) -> None:
        status = self._pipeline.run(name, "deploy/verify.sh", TARGET, release)
        verdict = self._pipeline.verdict(name)
        seen = set(verdict["release"]["counts"]["web"])
        both = status == _HOLD and {release, WORKS} <= seen
        self._is(
            both, f"verify ended with {status}, as {' and '.join(sorted(seen))} answer: {self._pipeline.sentence(name)}"
        )

    def _gate(self, name: str, release: str, target: str) -> int:
        verdict = f"reports/{name}/verdict.json"
        about = ("--target", target, "--release", release, "--verdict", verdict)
        return self._pipeline.run(f"{name}-gate", "postdeploy", "gate", *about)

    def _serves(self, release: str) -> None:
        state = self._state()
        alone = self.serving().get(release) == 100  # noqa: PLR2004 - per cent
        self._is(alone and state["stable"] == release, f"{release} serves all traffic, says the cluster")

    def _state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._cluster}/_cluster/", timeout=5) as response:  # noqa: S310 - our own address
            state: dict[str, Any] = json.load(response)
        return state

    def _done(self, status: int, act: str) -> None:
        if status:
            self._is(False, f"{act} ended with {status}")

    def _is(self, holds: bool, text: str) -> None:
        self._narration.check(holds=holds, text=text)
        if not holds:
            raise Otherwise(text)
