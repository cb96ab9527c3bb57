from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.control import ControlResult
from postdeploy.domain.redaction import Secret
from postdeploy.domain.target import Control, Location, Login, Target
from postdeploy.engine.engine import Engine
from tests.web_server import Answer, Seen, WebServer, respond

Run = Callable[..., Engine]


@pytest.fixture
def with_login(target: Target) -> Target:
    """Give a target that says how accounts log in."""
    login = Login(Location("web", "/login"), {"user": "mine"}, {"user": "other"})
    secrets = {"mine": Secret("mine", "alice"), "other": Secret("other", "bob")}
    return replace(target, control=Control(login=login, timeout=2.0), secrets=secrets)


def statuses(alice: int, bob: int) -> Callable[[Seen], Answer]:
    """A login that answers each account in its way."""
    return lambda seen: respond({"alice": alice, "bob": bob}[json.loads(seen.body)["user"]])


@pytest.mark.parametrize(
    ("alice", "bob", "healthy", "asked"),
    [
        (200, 200, [True], 1),
        (204, 500, [True], 1),
        (401, 200, [False], 2),
        (403, 201, [False], 2),
        (401, 401, [], 2),
        (401, 500, [], 2),
        (500, 200, [], 1),
    ],
)
def test_whose_credentials_are_refused(
    run: Run, server: WebServer, with_login: Target, alice: int, bob: int, healthy: list[bool], asked: int
) -> None:
    """Credentials are at fault where those of another account are accepted; a login that is broken says nothing."""
    server.script("/login", statuses(alice, bob))
    told: list[ControlResult] = []
    engine = run(on=with_login, on_control=told.append)
    engine.settle()
    assert [result.healthy for result in told] == healthy
    assert server.paths().count("/login") == asked
    assert all("check=control" in seen.headers["x-synthetic-test"] for seen in server.seen if seen.path == "/login")


def test_a_target_that_is_down(run: Run, server: WebServer, with_login: Target) -> None:
    """Nobody logs in where nobody answers, and nobody waits for it."""
    server.down()
    told: list[Any] = []
    engine = run(on=with_login, on_control=told.append)
    engine.ready.result(5)
    engine.settle()
    assert (told, server.paths()) == ([], [])
