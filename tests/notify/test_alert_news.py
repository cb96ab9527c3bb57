from __future__ import annotations

import json

import pytest

from postdeploy.domain.alert import Alert, AlertKind, Event, EventKind
from postdeploy.lazy_dataclass import replace
from postdeploy.notify import pagerduty, webhook
from postdeploy.notify.mail import mail
from postdeploy.notify.message import message_of_alert
from tests.domain.alert_runs import START, run
from tests.notify.conftest import HOSTILE, LINK
from tests.notify.test_payloads import MAILBOX, PAYLOADS
from tests.published_schema import assert_published

OUTAGE = Alert(AlertKind.OUTAGE, "run-2", START, START + 60, START + 60, 2, {"a": "login"}, "a answers 503", link=LINK)
BLIND = replace(OUTAGE, kind=AlertKind.BLIND, checks={}, cause="it was interrupted")


def event(kind: str = "opened", alert: Alert = OUTAGE, letter: str = "a", after: float = 7500) -> Event:
    """Some news, so many seconds after it began."""
    return Event(EventKind(kind), START + after, run(letter, 9), alert)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_everybody_hears_what_matters(kind: str) -> None:
    """What is told names target, checks, first cause, since when, how many runs, and where to read on."""
    said = json.dumps(PAYLOADS[kind](message_of_alert("production", event())), ensure_ascii=False).replace("\\\\", "")
    for word in ("production: OUTAGE", "login", "a answers 503", "2027-01-15T08:00:00.000Z", LINK):
        assert word in said
    assert ("2 failed" in said and "2 h 5 min" in said) or kind == "webhook"


@pytest.mark.parametrize(
    ("news", "title", "action"),
    [
        (event(), "OUTAGE", "trigger"),
        (event(alert=replace(OUTAGE, turns=1)), "OUTAGE, FLAPPING", "trigger"),
        (event("spread"), "OUTAGE SPREADS", "trigger"),
        (event("reminder"), "STILL DOWN", "trigger"),
        (event("recovered", letter="."), "RECOVERED", "resolve"),
        (event(alert=BLIND, letter="?"), "the monitor cannot tell", "trigger"),
        (event("reminder", BLIND, "?"), "the monitor still cannot tell", "trigger"),
        (event("recovered", BLIND, "."), "the monitor can tell again", "resolve"),
    ],
)
def test_titles(news: Event, title: str, action: str) -> None:
    """Each kind of news has its words; PagerDuty has an incident for each kind of alert beside that of verdicts."""
    message = message_of_alert("production", news)
    assert message.title == f"production: {title}"
    paged = pagerduty.payload(message)
    assert (paged["event_action"], paged["dedup_key"]) == (action, f"postdeploy/production/{news.alert.kind}")


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "(5 s)"), (300, "(5 min)"), (3660, "(1 h 1 min)"), (180_000, "(2 d 2 h)")]
)
def test_how_long(seconds: int, words: str) -> None:
    """How long it has lasted is told in words."""
    assert words in dict(message_of_alert("production", event(after=seconds)).facts)["Since"]


def test_the_same_news_are_the_same_mail() -> None:
    """A mail that is sent twice is one, also to who sends it again later."""
    ids = {mail(message_of_alert("production", event()), MAILBOX)["Message-ID"] for _ in range(2)}
    ids.add(mail(message_of_alert("production", event("reminder")), MAILBOX)["Message-ID"])
    assert len(ids) == 2


def test_a_webhook_has_it_by_name() -> None:
    """A webhook gets the alert as an object."""
    content = webhook.payload(message_of_alert("production", event()))
    assert_published("notification", json.loads(json.dumps(content)))
    assert content["alert"] == {
        "kind": "outage", "event": "opened", "id": "run-2", "since": "2027-01-15T08:00:00.000Z", "seconds": 7500,
        "runs": 2, "checks": ("login",), "flapping": False,
    }  # fmt: skip


@pytest.mark.parametrize("kind", PAYLOADS)
def test_hostile_texts(kind: str) -> None:
    """What a target or a suite says in hostile ways is bounded."""
    checks = {str(number): HOSTILE * 20 for number in range(500)}
    alert = replace(OUTAGE, checks=checks, cause=HOSTILE * 99)
    said = PAYLOADS[kind](message_of_alert("production", Event(EventKind.OPENED, START, run("a", 9), alert, checks)))
    assert len(json.dumps(said)) < 64_000
