from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import trustme

from postdeploy.domain.target import Location, ReleaseSource, Service, Target
from postdeploy.engine.engine import Engine, Readiness
from tests.web_server import Answer, WebServer, respond

Make = Callable[..., Any]
Run = Callable[..., Engine]


def says(release: object, status: int = 200) -> Answer:
    """An answer that names a release."""
    return respond(status, json.dumps({"commit": release}))


@pytest.fixture
def api() -> Iterator[WebServer]:
    """Give a second server."""
    server = WebServer()
    yield server
    server.close()


def ready(engine: Engine) -> Readiness:
    """How the wait went."""
    return engine.ready.result(5)


def test_live_when_it_answered_so_often_in_a_row(server: WebServer, releasing: Make, run: Run) -> None:
    """The expected release must answer as often in a row as asked for, each time over a new connection."""
    server.script("/release", says("new"))
    readiness = ready(run(on=releasing(consecutive=3), expected="new"))
    polls = [seen.connection for seen in server.seen if seen.path == "/release"]
    assert readiness.release.live
    assert polls == [1, 2, 3]
    assert readiness.release.first == {"web": "new"}
    assert readiness.release.counts == {"web": {"new": 3}}
    assert next((wait.name, wait.seconds) for wait in readiness.waits) == ("release", readiness.release.waited)


def test_another_release_begins_the_count_anew(server: WebServer, releasing: Make, run: Run) -> None:
    """An old answer among new ones means that not every instance is new."""
    server.script("/release", says("new"), says("old"), says("new"), says("new"))
    readiness = ready(run(on=releasing(), expected="new"))
    assert readiness.release.counts == {"web": {"new": 3, "old": 1}}


@pytest.mark.parametrize("bad", [respond(503), Answer(reset=True), respond(200, "<html>"), says(None), says({})])
def test_an_answer_without_release_begins_the_count_anew(
    server: WebServer, releasing: Make, run: Run, bad: Answer
) -> None:
    """An error in between is not passed over."""
    server.script("/release", says("new"), bad, says("new"), says("new"))
    assert ready(run(on=releasing(), expected="new")).release.counts == {"web": {"new": 3}}


def test_every_source_must_be_live(
    server: WebServer, api: WebServer, target: Target, releasing: Make, run: Run, key: Make
) -> None:
    """The wait ends when the last source has what was expected."""
    server.script("/release", says("new"))
    api.script("/v", says("old"), says("old"), says("new"))
    sources = (
        ReleaseSource(Location("web", "/release"), key("commit")),
        ReleaseSource(Location("api", "/v"), key("commit")),
    )
    services = {**target.services, "api": Service("api", api.url)}
    readiness = ready(run(on=replace(releasing(*sources), services=services), expected="new"))
    assert readiness.release.live
    assert readiness.release.counts["api"] == {"old": 2, "new": 2}


def test_the_wrong_release_is_told(server: WebServer, releasing: Make, run: Run) -> None:
    """When time is over the evidence says which release answered instead."""
    server.script("/release", says("old"))
    readiness = ready(run(on=releasing(within=0.1), expected="new"))
    assert (readiness.release.live, readiness.may_start) == (False, False)
    assert readiness.release.first == {"web": "old"}
    assert "says old instead of new (0 of 2 in a row)" in str(readiness.release.problem)


def test_silence_is_told(server: WebServer, releasing: Make, run: Run) -> None:
    """When time is over and nobody answered the evidence says why."""
    server.down()
    readiness = ready(run(on=releasing(within=0.1), expected="new"))
    assert readiness.release.live is False
    assert readiness.release.first == {}
    assert "refused" in str(readiness.release.problem)
    assert [(state.live, state.code) for state in readiness.services] == [(False, "connection_refused")]


def test_a_source_that_hangs_does_not_outlast_the_wait(server: WebServer, releasing: Make, run: Run) -> None:
    """The wait ends on time although an answer is still awaited."""
    server.script("/release", Answer(hang=True))
    begun = time.monotonic()
    readiness = ready(run(on=releasing(within=0.1), expected="new"))
    assert time.monotonic() - begun < 0.5
    assert "has not answered yet" in str(readiness.release.problem)


