"""Whatever happens to a run, in whatever order: nothing unproven is promoted, and nothing unconfirmed is rolled back.

The machine uses the real journal, fold, decision, document and gate, and knows the truth because it made it up. Its
oracle shares no code with them. A larger profile: ``MACHINE_EXAMPLES=2000 pytest tests/test_machine.py``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from postdeploy import __version__
from postdeploy.documents import render_document, write_document
from postdeploy.domain.decision import decide
from postdeploy.domain.document import started_document, verdict_document
from postdeploy.domain.evidence import ServiceState, fold, service_record
from postdeploy.domain.policy import Policy
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.domain.verdict import Reason
from postdeploy.gate import Demand, judge
from postdeploy.journal import EVIDENCE_FILE, VERDICT_FILE, Journal
from tests.domain.builders import BEGIN, plan

CHECKS = {"a": plan("a"), "b": plan("b", "major"), "c": plan("c", "minor")}
REQUIRED = ("a", "b")
RELEASE = "r2"
EXCUSES = ("deadline_exceeded", "worker_lost", "interrupted", "internal_error", "runner_fault", "safety_violation")


@dataclass
class Truth:
    """What really happened."""

    results: dict[str, list[CheckResult]] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    narrowed: bool = False
    planned: bool = False
    live: bool = False
    last: str | None = None
    exit: int | None = None
    foreign: bool = False
    down: bool = False

    def proven(self) -> bool:
        """Whether there is all that a pass needs."""
        return (
            self.planned and self.live and self.exit == 0 and self.last == RELEASE
            and not (self.incidents or self.narrowed or self.foreign or self.down)
            and all(len(self.results.get(name, [])) == 1 and self.passed(name) for name in REQUIRED)
        )  # fmt: skip

    def passed(self, name: str) -> bool:
        """Whether a check passed by an exchange with the target."""
        result = self.results[name][0]
        last = result.attempts[-1] if result.attempts else None
        return bool(result.outcome is Outcome.PASSED and last and last.outcome is Outcome.PASSED and last.exchanges)

    def broken(self) -> bool:
        """Whether a critical check failed twice, a second apart, and never passed; or its service was down twice."""
        results = self.results.get("a", [])
        return self.down or (len(results) == 1 and self._failed_for_good(results[0]))

    def _failed_for_good(self, result: CheckResult) -> bool:
        started = [attempt.started for attempt in result.attempts]
        failed = [attempt for attempt in result.attempts if attempt.outcome is Outcome.FAILED]
        return len(failed) == len(started) >= 2 and max(started) - min(started) >= 0.95


def attempts() -> st.SearchStrategy[list[Attempt]]:
    """One to three attempts, some spaced and some not, some without any exchange."""
    one = st.builds(
        Attempt,
        outcome=st.sampled_from([Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED]),
        started=st.sampled_from([BEGIN + 1, BEGIN + 1.5, BEGIN + 3]),
        duration=st.just(0.1),
        exchanges=st.sampled_from([0, 1, 1]),
        releases=st.sampled_from([(), (RELEASE,), (RELEASE,), ("r1",)]),
    )
    return st.lists(one, max_size=3)


class Run(RuleBasedStateMachine):
    """One pipeline: at most one run at a time writes its journal into the folder; the gate may be asked at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / VERDICT_FILE
        self.number = 0
        self.journal: Journal | None = None
        self.records: list[dict[str, Any]] = []
        self.truth = Truth()

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.crash()
        shutil.rmtree(self.folder)

    def tell(self, record: Mapping[str, Any]) -> None:
        """Append to the journal."""
        assert self.journal is not None
        self.journal.append(record)
        self.records.append(dict(record))

    @property
    def running(self) -> bool:
        """Whether a run writes its journal."""
        return self.journal is not None

    @precondition(lambda self: not self.running)
    @rule()
    def start(self) -> None:
        """A run begins over whatever an older one has left."""
        self.number += 1
        self.journal, self.records, self.truth = Journal(self.folder / EVIDENCE_FILE), [], Truth()
        run = {"id": f"run-{self.number}", "started": BEGIN, "tool": {"version": __version__}}
        begun = {"record": "started", "run": run, "target": {"name": "staging"}, "expected": RELEASE}
        started = begun | {"policy": Policy().to_json()}
        self.tell(started)
        write_document(self.path, started_document(started))

    @precondition(lambda self: self.running and not self.truth.planned)
    @rule(narrowed=st.sampled_from([(), (), (), ("-k",)]))
    def collect(self, narrowed: tuple[str, ...]) -> None:
        """Checks are collected, perhaps not all of them selected."""
        self.truth.planned, self.truth.narrowed = True, bool(narrowed)
        checks = [check.to_json() for check in CHECKS.values()]
        self.tell({"record": "plan", "checks": checks, "narrowed_by": list(narrowed)})

    @precondition(lambda self: self.running)
    @rule(live=st.sampled_from([True, True, True, False]))
    def go_live(self, live: bool) -> None:
        """The wait for the release ends."""
        self.truth.live = live
        first = {"web": RELEASE} if live else {}
        self.tell({"record": "release", "release": {"live": live, "first": first, "waited": 1.0}})

    @precondition(lambda self: self.running)
    @rule(
        name=st.sampled_from([*CHECKS, "unplanned"]), made=attempts(), outcome=st.sampled_from([*Outcome, None, None])
    )
    def report(self, name: str, made: list[Attempt], outcome: Outcome | None) -> None:
        """A check reports: mostly as its last attempt ended, sometimes as a lie."""
        natural = made[-1].outcome if made else Outcome.SKIPPED
        self.keep(CheckResult(name, outcome or natural, tuple(made), reason="somehow"))

    @precondition(lambda self: self.running and not self.truth.results)
    @rule()
    def all_pass(self) -> None:
        """Every check passes, as it should."""
        for name in CHECKS:
            passing = Attempt(Outcome.PASSED, BEGIN + 1, 0.1, exchanges=1, releases=(RELEASE,))
            self.keep(CheckResult(name, Outcome.PASSED, (passing,)))

    def keep(self, result: CheckResult) -> None:
        """Remember a result and tell it; the same one twice is one."""
        known = self.truth.results.setdefault(result.check_id, [])
        if result not in known:
            known.append(result)
        self.truth.foreign |= result.check_id not in CHECKS
        self.truth.foreign |= any("r1" in attempt.releases for attempt in result.attempts)
        self.tell({"record": "result", "result": result.to_json()})

    @precondition(lambda self: self.running)
    @rule(twice=st.booleans(), ours=st.booleans())
    def go_down(self, twice: bool, ours: bool) -> None:
        """A service that is needed is down, through its own fault or ours, and blocks the critical check."""
        self.truth.down |= twice and not ours
        self.truth.incidents += [] if twice and not ours else ["down"]
        state = ServiceState("web", False, "connection_refused", "it is down", not ours, 2 if twice else 1)
        self.tell(service_record(state))
        self.tell({"record": "result", "result": CheckResult("a", Outcome.BLOCKED, blocked_by="web").to_json()})
        self.truth.results.setdefault("a", []).append(CheckResult("a", Outcome.BLOCKED, blocked_by="web"))

    @precondition(lambda self: self.running)
    @rule(reason=st.sampled_from(EXCUSES))
    def suffer(self, reason: str) -> None:
        """Something happens to the run."""
        self.truth.incidents.append(reason)
        self.tell({"record": "incident", "reason": reason, "message": "it happened"})

    @precondition(lambda self: self.running)
    @rule(last=st.sampled_from([RELEASE, RELEASE, "r1", "?"]))
    def look_again(self, last: str) -> None:
        """The release is observed after the last check."""
        self.truth.last = last
        self.tell({"record": "release", "release": {"last": {"web": last}}})

    @rule()
    def crash(self) -> None:
        """The process is gone."""
        if self.journal is not None:
            self.journal.__exit__()
        self.journal = None

    @precondition(lambda self: self.running)
    @rule(status=st.sampled_from([0, 0, 0, 1, 2, 3, 5]), whole=st.sampled_from([True, True, True, False]))
    def seal(self, status: int, whole: bool) -> None:
        """The run ends; the process may die between the journal and the verdict."""
        self.truth.exit = status
        self.tell({"record": "finished", "at": BEGIN + 10, "pytest_exit": status})
        assert self.journal is not None
        proof, self.journal = self.journal.close(), None
        if whole:
            evidence = fold(self.records)
            document = verdict_document(evidence, decide(evidence), proof=proof, exporters={})
            self.path.write_bytes(render_document(document))
            assert document["reason"] in set(Reason)

    @invariant()
    def gate_is_right(self) -> None:
        """The gate promotes what is proven and rolls back what is confirmed, of this run, and nothing else."""
        demand = Demand("staging", RELEASE, f"run-{self.number}", 900.0, BEGIN + 11)
        ruling = judge(self.path, demand)
        if ruling.status == 0:
            assert self.truth.proven(), ruling
        if ruling.status == 20:
            assert self.truth.broken(), ruling
        if self.running or not self.number:
            assert ruling.status == 30, ruling
        assert ruling.status in {0, 10, 20, 30}


Run.TestCase.settings = settings(
    max_examples=int(os.environ.get("MACHINE_EXAMPLES", "60")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestRun = Run.TestCase


def test_the_machine_can_pass_and_fail() -> None:
    """The good way through is really a pass, and the bad one a rollback: the machine does not prove too much."""
    passing, failing = Run(), Run()
    twice = [Attempt(Outcome.FAILED, BEGIN + second, 0.1, exchanges=1) for second in (1, 3)]
    for machine in (passing, failing):
        machine.start()
        machine.collect(())
        machine.go_live(live=True)
    passing.all_pass()
    failing.report("a", twice, None)
    for machine, status in ((passing, 0), (failing, 1)):
        machine.look_again(RELEASE)
        machine.seal(status, whole=True)
        machine.gate_is_right()
    demand = Demand("staging", RELEASE, "run-1", 900.0, BEGIN + 11)
    assert [judge(machine.path, demand).status for machine in (passing, failing)] == [0, 20]
    for machine in (passing, failing):
        machine.teardown()
