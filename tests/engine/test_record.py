from __future__ import annotations

from postdeploy.domain.check import PageProbe, Step
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.observation import ConsoleMessage, FailedRequest, PageObservation
from postdeploy.domain.result import Outcome
from postdeploy.domain.target import Location
from postdeploy.engine.record import Record

BEACON = FailedRequest("POST", "http://web/beacon", "target 'shop' is read-only", refused=True)
BLOCKED = ConsoleMessage("Failed to load resource: net::ERR_BLOCKED_BY_CLIENT", "http://web/beacon")
EMPTY = Matcher("length", Matcher("eq", 0))


def look(title: str) -> PageObservation:
    """A page whose beacon we did not let go."""
    return PageObservation(
        place="web:/", duration=0.1, status=200, title=title, url="http://web/", console=(BLOCKED,), requests=(BEACON,)
    )


def judged(page: PageObservation) -> Record:
    """What comes of a page that must have a title, a clean console and no failed requests."""
    expectations = (
        Expectation("title", Matcher("eq", "Shop")),
        Expectation("console", EMPTY),
        Expectation("requests", EMPTY),
    )
    record = Record()
    record.judge(page, Step(PageProbe(Location("web", "/")), expectations), 1, "http://web/")
    return record


def test_a_refused_beacon_is_no_fault_of_the_page() -> None:
    """A page that is as expected but for a request that we stopped passes."""
    assert judged(look("Shop")).outcome is Outcome.PASSED


def test_a_page_that_we_disturbed_cannot_be_judged() -> None:
    """A page that is not as expected, and from which we stopped a request, is an error of ours, never a failure."""
    record = judged(look("Oops"))

    assert record.outcome is Outcome.ERRORED
    assert "POST http://web/beacon" in str(record.error)
    assert not record.findings
