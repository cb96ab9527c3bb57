from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.browser.task import PageTask
from postdeploy.domain.check import Check, DnsProbe, PageProbe, TcpProbe, TlsProbe, WebsocketProbe
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.observation import FailedRequest, PageObservation
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Access, Location, Target
from postdeploy.engine.engine import Engine, RunContext
from tests.web_server import WebServer

Make = Callable[..., Any]
Run = Callable[..., Engine]


class Browser:
    """Gives each task the same observation, and keeps the tasks."""

    def __init__(self, seen: PageObservation | Exception) -> None:
        self.seen = seen
        self.tasks: list[PageTask] = []

    def submit(self, task: PageTask) -> Future[PageObservation]:
        """A future that is done."""
        self.tasks.append(task)
        future: Future[PageObservation] = Future()
        if isinstance(self.seen, Exception):
            future.set_exception(self.seen)
        else:
            future.set_result(self.seen)
        return future


def page(**fields: Any) -> PageObservation:
    """A page that loaded."""
    values: dict[str, Any] = {"place": "web:/", "duration": 0.1, "status": 200, "title": "t", "url": "http://h/"}
    return PageObservation(**values | fields)


@pytest.fixture
def page_check(check: Make, step: Make) -> Check:
    """Give a check of a page whose title is ``t``."""
    probe = PageProbe(Location("web", "/p"), ("h1",))
    made: Check = check(replace(step(), probe=probe, expectations=(Expectation("title", Matcher.of("t")),)))
    return made


def outcome(engine: Engine) -> CheckResult:
    """What came of the check."""
    return engine.result("suite.yaml::it works").result(5)


def test_a_page_is_given_to_the_browser(page_check: Check, run: Run, server: WebServer) -> None:
    """The browser gets the address, what to look for, and who we are; its own User-Agent stays."""
    browser = Browser(page())
    result = outcome(run(page_check, pages=browser))
    task = browser.tasks[0]
    assert (result.outcome, task.url, task.selectors) == (Outcome.PASSED, f"{server.url}/p", ("h1",))
    assert set(task.headers) == {"X-Synthetic-Test", "traceparent"}
    assert task.settled(page())
    assert not task.settled(page(title="other"))


def test_a_page_of_a_read_only_target_may_not_write(page_check: Check, run: Run, target: Target) -> None:
    """A page may read from its target's hosts and change nothing; one that may be written to needs no routes."""
    guarded, free = Browser(page()), Browser(page())
    outcome(run(page_check, pages=guarded, on=replace(target, access=Access())))
    outcome(run(page_check, pages=free))
    allowed = guarded.tasks[0].allowed
    assert allowed is not None
    url = target.services["web"].url + "/x"
    assert allowed("GET", url) is None
    assert "read-only" in str(allowed("POST", url))
    assert 'third_party: ["cdn.example"]' in str(allowed("GET", "https://cdn.example/x"))
    assert (guarded.tasks[0].routed, free.tasks[0].routed) == (True, False)
    assert free.tasks[0].allowed is not None
    assert free.tasks[0].allowed("POST", url) is None


def test_without_a_browser_nobody_can_tell(page_check: Check, run: Run) -> None:
    """A missing browser is no failure of the target."""
    result = outcome(run(page_check))
    assert (result.outcome, result.reason) == (Outcome.ERRORED, "no browser")


def test_a_browser_that_breaks_is_an_error(page_check: Check, run: Run) -> None:
    """An exception that nobody expected is ours."""
    result = outcome(run(page_check, pages=Browser(RuntimeError("oops"))))
    assert (result.outcome, result.reason) == (Outcome.ERRORED, "RuntimeError: oops")


def test_a_failed_request_of_a_page_points_at_its_service(page_check: Check, run: Run, server: WebServer) -> None:
    """A page that fails because of an answer of 500 names the address that gave it."""
    failed = FailedRequest("GET", f"{server.url}/api", "HTTP 500", 500)
    result = outcome(run(page_check, pages=Browser(page(title="x", requests=(failed,)))))
    fault = result.attempts[0].fault
    assert fault is not None
    assert (fault.url, fault.code) == (f"{server.url}/api", "http_500")


def test_what_a_page_leaves_is_named_from_the_reports(page_check: Check, target: Target, tmp_path: Path) -> None:
    """Each attempt has a folder, only the last chance records a trace, and paths are below the reports."""
    browser = Browser(page(title="x", evidence=(str(tmp_path / "evidence/a.png"),)))
    engine = Engine(target, RunContext("run", reports=tmp_path), pages=browser)
    engine.begin()
    engine.submit([page_check])
    result = outcome(engine)
    engine.close()
    assert [task.trace for task in browser.tasks] == [False, True]
    assert len({task.evidence for task in browser.tasks}) == 2
    assert result.attempts[0].evidence == ("evidence/a.png",)


@pytest.mark.parametrize(
    ("probe", "timeout", "outcome_"),
    [
        (TcpProbe("web"), 2, Outcome.PASSED),
        (DnsProbe("web"), 2, Outcome.PASSED),
        (TlsProbe("web"), 0.2, Outcome.FAILED),
        (WebsocketProbe(Location("web", "/ws")), 2, Outcome.FAILED),
    ],
)
def test_other_probes_have_threads(
    check: Make, step: Make, run: Run, probe: Any, timeout: float, outcome_: Outcome
) -> None:
    """Probes that block are made beside the loop, and their answers judged like all others."""
    made = check(
        replace(step(timeout=timeout), probe=probe, expectations=(Expectation("within", Matcher.of({"lt": 2})),))
    )
    assert outcome(run(made)).outcome is outcome_
