"""Limits are those that each receiver documents; the pages are named in the modules that build the payloads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError

from postdeploy.domain.receiver import MailReceiver
from postdeploy.notify import discord, pagerduty, slack, teams, webhook
from postdeploy.notify.mail import mail
from postdeploy.notify.message import Message, clipped
from tests.notify.conftest import HOSTILE, LINK, hostile_message
from tests.published_schema import assert_published

PAYLOADS: dict[str, Callable[[Message], dict[str, Any]]] = {
    "slack": slack.payload, "teams": teams.payload, "discord": discord.payload, "pagerduty": pagerduty.payload,
    "webhook": webhook.payload,
}  # fmt: skip
MAILBOX = MailReceiver("team", ("a@example.com", "b@example.com"), "gate@example.com", "localhost", 25)


def units(text: str) -> int:
    """Characters, as JavaScript and its like count them."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a payload with its key."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ((key, item),) if isinstance(item, str) else texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_everybody_hears_the_decision_and_the_first_cause(bad: Message, kind: str) -> None:
    """What is told names target, decision, release, reason, first cause and where to read on."""
    said = json.dumps(PAYLOADS[kind](bad), ensure_ascii=False).replace("\\\\", "")
    for word in ("staging: FAIL, roll back", "r2", "confirmed", LINK, "1 passed, 1 failed", "pass/promote"):
        assert word in said
    assert bad.cause
    assert bad.cause.split(":")[0] in said


@pytest.mark.parametrize("kind", PAYLOADS)
def test_no_proof_is_told_as_such(unproven: Message, kind: str) -> None:
    """Where nothing is proven, that is the news."""
    said = json.dumps(PAYLOADS[kind](unproven))
    assert "INCONCLUSIVE, hold" in said
    assert "proof" in said


def test_what_a_webhook_gets_follows_its_published_schema(good: Message, bad: Message, unproven: Message) -> None:
    """Of each kind of news, and of hostile news; another word for an action is refused."""
    for message in (good, bad, unproven, hostile_message(9)):
        assert_published("notification", webhook.payload(message))
    for wrong in ({"action": "go"}, {"causes": "3"}, {"target": None}):
        with pytest.raises(ValidationError):
            assert_published("notification", webhook.payload(good) | wrong)


def assert_slack_takes(said: dict[str, Any]) -> None:
    """Block Kit: at most 50 blocks, 150 of a header, 3,000 of a text, 10 fields of 2,000; 40,000 in all."""
    header, summary, facts, *rest = said["blocks"]
    assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
    assert 0 < units(header["text"]["text"]) <= 150
    assert 0 < units(summary["text"]["text"]) <= 3000
    assert 0 < len(facts["fields"]) <= 10
    assert all(field["type"] == "plain_text" and 0 < units(field["text"]) <= 2000 for field in facts["fields"])
    assert [block["text"] for block in rest] == [{"type": "mrkdwn", "text": f"<{LINK}|Open the run>"}]
    assert units(json.dumps(said)) <= 40_000
    assert not any(mark in said["text"] for mark in "<>")


def assert_teams_takes(said: dict[str, Any]) -> None:
    """A message of one adaptive card, 28 KB in all, whose foreign text stands in text runs."""
    assert len(json.dumps(said, ensure_ascii=False).encode()) <= 28 * 1024
    (attachment,) = said["attachments"]
    card = attachment["content"]
    assert (said["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert all(run["type"] == "TextRun" and run["text"] for run in runs)
    assert [action["url"] for action in card["actions"]] == [LINK]


def assert_discord_takes(said: dict[str, Any]) -> None:
    """An embed: 256 of a title, 4,096 of a description, 25 fields of 256 and 1,024, 6,000 in all, without mentions."""
    assert said["allowed_mentions"] == {"parse": []}
    (embed,) = said["embeds"]
    assert 0 < units(embed["title"]) <= 256
    assert 0 < units(embed["description"]) <= 4096
    assert len(embed["fields"]) <= 25
    assert all(0 < units(field["name"]) <= 256 and 0 < units(field["value"]) <= 1024 for field in embed["fields"])
    told = [embed["title"], embed["description"], *(part for field in embed["fields"] for part in field.values())]
    assert sum(map(units, told)) <= 6000
    for text in told:
        assert not text.rstrip("…").replace("\\\\", "").endswith("\\"), "an escape is cut in two"


def assert_pagerduty_takes(said: dict[str, Any]) -> None:
    """An event: 1,024 of a summary, 255 of a dedup key, 512 KB in all, one of four severities."""
    assert said["event_action"] in {"trigger", "resolve"}
    assert 0 < units(said["dedup_key"]) <= 255
    assert len(json.dumps(said).encode()) <= 64 * 1024, "of the 512 KB that it may have"
    if said["event_action"] == "trigger":
        assert 0 < units(said["payload"]["summary"]) <= 1024
        assert said["payload"]["severity"] in {"critical", "error", "warning", "info"}
        assert said["payload"]["source"]


TAKES: dict[str, Callable[[dict[str, Any]], None]] = {
    "slack": assert_slack_takes, "teams": assert_teams_takes, "discord": assert_discord_takes,
    "pagerduty": assert_pagerduty_takes, "webhook": lambda _said: None,
}  # fmt: skip


@pytest.mark.parametrize("times", [1, 20, 500])
@pytest.mark.parametrize("kind", PAYLOADS)
def test_limits(kind: str, times: int) -> None:
    """Whatever a target says and however long, the receiver takes the payload."""
    TAKES[kind](PAYLOADS[kind](hostile_message(times)))


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=3000))
def test_limits_of_any_text(text: str) -> None:
    """The same for texts of any script, emoji, and empty ones."""
    for kind, payload in PAYLOADS.items():
        TAKES[kind](payload(hostile_message(release=text, summary=text, cause=text, run=text)))


