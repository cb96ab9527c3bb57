"""News of all kinds, and receivers that are really there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from postdeploy.demand import Demand
from postdeploy.domain.evidence import Evidence
from postdeploy.domain.receiver import HttpReceiver
from postdeploy.domain.secret import Secret
from postdeploy.notify.message import Message, message_of
from postdeploy.standing import Judge, Standing
from tests.sealed import FAILED, PASSED, demand, seal
from tests.web_server import WebServer

HOSTILE = (
    "@everyone <!channel> <@U012AB3CD> @here </at> **bold** `code` [click](https://evil.test) "
    "https://evil.test ||spoiler|| <script>x</script> \x1b[2J \u202e &amp; \\ \\` "
)
LINK = "https://ci.test/runs/7"


def standing(folder: Path, run: Evidence = PASSED, wanted: Demand | None = None) -> Standing:
    """What is known after a run."""
    wanted = wanted or demand()
    return Judge(seal(folder, run), wanted, lambda: wanted.now).standing({})


def hostile_message(times: int = 1, **changes: Any) -> Message:
    """News in which everything that a target may have a hand in is hostile, and as long as one likes."""
    text = HOSTILE * times
    facts: dict[str, Any] = {
        "target": "staging", "release": text, "verdict": "fail", "action": "rollback", "reason": "confirmed_failure",
        "summary": text, "cause": text, "causes": 3, "counts": "1 failed", "run": text, "link": LINK,
        "report": text, "before": "pass/promote", "at": "1970-01-12T13:46:51.000Z",
    }  # fmt: skip
    return Message(**facts | changes)


@pytest.fixture
def good(tmp_path: Path) -> Message:
    """A pass."""
    return message_of(standing(tmp_path / "good"), link=LINK)


@pytest.fixture
def bad(tmp_path: Path) -> Message:
    """A failure to roll back."""
    return message_of(standing(tmp_path / "bad", FAILED), before="pass/promote", link=LINK)


@pytest.fixture
def unproven(tmp_path: Path) -> Message:
    """Nothing is known."""
    return message_of(Judge(tmp_path / "nowhere.json", demand(), lambda: 2e6).standing({}))


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Whoever receives HTTP."""
    web = WebServer()
    yield web
    web.close()


def receiver(server: WebServer, kind: str = "webhook", path: str = "/hook", key: str | None = None) -> HttpReceiver:
    """Somebody at this server."""
    return HttpReceiver(kind, kind, Secret("url", server.url + path), Secret("key", key) if key else None)
