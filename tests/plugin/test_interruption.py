"""Runs that are ended from outside, or by their own tests, never look like a pass."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugin.conftest import Peer, Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"
SLOW = "- {name: slow, get: 'api:/slow/20', timeout: 25s, expect: {status: 200}}"

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)


def _verdict(project: Project) -> Any:
    import json

    return json.loads((project.reports / "verdict.json").read_text())


@SIGNALS
def test_a_signal_seals_the_verdict_as_interrupted(
    project: Project, peer: Peer, wait_for: Callable[..., None], number: signal.Signals
) -> None:
    """The run ends with status 2 and a sealed verdict."""
    project.suite(f"{GOOD}\n{SLOW}")
    process = project.start()
    wait_for(lambda: peer.asked("/slow/20"))
    process.send_signal(number)
    out, _ = process.communicate(timeout=15)
    verdict = _verdict(project)
    assert (process.returncode, verdict["state"], verdict["reason"]) == (2, "sealed", "interrupted"), out
    assert number.name in verdict["summary"]


@SIGNALS
def test_a_signal_is_sealed_before_the_workers_have_ended(
    both: Project, peer: Peer, wait_for: Callable[..., None], number: signal.Signals
) -> None:
    """A pipeline that kills us soon after a signal finds the verdict sealed, whatever the tests still do.

    That is 250 ms of this process's time: how long the disk or a busy machine takes is not ours to say.
    """
    both.conftest("""
        import time
        from postdeploy.plugin.recorder import Recorder

        tell = Recorder._signalled

        def told(self, name):
            begun = time.thread_time()
            tell(self, name)
            with open("sealing.txt", "w") as file:
                file.write(str(time.thread_time() - begun))

        Recorder._signalled = told
    """)
    both.tests("""
        import time

        def test_slow(api):
            api.get("/ok")
            time.sleep(30)
    """)
    process = both.start()
    wait_for(lambda: peer.asked("/ok"))
    process.send_signal(number)
    begun = time.monotonic()
    wait_for(lambda: _verdict(both)["state"] == "sealed")
    assert time.monotonic() - begun < 2
    process.communicate(timeout=30)
    assert process.returncode == 2
    assert _verdict(both)["reason"] == "interrupted"
    assert float((both.path / "sealing.txt").read_text()) < 0.25


def test_workers_clean_up_at_once(project: Project, peer: Peer, wait_for: Callable[..., None]) -> None:
    """They are told of a signal that their controller alone got; xdist, which tells them late, here never would."""
    project.workers = "2"
    project.conftest("""
        from execnet.gateway_base import WorkerGateway

        def terminated(self):
            self._execpool.trigger_shutdown()
            self._execpool.waitall(60)

        WorkerGateway._terminate_execution = terminated
    """)
    project.tests("""
        import pathlib, time

        @pytest.fixture
        def made():
            yield
            pathlib.Path("cleaned").touch()

        def test_slow(api, made):
            api.get("/ok")
            time.sleep(60)
    """)
    process = project.start()
    wait_for(lambda: peer.asked("/ok"))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, (project.path / "cleaned").exists()) == (2, True), out


def test_a_test_that_swallows_the_interruption_changes_nothing(
    project: Project, peer: Peer, wait_for: Callable[..., None]
) -> None:
    """Once a signal has come, the run is interrupted."""
    project.tests("""
        import time

        def test_stubborn(api):
            api.get("/ok")
            try:
                time.sleep(20)
            except BaseException:
                pass
    """)
    process = project.start()
    wait_for(lambda: peer.asked("/ok"))
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=15)
    assert process.returncode == 2
    assert _verdict(project)["reason"] == "interrupted"


def test_a_killed_run_has_only_started(project: Project, peer: Peer, wait_for: Callable[..., None]) -> None:
    """SIGKILL leaves the pessimistic verdict."""
    project.suite(f"{GOOD}\n{SLOW}")
    process = project.start()
    wait_for(lambda: peer.asked("/slow/20"))
    process.kill()
    process.communicate(timeout=15)
    assert (_verdict(project)["state"], _verdict(project)["verdict"]) == ("started", "inconclusive")


def test_a_test_that_ends_the_process_is_no_success(project: Project) -> None:
    """os._exit(0) in a test is sealed as an interruption, with its status; a child that was forked may leave so."""
    project.tests("""
        import os

        def test_child(api):
            assert api.get("/ok").status_code == 200
            if not (child := os.fork()):
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

        def test_exit(api):
            os._exit(0)
    """)
    run = project.run()
    run.require(2, "interrupted")
    assert run.outcomes()["test_child"] == "passed"
    assert "os._exit(0)" in run.err


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_lost_worker_is_never_a_pass(project: Project, how: str) -> None:
    """A worker that dies in a test takes the pass with it."""
    project.workers = "2"
    project.suite(GOOD)
    project.tests(f"""
        import os

        def test_good(api):
            assert api.get("/ok").status_code == 200

        def test_dies(api):
            {how}
    """)
    run = project.run()
    run.require(10, "worker_lost")
    assert run.outcomes()["test_dies"] == "errored"


@pytest.mark.parametrize("body", ["pytest.exit('enough')", "pytest.exit('enough', returncode=0)"])
def test_leaving_pytest_is_no_pass(project: Project, body: str) -> None:
    """pytest.exit interrupts, whatever status it asks for."""
    project.suite(GOOD)
    project.tests(f"def test_leaves(api):\n    {body}\n")
    project.run().require(2, "interrupted")


def test_a_deadline_ends_the_run(both: Project) -> None:
    """What is not done in time is listed as not run, and the verdict says so."""
    both.suite(f"{GOOD}\n{SLOW}")
    both.tests("""
        import time

        def test_a_slow(api):
            api.get("/ok")
            time.sleep(20)

        def test_b_late(api):
            api.get("/ok")
    """)
    begun = time.monotonic()
    run = both.run("--deadline=4s")
    run.require(10, "deadline_exceeded")
    assert time.monotonic() - begun < 15
    assert run.outcomes()["slow"] == "not_run"


def test_a_hanging_test_ends_by_its_timeout(both: Project) -> None:
    """A hang says nothing about the target, and the tests after it run."""
    both.tests("""
        import time

        @pytest.mark.timeout(0.5)
        def test_a_hangs(api):
            time.sleep(20)

        def test_b_good(api):
            assert api.get("/ok").status_code == 200
    """)
    run = both.run()
    run.require(10, "required_check_not_proven")
    assert run.outcomes() == {"test_a_hangs": "errored", "test_b_good": "passed"}


def test_an_internal_error_is_status_3(both: Project) -> None:
    """A hook of somebody else that raises is an internal error."""
    both.suite(GOOD)
    both.conftest("""
        def pytest_runtest_logreport(report):
            raise RuntimeError("a bad plugin")
    """)
    both.run().require(3, "internal_error")


@pytest.mark.parametrize("hook", ["pytest_sessionfinish", "pytest_unconfigure"])
def test_a_plugin_that_breaks_at_the_end_is_an_internal_error(project: Project, hook: str) -> None:
    """The verdict is sealed after everything else, and not as a pass if that went wrong."""
    project.suite(GOOD)
    project.conftest(f"""
        def {hook}():
            raise RuntimeError("a bad plugin")
    """)
    run = project.run()
    assert run.status not in {0, 10, 20}
    assert (run.verdict["state"], run.reason) == ("sealed", "internal_error")


@pytest.mark.parametrize("hook", ["(trylast=True)", "(wrapper=True, tryfirst=True)"], ids=["last", "wrap"])
def test_a_plugin_cannot_turn_a_failure_into_success(both: Project, hook: str) -> None:
    """session.exitstatus = 0 changes nothing."""
    both.suite("- {name: bad, get: 'api:/bad', expect: {status: 200}}")
    both.conftest(f"""
        @pytest.hookimpl{hook}
        def pytest_sessionfinish(session):
            {"yield" if "wrapper" in hook else ""}
            session.exitstatus = 0
    """)
    both.run().require(20, "confirmed_failure")


def test_an_engine_that_breaks_is_an_internal_error(both: Project) -> None:
    """A fault of ours is neither a hang nor a pass."""
    both.suite(GOOD)
    both.conftest("""
        from postdeploy.engine.engine import Engine

        def broken(self, *args, **kwargs):
            raise RuntimeError("a fault of ours")

        Engine._begin = broken
    """)
    run = both.run()
    run.require(3, "internal_error")
    assert "a fault of ours" in run.verdict["summary"]