def test_nothing_is_a_mention_or_markup_in_slack() -> None:
    """Only our own link is mrkdwn; the fallback text is escaped."""
    said = slack.payload(hostile_message(target="<!channel> & <@U1>"))
    assert said["text"].endswith("&lt;!channel&gt; &amp; &lt;@U1&gt;: FAIL, roll back")
    assert [text for key, text in texts(said["blocks"]) if key == "text" and "mrkdwn" in text] == []


def test_nothing_is_a_mention_or_markup_in_discord() -> None:
    """Every character of Discord's markup is escaped."""
    description = discord.payload(hostile_message())["embeds"][0]["description"]
    bare = description.replace("\\\\", "")
    for mark in "`*_~|>#[]()<@:":
        assert bare.count(mark) == bare.count(f"\\{mark}"), mark


@pytest.mark.parametrize("odd", ["", "x"])
def test_no_escape_is_cut_in_two(odd: str) -> None:
    """Where a text of nothing but markup is cut, what is left ends with a whole escape."""
    text = odd + "`" * 3000
    assert_discord_takes(discord.payload(hostile_message(release=text, summary=text, cause=text)))


@pytest.mark.parametrize("link", ["javascript:x", "https://a.test/ b", "https://a.test/>|<!here", 'https://a"', "x"])
def test_a_link_that_is_none(link: str) -> None:
    """What is no plain URL becomes no link."""
    from postdeploy.notify.message import _link

    assert _link(link, None) is None
    assert _link(link, LINK) == LINK


def test_pagerduty_opens_and_closes_one_incident(good: Message, bad: Message, unproven: Message) -> None:
    """A failure and a hold trigger, with their severities; a pass resolves the same incident."""
    opened, held, closed = (pagerduty.payload(message) for message in (bad, unproven, good))
    assert [each["event_action"] for each in (opened, held, closed)] == ["trigger", "trigger", "resolve"]
    assert len({each["dedup_key"] for each in (opened, held, closed)}) == 1
    assert [each["payload"]["severity"] for each in (opened, held)] == ["critical", "warning"]
    assert len(pagerduty.payload(hostile_message(target="t" * 300))["dedup_key"]) <= 255


@pytest.mark.parametrize("times", [1, 500])
def test_mail(times: int) -> None:
    """A mail has one subject line, lines that servers take, and no header that came from a target."""
    made = mail(hostile_message(times, target="staging"), MAILBOX)
    assert made["Subject"] == "staging: FAIL, roll back"
    assert made["To"] == "a@example.com, b@example.com"
    assert set(made.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "References", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip
    assert all(len(line) <= 998 for line in made.as_bytes().splitlines())
    assert LINK in made.get_content()


def test_mails_about_one_target_are_a_thread(good: Message, bad: Message) -> None:
    """They refer to the same, and a mail that is sent twice has one id."""
    first, second = mail(good, MAILBOX), mail(bad, MAILBOX)
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert mail(bad, MAILBOX)["Message-ID"] == second["Message-ID"]


def test_clipped() -> None:
    """Nothing is longer than it may be, and no character is cut in two."""
    assert clipped("abc", 3) == "abc"
    assert clipped("abcd", 3) == "ab…"
    assert clipped("😀😀", 3) == "😀…"
    assert clipped("😀😀", 2) == "…"
    assert len(HOSTILE) > len(clipped(HOSTILE, 20))
