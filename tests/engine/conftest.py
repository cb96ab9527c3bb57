"""A run against real servers, with everything that takes time made short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.check import Check, HttpProbe, Kind, Step
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.policy import Confirmation, Policy
from postdeploy.domain.selection import MISSING
from postdeploy.domain.target import Access, AccessMode, Location, ReleaseSource, ReleaseWait, Service, Target
from postdeploy.engine.engine import Engine, RunContext
from tests.web_server import WebServer

Run = Callable[..., Engine]


class Key:
    """A selector of one key of a JSON object."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def text(self) -> str:
        """As people would write it."""
        return f"$.{self.name}"

    def select(self, document: object) -> object:
        """The value of the key."""
        return document.get(self.name, MISSING) if isinstance(document, dict) else MISSING


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Give a server that answers ``{}`` to everything until it is told otherwise."""
    with ExitStack() as stack:
        started = WebServer()
        stack.callback(started.close)
        yield started


@pytest.fixture
def key() -> type[Key]:
    """Give the class of a selector."""
    return Key


@pytest.fixture
def step() -> Callable[..., Step]:
    """Make a step: a request to ``web`` with what is expected of its status."""

    def make(path: str = "/", *, method: str = "GET", status: int | None = 200, **options: Any) -> Step:
        names = {"headers", "json", "has_json", "body", "auth", "follow"}
        probe = HttpProbe(method, Location("web", path), **{key: options.pop(key) for key in names & options.keys()})
        expected = () if status is None else (Expectation("status", Matcher.of(status)),)
        return Step(probe, expected + options.pop("expect", ()), **{"timeout": 1.0, "templated": True, **options})

    return make


@pytest.fixture
def check() -> Callable[..., Check]:
    """Make a check of some steps."""

    def make(*steps: Step, name: str = "it works", **options: Any) -> Check:
        return Check(options.pop("id", f"suite.yaml::{name}"), name, Kind.API, "suite.yaml", 1, 1, steps, **options)

    return make


@pytest.fixture
def target(server: WebServer) -> Target:
    """Give a target of one service ``web``, which may be written to, with short confirmation."""
    policy = Policy(deadline=5.0, confirm=Confirmation(2, 0.02))
    return Target("test", {"web": Service("web", server.url)}, Access(AccessMode.READ_WRITE), policy=policy)


@pytest.fixture
def releasing(target: Target) -> Callable[..., Target]:
    """Make the same target wait for a release that ``/release`` names."""

    def make(*sources: ReleaseSource, **options: Any) -> Target:
        chosen = sources or (ReleaseSource(Location("web", "/release"), Key("commit")),)
        wait = ReleaseWait(chosen, **{"within": 1.0, "consecutive": 2, "interval": 0.01, **options})
        return replace(target, release=wait)

    return make


@pytest.fixture
def run(target: Target) -> Iterator[Run]:
    """Begin a run of some checks; it is closed after the test."""
    with ExitStack() as stack:

        def begin(*checks: Check, on: Target = target, deadline: float | None = None, **options: Any) -> Engine:
            context = RunContext("run-1", options.pop("expected", None), options.pop("ends", None))
            if deadline is not None:
                context = replace(context, deadline=time.monotonic() + deadline)
            engine = Engine(on, context, **options)
            stack.callback(engine.close)
            engine.begin()
            engine.submit(checks)
            return engine

        yield begin