def test_a_bad_certificate_is_told(releasing: Make, target: Target, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service whose certificate is not trusted is there, and wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = WebServer(context)
    readiness = ready(
        run(on=replace(releasing(within=0.1), services={"web": Service("web", server.url)}), expected="n")
    )
    server.close()
    state = readiness.services[0]
    assert (state.live, state.code, state.answered_wrongly) == (False, "certificate_untrusted", True)


def test_without_expectation_it_only_has_to_be_there(server: WebServer, releasing: Make, run: Run) -> None:
    """Any release will do where none is expected, and one answer is enough."""
    server.script("/release", says("some"))
    readiness = ready(run(on=releasing()))
    assert (readiness.release.live, readiness.release.first) == (True, {"web": "some"})
    assert server.paths().count("/release") == 1


def test_without_expectation_and_release_nobody_knows(server: WebServer, releasing: Make, run: Run) -> None:
    """A target that names no release may be verified where none is expected."""
    server.script("/release", respond(404))
    readiness = ready(run(on=releasing()))
    assert (readiness.release.live, readiness.may_start) == (None, True)


def test_the_release_may_be_a_header_or_a_text(server: WebServer, releasing: Make, run: Run) -> None:
    """Without a path the header names the release, and without the header the whole text does."""
    server.script("/release", respond(200, "text\n", x_release="header"), respond(200, " text\n"))
    readiness = ready(
        run(on=releasing(ReleaseSource(Location("web", "/release")), header="x-release"), expected="text")
    )
    assert readiness.release.counts == {"web": {"header": 1, "text": 2}}


@pytest.mark.parametrize("text", ["<html>\n</html>", "x" * 300, ""])
def test_a_page_is_no_release(server: WebServer, releasing: Make, run: Run, text: str) -> None:
    """A long text, one of several lines, or none at all is not the name of a release."""
    server.script("/release", respond(200, text))
    readiness = ready(run(on=releasing(ReleaseSource(Location("web", "/release")), within=0.05), expected="new"))
    assert readiness.release.first == {}


def test_a_release_is_printable(server: WebServer, releasing: Make, run: Run) -> None:
    """Foreign text cannot steer a terminal."""
    server.script("/release", says("\x1b[2J\u202e"))
    assert ready(run(on=releasing())).release.first == {"web": "\\x1b[2J\\u202e"}


def test_people_see_how_far_it_is(server: WebServer, releasing: Make, run: Run) -> None:
    """While we wait there is a line for each source."""
    server.script("/release", says("old"))
    engine = run(on=releasing(within=0.4), expected="new")
    time.sleep(0.1)
    waiting = engine.waiting()
    assert waiting is not None
    assert waiting.lines == ("web:/release says old instead of new (0 of 2 in a row)",)
    ready(engine)
    assert engine.waiting() is None


def test_a_release_that_changed_is_seen_at_the_end(server: WebServer, releasing: Make, run: Run) -> None:
    """Looking again tells what answers now."""
    server.script("/release", says("new"), says("new"), says("other"))
    engine = run(on=releasing(), expected="new")
    ready(engine)
    again = engine.look_again()
    assert (again.first, again.last) == ({"web": "new"}, {"web": "other"})


def test_one_lost_answer_at_the_end_is_asked_for_again(server: WebServer, releasing: Make, run: Run) -> None:
    """A source that says nothing is asked up to three times."""
    server.script("/release", says("new"), says("new"), Answer(reset=True), respond(500), says("new"))
    engine = run(on=releasing(), expected="new")
    ready(engine)
    assert engine.look_again().last == {"web": "new"}


def test_lasting_silence_at_the_end_is_a_question_mark(server: WebServer, releasing: Make, run: Run) -> None:
    """A source that says nothing in the end cannot be taken for the same release."""
    server.script("/release", says("new"), says("new"), respond(500))
    engine = run(on=releasing(), expected="new")
    ready(engine)
    assert engine.look_again().last == {"web": "?"}


def test_looking_again_has_an_end(server: WebServer, releasing: Make, run: Run) -> None:
    """A source that hangs is waited for no longer than told."""
    server.script("/release", says("new"), says("new"), Answer(hang=True))
    engine = run(on=releasing(), expected="new")
    ready(engine)
    begun = time.monotonic()
    assert engine.look_again(0.1).last == {"web": "?"}
    assert time.monotonic() - begun < 0.5


def test_nobody_looks_again_without_a_wait(run: Run) -> None:
    """A target that names no release is not asked for one."""
    engine = run()
    ready(engine)
    assert engine.look_again().last == {}


def test_a_bad_certificate_is_looked_for_on_every_service(
    releasing: Make, target: Target, run: Run, check: Make, step: Make
) -> None:
    """Where a source is there and wrong the other services are asked too, so that their checks have a cause."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server, plain = WebServer(context), WebServer()
    names = {"web": server.url, "api": f"{server.url}/api", "up": plain.url}
    services = {name: Service(name, url) for name, url in names.items()}
    checks = []
    for name in services:
        made = step("/x")
        checks.append(check(replace(made, probe=replace(made.probe, location=Location(name, "/x"))), name=name))
    engine = run(*checks, on=replace(releasing(within=0.1), services=services), expected="new")
    outcomes = {name: engine.result(f"suite.yaml::{name}").result(5).outcome.value for name in services}
    server.close()
    plain.close()
    assert outcomes == {"web": "blocked", "api": "blocked", "up": "not_run"}
    assert "/x" not in plain.paths()
