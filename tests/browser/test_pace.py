"""Requests of pages that no proxy sees keep to the budget of the run, whoever drives the browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error

from postdeploy.browser.pages import PagePool, PageTask
from postdeploy.browser.session import BrowserSession
from postdeploy.browser.toll import Rules
from postdeploy.domain.target import Budget
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.budget import Meter
from postdeploy.guard.courtesy import Courtesy
from postdeploy.guard.pace import Pace
from tests.browser.conftest import find

Look = Callable[..., Any]
"""Path and pace to the title of the page."""


def counted(budget: Budget) -> tuple[Pace, Meter, Courtesy]:
    """A pace that counts everything."""
    meter = Meter(budget)
    courtesy = Courtesy(time.monotonic, book=meter.book)
    return Pace(lambda: meter, lambda: courtesy), meter, courtesy


def permit(_method: str, _url: str) -> None:
    """Everything may leave."""


@pytest.fixture(params=["devtools", "playwright", "test"])
def look(request: pytest.FixtureRequest, site: str, session: BrowserSession) -> Look:
    """Look at a page by each of the three ways."""

    def declared(path: str, pace: Pace, *, title: str, routed: bool = True) -> str:
        pool = PagePool(find, direct=request.param == "devtools")
        try:
            task = PageTask(
                site + path, "web:/", 2, allowed=permit, routed=routed, sealed=False, pace=pace,
                settled=lambda seen: seen.title == title,
            )  # fmt: skip
            return pool.submit(task).result(20).title
        finally:
            pool.close()

    def tested(path: str, pace: Pace, *, title: str, routed: bool = True) -> str:
        context = session.open_context(site, rules=Rules(permit, routed, sealed=False, pace=pace))
        try:
            page = context.new_page()
            page.goto(path)
            page.wait_for_function("title => document.title === title", arg=title)
            page.wait_for_load_state("networkidle")
            return page.title()
        except Error as error:
            raise GuardRefusalError(str(error)) from error
        finally:
            context.close()

    return tested if request.param == "test" else declared


def test_a_page_keeps_to_the_rate(look: Look) -> None:
    """No more requests in a second and at once than the budget says; and the wait is not held against the page."""
    pace, meter, _ = counted(Budget(per_second=2, in_flight=1))
    assert look("/many", pace, title="many") == "many"
    facts = meter.facts()
    assert (facts["requests"], facts["peak_per_second"], facts["peak_in_flight"]) == (7, 2, 1)
    assert 700 < (facts["bytes"] or 0) < 5000
    assert pace.held() > 2
    assert meter.book.flying == 0


def test_a_page_without_a_budget_is_counted(look: Look) -> None:
    """Nothing is held up where nothing is bounded, and yet the verdict can say what was used."""
    pace, meter, _ = counted(Budget())
    assert look("/many", pace, title="many", routed=False) == "many"
    assert (meter.facts()["requests"], pace.held(), meter.book.flying) == (7, 0.0, 0)


def test_a_page_whose_budget_is_spent(look: Look) -> None:
    """What is beyond the budget is not sent."""
    pace, meter, _ = counted(Budget(requests=1))
    meter.take(0.0)
    with pytest.raises(GuardRefusalError, match=r"budget of 1 requests was spent|ERR_BLOCKED_BY_CLIENT"):
        look("/ok", pace, title="TalkStudio")
    assert meter.facts()["requests"] == 1


def test_a_page_hears_the_plea_of_its_server(look: Look) -> None:
    """429 pauses the whole run, also where a page was the one to be told."""
    pace, _, courtesy = counted(Budget())
    assert look("/busy-server", pace, title="b") == "b"
    assert 5 < courtesy.pause() < 9
