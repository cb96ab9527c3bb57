from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.check import Repeat, Save, When
from postdeploy.domain.evidence import ServiceState
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.domain.target import Access, AccessMode, AllowRule, Budget, Location, Maintenance, Service, Target
from postdeploy.engine.engine import Engine, RunContext
from tests.web_server import Answer, Seen, WebServer, respond

Make = Callable[..., Any]
Run = Callable[..., Engine]


def outcome(engine: Engine, name: str = "it works") -> CheckResult:
    """What came of a check."""
    return engine.result(f"suite.yaml::{name}").result(5)


def says(release: str) -> Answer:
    """An answer that names a release."""
    return respond(200, f'{{"commit": "{release}"}}')


def turn(engine: Engine, seconds: float) -> None:
    """Turn the clock of an engine forward, and have it look."""
    engine._loop.clock = lambda: time.monotonic() + seconds
    engine._loop.call_soon(lambda: None)


# Confirmation.


def test_a_check_passes(check: Make, step: Make, run: Run) -> None:
    """A check whose answer is as expected has passed at its first attempt."""
    result = outcome(run(check(step("/a"))))
    assert (result.outcome, len(result.attempts), result.exchanges, result.flaky) == (Outcome.PASSED, 1, 1, False)


def test_a_failure_is_confirmed_by_a_spaced_attempt(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """Two failing attempts, so far apart as the policy asks, are a failure."""
    server.script("/a", respond(404))
    result = outcome(run(check(step("/a"))))
    assert (result.outcome, len(result.attempts)) == (Outcome.FAILED, 2)
    assert result.attempts[1].started - result.attempts[0].started >= 0.02


def test_a_failure_that_goes_away_is_flaky(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """A check that passes at its second attempt has passed, and is flaky."""
    server.script("/a", respond(404), respond())
    result = outcome(run(check(step("/a"))))
    assert (result.outcome, result.flaky) == (Outcome.PASSED, True)


def test_a_write_has_one_attempt(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """A check that writes is not repeated."""
    server.script("/a", respond(404))
    assert len(outcome(run(check(step("/a", method="POST")))).attempts) == 1


def test_a_repeatable_write_has_two(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """A check that writes is repeated where it says that it may be."""
    server.script("/a", respond(404))
    assert len(outcome(run(check(step("/a", method="POST"), repeatable=True))).attempts) == 2


def test_an_error_is_not_a_failure(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """An attempt that could not tell beside one that failed leaves the check undecided."""
    server.script("/a", respond(404), respond(302, location="http://elsewhere.example/"))
    result = outcome(run(check(step("/a", follow=True))))
    assert [attempt.outcome for attempt in result.attempts] == [Outcome.FAILED, Outcome.ERRORED]
    assert result.outcome is Outcome.ERRORED
    assert "is not on a service of target 'test'" in str(result.reason)


def test_repetition_within_an_attempt(server: WebServer, check: Make, step: Make, run: Run) -> None:
    """A check may ask for many good answers in one attempt."""
    result = outcome(run(check(step("/a"), repeat=Repeat(4, 4))))
    assert (result.outcome, result.exchanges, len(result.attempts)) == (Outcome.PASSED, 4, 1)


# What is not run.


def test_a_check_for_other_targets_is_skipped(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A check that is not for this target is skipped by policy, and nothing is sent."""
    result = outcome(run(check(step("/a"), when=When(frozenset({"production"})))))
    assert (result.outcome, result.by_policy) == (Outcome.SKIPPED, True)
    assert "/a" not in server.paths()


def test_a_write_to_a_read_only_target_is_skipped(check: Make, step: Make, run: Run, target: Target) -> None:
    """A read-only target is not written to."""
    result = outcome(run(check(step("/a", method="POST")), on=replace(target, access=Access())))
    assert (result.outcome, result.by_policy) == (Outcome.SKIPPED, True)
    assert "does not allow POST web:/a" in str(result.reason)


def test_a_check_that_may_not_clean_up_is_skipped(
    check: Make, step: Make, run: Run, target: Target, server: WebServer
) -> None:
    """What could not be removed is not made."""
    access = Access(AccessMode.READ_ONLY, (AllowRule("POST", Location("web", "/a")),))
    made = check(step("/a", method="POST"), cleanup=(step("/a", method="DELETE"),))
    assert outcome(run(made, on=replace(target, access=access))).outcome is Outcome.SKIPPED
    assert "/a" not in server.paths()


def test_an_allowed_write_is_sent(check: Make, step: Make, run: Run, target: Target) -> None:
    """An exception to read-only access lets a write pass."""
    access = Access(AccessMode.READ_ONLY, (AllowRule("POST", Location("web", "/a")),))
    assert outcome(run(check(step("/a", method="POST")), on=replace(target, access=access))).outcome is Outcome.PASSED


def test_thirty_checks_of_a_dead_service_have_one_cause(
    check: Make, step: Make, run: Run, target: Target, server: WebServer
) -> None:
    """Checks of a service that was down before are blocked by it; those of others run."""
    dead = WebServer()
    dead.close()
    services = {**target.services, "api": Service("api", dead.url)}
    at_api = replace(step("/x"), probe=replace(step("/x").probe, location=Location("api", "/x")))
    checks = [check(at_api, name=str(number)) for number in range(30)]
    engine = run(*checks, check(step("/a")), on=replace(target, services=services))
    results = [outcome(engine, str(number)) for number in range(30)]
    assert {(result.outcome, result.blocked_by) for result in results} == {(Outcome.BLOCKED, "api")}
    assert len({result.reason for result in results}) == 1
    assert outcome(engine).outcome is Outcome.PASSED


def test_a_service_that_goes_down_in_mid_run_is_one_cause(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """Checks that lose their service are blocked by it; it is told once."""
    states: list[ServiceState] = []
    first = threading.Event()

    def fall(_: Seen) -> Answer:
        first.set()
        return Answer(hang=True)

    server.script("/a", fall)
    checks = [check(step("/a", timeout=2.0), name=str(number)) for number in range(10)]
    engine = run(*checks, on_service=states.append)
    assert first.wait(2)
    server.down()
    results = [outcome(engine, str(number)) for number in range(10)]
    assert {(result.outcome, result.blocked_by) for result in results} == {(Outcome.BLOCKED, "web")}
    assert [(state.live, state.code, state.attempts) for state in states] == [(False, "connection_refused", 2)]
    assert engine.services["web"] == states[0]


def test_a_service_that_comes_back_is_asked_again(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A cut connection of a service that is up is an attempt like any other."""
    server.script("/a", Answer(reset=True), respond())
    result = outcome(run(check(step("/a"))))
    assert (result.outcome, result.flaky, result.attempts[0].findings[0].code) == (
        Outcome.PASSED, True, "connection_reset",
    )  # fmt: skip


def test_nothing_runs_on_the_wrong_release(
    check: Make, step: Make, run: Run, server: WebServer, releasing: Make
) -> None:
    """Where the expected release is not live no check is sent."""
    server.script("/release", says("old"))
    engine = run(check(step("/a")), on=releasing(within=0.05), expected="new")
    result = outcome(engine)
    assert (result.outcome, "/a" in server.paths()) == (Outcome.NOT_RUN, False)
    assert "says old instead of new" in str(result.reason)


def test_checks_start_at_once_when_the_release_is_live(
    check: Make, step: Make, run: Run, server: WebServer, releasing: Make
) -> None:
    """Between the last answer that was needed and the first check there is nothing to wait for."""
    server.script("/release", says("new"))
    engine = run(*(check(step("/a"), name=str(number)) for number in range(20)), on=releasing(), expected="new")
    outcome(engine, "19")
    last = max(seen.at for seen in server.seen if seen.path == "/release")
    started = [seen.at for seen in server.seen if seen.path == "/a"]
    assert max(started) - last < 0.25


def test_all_checks_are_in_flight_at_once(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """Twenty answers of 100 ms take 100 ms."""
    server.script("/a", respond(pause=0.1))
    engine = run(*(check(step("/a"), name=str(number)) for number in range(20)))
    begun = time.monotonic()
    assert all(outcome(engine, str(number)).outcome is Outcome.PASSED for number in range(20))
    assert time.monotonic() - begun < 0.5
    assert server.peak == 20


def test_no_more_are_in_flight_than_the_budget_says(
    check: Make, step: Make, run: Run, server: WebServer, target: Target
) -> None:
    """The cap of the budget holds, and an attempt does not count the wait for its turn."""
    server.script("/a", respond(pause=0.1))
    limited = replace(target, budget=Budget(in_flight=3))
    engine = run(*(check(step("/a"), name=str(number)) for number in range(9)), on=limited)
    results = [outcome(engine, str(number)) for number in range(9)]
    assert (server.peak, engine.used()["peak_in_flight"]) == (3, 3)
    assert max(result.attempts[0].duration for result in results) < 0.25  # the last three wait for 0.2 s before


def test_a_spent_budget_is_an_error_of_ours(check: Make, step: Make, run: Run, target: Target) -> None:
    """Checks beyond the budget could not tell, and say so; nothing more was sent."""
    limited = replace(target, budget=Budget(requests=3))
    engine = run(*(check(step("/a"), name=str(number)) for number in range(5)), on=limited)
    results = [outcome(engine, str(number)) for number in range(5)]
    assert sorted(result.outcome for result in results) == [Outcome.ERRORED] * 3 + [Outcome.PASSED] * 2
    assert {result.reason for result in results if result.outcome is Outcome.ERRORED} == {
        "the budget of 3 requests was spent before this one"
    }
    used = engine.used()
    assert used.pop("bytes")
    assert used.pop("peak_per_second") == 3
    assert used == {"requests": 3, "requests_allowed": 3, "peak_in_flight": 2, "bytes_allowed": None}


# Pleas, redirects, secrets.


def test_a_server_that_asks_for_patience_gets_it_once(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """An answer of 429 with Retry-After is followed by one more question, also for a write."""
    server.script("/a", respond(429, retry_after="0"), respond(201))
    result = outcome(run(check(step("/a", method="POST", status=201))))
    assert (result.outcome, len(result.attempts), server.paths().count("/a")) == (Outcome.PASSED, 1, 2)


@pytest.mark.parametrize(
    ("plea", "asked"), [("3600", 1), ("Wed, 21 Oct 2099 07:28:00 GMT", 1), ("0", 2), ("-1", 2), ("soon", 2)]
)
def test_a_server_that_asks_for_patience_for_ever(
    check: Make, step: Make, run: Run, server: WebServer, plea: str, asked: int
) -> None:
    """Nobody waits beyond the deadline, nor twice: then it is not known what the answer would have been."""
    server.script("/a", respond(429, retry_after=plea))
    result = outcome(run(check(step("/a", method="POST")), deadline=4.0))
    assert (result.outcome, result.attempts[-1].code) == (Outcome.ERRORED, "rate_limited")
    assert server.paths().count("/a") == asked


def test_a_second_429_stops_the_traffic(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A target that asks for fewer requests twice gets no more of them, also not for other checks."""
    server.script("/a", respond(429, retry_after="0")).script("/b", respond(200, pause=0.3), respond(200))
    engine = run(check(step("/a")), check(step("/b"), step("/c"), name="other"))
    assert outcome(engine).outcome is Outcome.ERRORED
    assert outcome(engine, "other").attempts[-1].code == "rate_limited"
    assert "/c" not in server.paths()


def test_one_pause_for_all(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """Requests that were under way when the first 429 came belong to it; after the pause all of them are answered."""
    for path in ("/a", "/b", "/c"):
        server.script(path, respond(429, retry_after="1"), respond(200))
    engine = run(*(check(step(path), name=path) for path in ("/a", "/b", "/c")), deadline=10.0)
    assert {outcome(engine, path).outcome for path in ("/a", "/b", "/c")} == {Outcome.PASSED}


# Maintenance.


def test_a_service_that_will_be_back(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """An answer of 503 with Retry-After says so, and a check that asks for it has what it wants."""
    server.script("/a", respond(503, retry_after="120"))
    engine = run(check(step("/a")), check(step("/a", status=503), name="expected"))
    attempt = outcome(engine).attempts[-1]
    assert (attempt.outcome, attempt.fault and attempt.fault.code) == (Outcome.FAILED, "http_maintenance")
    assert attempt.findings[0].code == "maintenance"
    assert outcome(engine, "expected").outcome is Outcome.PASSED


@pytest.mark.parametrize("marker", [Maintenance(contains="back soon"), Maintenance(header="x-closed")])
def test_a_page_of_maintenance_is_no_answer(
    check: Make, step: Make, run: Run, server: WebServer, target: Target, marker: Maintenance
) -> None:
    """What the target marks its maintenance with fails a check that would take any 200."""
    server.script("/a", respond(200, "We are back soon", x_closed="yes"))
    engine = run(check(step("/a")), check(step("/b"), name="other"), on=replace(target, maintenance=marker))
    attempt = outcome(engine).attempts[-1]
    assert (attempt.outcome, attempt.status, attempt.fault and attempt.fault.code) == (
        Outcome.FAILED, 200, "http_maintenance",
    )  # fmt: skip
    assert outcome(engine, "other").outcome is Outcome.PASSED


def test_an_expected_429_stands(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A check of the rate limit gets the answer that it asks for."""
    server.script("/a", respond(429, retry_after="1"))
    assert outcome(run(check(step("/a", status=429)))).outcome is Outcome.PASSED
    assert server.paths().count("/a") == 1


def test_redirects_are_followed_on_request(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A check that follows redirects sees where they end; another one sees the redirect."""
    server.script("/a", respond(302, location="b")).script("/b", respond(200))
    engine = run(check(step("/a", follow=True)), check(step("/a", status=302), name="other"))
    assert (outcome(engine).outcome, outcome(engine, "other").outcome) == (Outcome.PASSED, Outcome.PASSED)


def test_redirects_without_end_are_a_failure(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """After five hops it is enough."""
    server.script("/a", respond(302, location="/a"))
    result = outcome(run(check(step("/a", follow=True))))
    assert result.attempts[0].findings[0].code == "protocol_redirects"
    assert server.paths().count("/a") == 12


def test_a_redirect_to_nowhere_is_a_failure(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """An address that is none is the target's fault."""
    server.script("/a", respond(302, location="http://[::1"))
    assert outcome(run(check(step("/a", follow=True)))).attempts[0].findings[0].code == "protocol_redirects"


def test_a_redirect_off_the_target_is_refused(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A server cannot send us, and our credentials, elsewhere."""
    other = WebServer()
    server.script("/a", respond(302, location=f"{other.url}/x"))
    result = outcome(run(check(step("/a", follow=True, auth="Bearer t"))))
    other.close()
    assert (result.outcome, other.seen) == (Outcome.ERRORED, [])


def test_credentials_stay_with_their_origin(
    check: Make, step: Make, run: Run, server: WebServer, target: Target
) -> None:
    """A redirect to another service of the target is followed without the credentials."""
    other = WebServer()
    server.script("/a", respond(307, location=f"{other.url}/x"))
    services = {**target.services, "api": Service("api", other.url)}
    result = outcome(run(check(step("/a", follow=True, auth="Bearer t")), on=replace(target, services=services)))
    other.close()
    assert result.outcome is Outcome.PASSED
    assert "authorization" not in next(seen for seen in other.seen if seen.path == "/x").headers


def test_a_secret_that_is_learnt_is_masked(check: Make, step: Make, run: Run, server: WebServer, key: Make) -> None:
    """The redactor of the run knows a saved secret as soon as it is there."""
    redactor = Redactor()
    server.script("/a", respond(200, '{"token": "t0psecret"}'))
    outcome(run(check(step("/a", save=(Save("token", key("token"), secret=True),))), redactor=redactor))
    assert redactor.text("it is t0psecret") == "it is ***"


def test_every_attempt_has_a_unique_word(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """``${unique}`` is the same within an attempt and another one in each."""
    server.script("*", respond(404))
    outcome(run(check(step("/${unique}"))))
    assert len({path for path in server.paths() if len(path) > 10}) == 2


# The end.


def test_the_deadline_ends_everything(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """At the deadline every check without a result was not run, at once."""
    server.script("/hang", Answer(hang=True))
    engine = run(check(step("/hang", timeout=90)), check(step("/a"), name="quick"), deadline=60)
    assert outcome(engine, "quick").outcome is Outcome.PASSED
    assert not engine.overdue.is_set()
    turn(engine, 60)
    assert outcome(engine).outcome is Outcome.NOT_RUN
    assert engine.overdue.is_set()


def test_the_deadline_ends_the_wait_for_a_release(
    check: Make, step: Make, run: Run, server: WebServer, releasing: Make
) -> None:
    """Nobody waits for a release longer than the run may take."""
    server.script("/release", says("old"))
    engine = run(check(step("/a")), on=releasing(within=9), expected="new", deadline=0.1)
    assert engine.ready.result(1).may_start is False
    assert outcome(engine).outcome is Outcome.NOT_RUN
    asked = len(server.seen)
    time.sleep(0.05)
    assert len(server.seen) <= asked + 1


def test_a_check_that_comes_after_the_deadline_is_not_run(check: Make, step: Make, run: Run) -> None:
    """Nothing begins when time is over."""
    engine = run(deadline=0.01)
    assert engine.overdue.wait(1)
    engine.submit([check(step("/a"))])
    assert outcome(engine).outcome is Outcome.NOT_RUN


def test_what_was_made_is_cleaned_up_at_the_deadline(
    check: Make, step: Make, run: Run, server: WebServer, key: Make
) -> None:
    """A check that is cut short while it reads still removes what it has made."""
    server.script("/things", respond(201, '{"id": 7}')).script("/hang", Answer(hang=True))
    made = check(
        step("/things", method="POST", status=201, save=(Save("id", key("id")),)),
        step("/hang", timeout=90),
        cleanup=(step("/things/${id}", method="DELETE"),),
    )
    engine = run(made, deadline=60)
    while "/hang" not in server.paths():
        time.sleep(0.01)
    turn(engine, 60)
    assert outcome(engine).outcome is Outcome.NOT_RUN
    engine.close()
    assert ("DELETE", "/things/7") in [(seen.method, seen.path) for seen in server.seen]


def test_a_write_under_way_at_the_end_may_say_what_it_made(
    check: Make, step: Make, run: Run, server: WebServer, key: Make
) -> None:
    """A write that is answered soon after the end is cleaned up as well; no other step is sent."""
    server.script("/things", respond(201, '{"id": 7}', pause=0.7))
    made = check(
        step("/things", method="POST", status=201, save=(Save("id", key("id")),), timeout=90),
        step("/next", method="POST"),
        cleanup=(step("/things/${id}", method="DELETE"),),
    )
    engine = run(made, deadline=60)
    while "/things" not in server.paths():
        time.sleep(0.01)
    turn(engine, 60)
    assert outcome(engine).outcome is Outcome.NOT_RUN
    engine.close()
    assert server.paths()[-1] == "/things/7"
    assert "/next" not in server.paths()


def test_the_grace_for_cleaning_up_is_short(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A cleanup that hangs does not keep the run from ending."""
    server.script("/hang", Answer(hang=True))
    engine = run(check(step("/a", method="POST"), cleanup=(step("/hang", method="DELETE", timeout=30),)))
    engine._runner.ending._grace = 0.3
    while "/hang" not in server.paths():
        time.sleep(0.01)
    begun = time.monotonic()
    engine.close()
    assert time.monotonic() - begun < 0.8
    assert outcome(engine).outcome is Outcome.NOT_RUN


def test_closing_leaves_no_thread(check: Make, step: Make, server: WebServer, target: Target) -> None:
    """A run that is closed under load ends at once, and all its checks have results."""
    server.script("/hang", Answer(hang=True))
    before = set(threading.enumerate())
    engine = Engine(target, RunContext("run"))
    engine.begin()
    engine.submit([check(step("/hang", timeout=9), name=str(number)) for number in range(200)])
    time.sleep(0.1)
    begun = time.monotonic()
    engine.close()
    assert time.monotonic() - begun < 1
    assert {outcome(engine, str(number)).outcome for number in range(200)} == {Outcome.NOT_RUN}
    assert set(threading.enumerate()) == before


def test_an_engine_that_never_began_can_be_closed(target: Target, check: Make, step: Make) -> None:
    """Checks that were submitted to it were not run, and nobody waits for its readiness."""
    engine = Engine(target, RunContext("run"))
    engine.submit([check(step())])
    engine.close()
    engine.close()
    assert outcome(engine).outcome is Outcome.NOT_RUN
    assert engine.ready.result(0).may_start is False


def test_a_check_that_comes_after_the_end_has_a_result(check: Make, step: Make, run: Run) -> None:
    """Nobody waits for a check that was submitted to a closed engine."""
    engine = run()
    engine.close()
    engine.submit([check(step())])
    assert outcome(engine).outcome is Outcome.NOT_RUN


def test_a_broken_loop_leaves_nobody_waiting(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """When the engine breaks every check has a result that says so, now and later."""
    server.script("/hang", Answer(hang=True))
    engine = run(check(step("/hang")))
    engine.ready.result(2)
    engine._loop.call_soon(lambda: (_ for _ in ()).throw(ZeroDivisionError("oops")))
    result = outcome(engine)
    assert (result.outcome, result.reason) == (Outcome.ERRORED, "the engine broke: ZeroDivisionError: oops")
    engine.submit([check(step(), name="later")])
    assert outcome(engine, "later").outcome is Outcome.ERRORED


def test_a_loop_that_breaks_early_tells_who_waits_for_readiness(run: Run, target: Target) -> None:
    """Readiness raises when the engine breaks before the target is ready."""
    engine = Engine(target, RunContext("run"))
    engine._loop.call_soon(lambda: (_ for _ in ()).throw(ZeroDivisionError("oops")))
    engine.begin()
    with pytest.raises(RuntimeError, match="the engine broke"):
        engine.ready.result(2)
    engine.close()


def test_a_listener_that_breaks_ends_only_its_check(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """A fault of ours in one check does not end the others."""

    def broken(_: ServiceState) -> None:
        raise OSError("disk full")

    server.script("/hang", Answer(hang=True))
    engine = run(check(step("/hang", timeout=0.1)), on_service=broken)
    time.sleep(0.05)
    server.down()
    assert outcome(engine).outcome in {Outcome.ERRORED, Outcome.BLOCKED}


def test_a_request_that_cannot_be_sent_is_an_error(
    check: Make, step: Make, run: Run, server: WebServer, key: Make
) -> None:
    """A saved value with a line break does not become a header of its own."""
    server.script("/a", respond(200, '{"v": "x\\r\\nx-evil: 1"}'))
    first = step("/a", save=(Save("v", key("v")),))
    result = outcome(run(check(first, step("/b", headers={"x-v": "${v}"}))))
    assert (result.outcome, "/b" in server.paths()) == (Outcome.ERRORED, False)
    assert "line break" in str(result.reason)


def test_results_may_be_asked_for_from_many_threads(check: Make, step: Make, run: Run) -> None:
    """Submitting, waiting and counting from several threads loses nothing."""
    engine = run()

    def work(number: int) -> Outcome:
        engine.submit([check(step("/a"), name=str(number))])
        engine.unfinished()
        return outcome(engine, str(number)).outcome

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(80))) == {Outcome.PASSED}
    assert engine.unfinished() == 0


def test_every_request_says_who_we_are(check: Make, step: Make, run: Run, server: WebServer) -> None:
    """Operators recognise the run and the check."""
    outcome(run(check(step("/a"))))
    headers = next(seen.headers for seen in server.seen if seen.path == "/a")
    assert headers["user-agent"].startswith("pytest-postdeploy/")
    assert headers["x-synthetic-test"] == "run=run-1;check=suite.yaml::it%20works"
