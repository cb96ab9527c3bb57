from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from postdeploy.config.selection import JsonPath
from postdeploy.domain.check import Check, Repeat, Save
from postdeploy.domain.creation import Creation, leftovers, recipe
from postdeploy.domain.expectation import Expectation
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.observation import HttpObservation, TlsObservation
from postdeploy.domain.redaction import Secret
from postdeploy.domain.result import Attempt, Outcome
from postdeploy.engine.attempt import Answer, Ask, Surroundings, Wanted, attempt_check
from postdeploy.engine.entry import Note
from postdeploy.errors import GuardRefusalError, PostdeployError, ProbeError

Make = Callable[..., Any]


ID = Save("id", JsonPath("$.id"))
UNDO = "/things/${id}"


class World:
    """Answers an attempt from a script; its clock moves a second with each answer."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Ask] = []
        self.learnt: list[Secret] = []
        self.now = 100.0
        self.ended = False
        self.notes: list[Mapping[str, Any]] = []
        self.problem: PostdeployError | None = None
        self.keeps_ledger = False

    def surroundings(self) -> Surroundings:
        """What an attempt gets of this world."""
        return Surroundings(
            wall=lambda: self.now + 1000,
            clock=lambda: self.now,
            locate=lambda step: f"http://host{step.probe.location.path}",  # type: ignore[union-attr]
            curl=lambda step: f"curl {step.probe.location.path}",  # type: ignore[union-attr]
            learn=self.learnt.append,
            ended=lambda: self.ended,
            creation=self._creation if self.keeps_ledger else None,
        )

    def _creation(self, check: Check) -> Creation:
        return Creation("1", "t", "r", check.id, tuple(recipe(step) for step in check.cleanup))

    def attempt(self, check: Check, variables: Mapping[str, object] | None = None) -> Attempt:
        """Play an attempt to its end."""
        generator = attempt_check(check, variables or {}, self.surroundings())
        return self._play(generator)

    def _play(self, generator: Generator[Wanted, Answer | None, Attempt]) -> Attempt:
        try:
            ask = next(generator)
            while True:
                if isinstance(ask, Note):
                    self.notes.append(ask.record)
                    ask = generator.send(self.problem)
                    continue
                self.asked.append(ask)
                self.now += 1
                ask = generator.send(self.answers.pop(0))
        except StopIteration as stop:
            attempt: Attempt = stop.value
            return attempt

    def paths(self) -> list[str]:
        """Where the attempt went, in order."""
        return [ask.step.probe.location.path for ask in self.asked]  # type: ignore[union-attr]


def seen(status: int = 200, body: str = "{}", **fields: Any) -> HttpObservation:
    """An answer."""
    values: dict[str, Any] = {"duration": 0.25, "headers": (), "method": "GET", "url": "http://host/", "place": "web:/"}
    return HttpObservation(status=status, body=body.encode(), **values | fields)


def late() -> ProbeError:
    """Silence."""
    return ProbeError("timeout", "no complete answer within 1 s", phases={"connect": 0.1, "first_byte": 0.4})


def test_passes_when_every_step_is_as_expected(check: Make, step: Make) -> None:
    """An attempt whose answers all fit has passed, and counts the answers."""
    attempt = World(seen(), seen(201)).attempt(check(step("/a"), step("/b", status=201)))
    assert (attempt.outcome, attempt.exchanges, attempt.findings) == (Outcome.PASSED, 2, ())


def test_a_passed_attempt_keeps_no_body(check: Make, step: Make) -> None:
    """Nothing of an answer is kept once it was judged as good."""
    attempt = World(seen(body="x" * 1000)).attempt(check(step()))
    assert (attempt.excerpt, attempt.curl) == ("", None)


def test_a_certificate_says_when_it_expires(check: Make, step: Make) -> None:
    """Of a handshake it is kept when the first certificate expires, whatever came of the check."""
    seen = TlsObservation(
        place="web:443", duration=0.1, phases={}, days_left=3.0, trusted=True, trust_error=None, version="TLSv1.3",
        cipher="", issuer="", subject_name="", names=(), expires=1_900_000_000.0,
    )  # fmt: skip
    assert World(seen).attempt(check(step("/"))).expires == 1_900_000_000.0


def test_fails_with_what_was_expected_and_seen(check: Make, step: Make) -> None:
    """A finding names the subject, both values, the step and the place in the file."""
    attempt = World(seen(), seen(404, "no")).attempt(check(step("/a"), step("/b")))
    finding = attempt.findings[0]
    assert attempt.outcome is Outcome.FAILED
    assert (finding.subject, finding.expected, finding.observed, finding.step) == ("status", "200", "404", 2)
    assert (attempt.excerpt, attempt.curl) == ("HTTP/1.1 404\nno", "curl /b")


def test_stops_at_the_first_bad_step(check: Make, step: Make) -> None:
    """Steps after a bad one are not asked."""
    world = World(seen(500), seen())
    world.attempt(check(step("/a"), step("/b")))
    assert world.paths() == ["/a"]


def test_an_answer_of_500_points_at_the_service(check: Make, step: Make) -> None:
    """A server error is a fault at a URL; a wrong answer below 500 is none."""
    broken = World(seen(503)).attempt(check(step("/a")))
    wrong = World(seen(404)).attempt(check(step("/a")))
    assert broken.fault is not None
    assert (broken.fault.url, broken.fault.code) == ("http://host/a", "http_503")
    assert wrong.fault is None


def test_an_expected_500_is_no_fault(check: Make, step: Make) -> None:
    """A check that expects a server error passes with one."""
    attempt = World(seen(503)).attempt(check(step(status=503)))
    assert (attempt.outcome, attempt.fault) == (Outcome.PASSED, None)


def test_silence_of_the_target_is_its_failure(check: Make, step: Make) -> None:
    """An error that the target is to blame for is a finding and a fault."""
    attempt = World(late()).attempt(check(step("/a")))
    assert (attempt.outcome, attempt.exchanges) == (Outcome.FAILED, 0)
    assert (attempt.findings[0].code, attempt.findings[0].subject) == ("timeout", "web:/a")
    assert attempt.fault is not None
    assert attempt.fault.code == "timeout"


@pytest.mark.parametrize(
    "error",
    [
        ProbeError("too_many_files", "no file left", target_fault=False),
        GuardRefusalError("not sent"),
        PostdeployError("the browser is gone"),
    ],
)
def test_a_fault_of_ours_is_an_error(check: Make, step: Make, error: PostdeployError) -> None:
    """What the target is not to blame for means that we could not tell."""
    attempt = World(error).attempt(check(step()))
    assert (attempt.outcome, attempt.findings, attempt.fault) == (Outcome.ERRORED, (), None)
    assert attempt.error == str(error)


def test_saves_a_value_for_later_steps(check: Make, step: Make, key: Make) -> None:
    """A value of an answer fills the placeholder of the next step."""
    world = World(seen(body='{"id": 7}'), seen())
    world.attempt(check(step("/a", save=(Save("id", key("id")),)), step("/b/${id}")))
    assert world.paths() == ["/a", "/b/7"]


def test_saves_a_header(check: Make, step: Make) -> None:
    """A header can be saved too."""
    world = World(seen(headers=(("x-id", "h1"),)), seen())
    world.attempt(check(step("/a", save=(Save("id", None, header="x-id"),)), step("/b/${id}")))
    assert world.paths() == ["/a", "/b/h1"]


def test_a_value_that_is_not_there_fails(check: Make, step: Make, key: Make) -> None:
    """Nothing to save is a finding about the answer, and the next step is not asked."""
    world = World(seen(body="[]"))
    attempt = world.attempt(check(step("/a", save=(Save("id", key("id")),)), step("/b/${id}")))
    assert (attempt.outcome, attempt.findings[0].subject) == (Outcome.FAILED, "save id")
    assert world.paths() == ["/a"]


def test_a_value_out_of_no_json_fails(check: Make, step: Make, key: Make) -> None:
    """An answer that cannot be read has nothing to save."""
    attempt = World(seen(body="<html>")).attempt(check(step("/a", save=(Save("id", key("id")),))))
    assert attempt.outcome is Outcome.FAILED


def test_a_secret_value_is_learnt(check: Make, step: Make, key: Make) -> None:
    """A saved secret is told at once, whatever its type."""
    world = World(seen(body='{"token": "t0p", "pin": 1234}'))
    saves = (Save("token", key("token"), secret=True), Save("pin", key("pin"), secret=True))
    world.attempt(check(step("/a", save=saves)))
    assert [secret.reveal() for secret in world.learnt] == ["t0p", "1234"]


def test_an_unknown_variable_is_an_error_of_the_suite(check: Make, step: Make) -> None:
    """A placeholder that nobody has filled sends nothing."""
    world = World()
    attempt = world.attempt(check(step("/b/${id}")))
    assert attempt.outcome is Outcome.ERRORED
    assert attempt.error == "${id} has no value: no earlier step saved it"
    assert world.asked == []


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_must_not_turn_a_path_into_another(check: Make, step: Make, key: Make, value: str) -> None:
    """An id that would make ``DELETE /orders/${id}`` delete something else is never sent."""
    world = World(seen(body=f'{{"id": "{value}"}}'))
    attempt = world.attempt(check(step("/a", save=(Save("id", key("id")),)), step("/orders/${id}", method="DELETE")))
    assert attempt.outcome is Outcome.ERRORED
    assert world.paths() == ["/a"]


def test_the_cleanup_runs_after_a_pass(check: Make, step: Make) -> None:
    """Cleanup steps follow the steps."""
    world = World(seen(), seen())
    assert world.attempt(check(step("/a"), cleanup=(step("/clean"),))).outcome is Outcome.PASSED
    assert world.paths() == ["/a", "/clean"]


def test_the_cleanup_runs_after_a_failure(check: Make, step: Make) -> None:
    """Cleanup steps follow a failing step as well, and change nothing of what it says."""
    world = World(seen(500, "broken"), seen())
    attempt = world.attempt(check(step("/a"), step("/b"), cleanup=(step("/clean"),)))
    assert world.paths() == ["/a", "/clean"]
    assert (attempt.outcome, attempt.curl, attempt.excerpt) == (Outcome.FAILED, "curl /a", "HTTP/1.1 500\nbroken")


def test_a_cleanup_that_cannot_be_named_is_left_out(check: Make, step: Make) -> None:
    """Where nothing was made there is nothing to clean up, and that is no error."""
    world = World(seen(500))
    attempt = world.attempt(check(step("/a"), cleanup=(step("/clean/${id}"),)))
    assert (world.paths(), attempt.outcome) == (["/a"], Outcome.FAILED)


def test_a_failing_cleanup_fails_the_attempt(check: Make, step: Make) -> None:
    """What is left behind on the target is a failure; the rest of the cleanup still runs."""
    world = World(seen(), seen(500), seen())
    attempt = world.attempt(check(step("/a"), cleanup=(step("/one"), step("/two"))))
    assert (attempt.outcome, attempt.findings[0].step) == (Outcome.FAILED, 2)
    assert world.paths() == ["/a", "/one", "/two"]


def test_an_error_in_the_cleanup_does_not_hide_a_failure(check: Make, step: Make) -> None:
    """The first bad thing decides: a failure stays one although the cleanup could not be sent."""
    attempt = World(seen(500), GuardRefusalError("not sent")).attempt(check(step("/a"), cleanup=(step("/clean"),)))
    assert (attempt.outcome, attempt.error) == (Outcome.FAILED, "not sent")


def test_a_finding_in_the_cleanup_does_not_make_a_failure_of_an_error(check: Make, step: Make) -> None:
    """An attempt that could not tell still cannot after its cleanup."""
    attempt = World(GuardRefusalError("not sent"), seen(500)).attempt(check(step("/a"), cleanup=(step("/clean"),)))
    assert attempt.outcome is Outcome.ERRORED


def test_the_cleanup_runs_although_an_answer_broke_us(check: Make, step: Make) -> None:
    """A fault of ours while an answer is judged is an error, and the cleanup still runs."""

    class Breaks:
        text = "$.x"

        def select(self, document: object) -> object:
            raise RuntimeError(f"oops, not {document}")

    world = World(seen(), seen())
    expected = (Expectation("json", Matcher.of(1), selector=Breaks()),)
    attempt = world.attempt(check(step("/a", expect=expected), cleanup=(step("/clean"),)))
    assert (attempt.outcome, world.paths()) == (Outcome.ERRORED, ["/a", "/clean"])
    assert "RuntimeError: oops, not {}" in str(attempt.error)


def test_the_cleanup_runs_although_a_matcher_cannot_be(check: Make, step: Make, key: Make) -> None:
    """A saved value that does not fit its matcher is an error, and the cleanup still runs."""
    world = World(seen(body='{"v": ""}'), seen())
    first = step("/a", save=(Save("v", key("v")),))
    second = step("/b", expect=(Expectation("body", Matcher.of({"contains": "${v}"})),))
    attempt = world.attempt(check(first, second, cleanup=(step("/clean"),)))
    assert (attempt.outcome, world.paths()) == (Outcome.ERRORED, ["/a", "/clean"])


def test_repeats_as_often_as_asked_for(check: Make, step: Make) -> None:
    """A repeated check is executed so many times, and all answers count."""
    world = World(seen(), seen(), seen())
    attempt = world.attempt(check(step(), repeat=Repeat(3, 3)))
    assert (attempt.outcome, attempt.exchanges, len(world.asked)) == (Outcome.PASSED, 3, 3)


def test_repeats_tolerate_so_many_bad_ones(check: Make, step: Make) -> None:
    """Two of three may be enough."""
    assert World(seen(), seen(500), seen()).attempt(check(step(), repeat=Repeat(3, 2))).outcome is Outcome.PASSED


def test_repeats_end_when_too_many_were_bad(check: Make, step: Make) -> None:
    """The first bad one speaks for all, and nothing more is asked."""
    world = World(seen(500), seen(404), seen())
    attempt = world.attempt(check(step(), repeat=Repeat(3, 2)))
    assert (attempt.outcome, attempt.findings[0].observed, len(world.asked)) == (Outcome.FAILED, "500", 2)


def test_each_repetition_starts_anew(check: Make, step: Make, key: Make) -> None:
    """What one execution saved is not there in the next."""
    world = World(seen(body='{"id": 1}'), seen(body="{}"))
    attempt = world.attempt(check(step("/a", save=(Save("id", key("id")),)), repeat=Repeat(2, 2)))
    assert attempt.outcome is Outcome.FAILED


def test_an_ended_run_leaves_only_the_cleanup(check: Make, step: Make) -> None:
    """When time is over no further step is asked, but what was made is cleaned up."""
    world = World(seen(), seen())
    world.ended = True
    world.attempt(check(step("/a"), step("/b"), cleanup=(step("/clean"),), repeat=Repeat(2, 2)))
    assert world.paths() == ["/a", "/clean"]


def test_time_begins_when_the_first_probe_left(check: Make, step: Make) -> None:
    """The wait for a turn is not part of an attempt: a probe of 0.25 s answered after 1 s began 0.25 s before."""
    attempt = World(seen()).attempt(check(step()))
    assert (attempt.started, attempt.duration) == (1100.75, 0.25)


def test_time_of_a_silent_target_is_that_of_its_phases(check: Make, step: Make) -> None:
    """An error knows by its phases how long it took."""
    attempt = World(late()).attempt(check(step()))
    assert attempt.duration == pytest.approx(0.5)
    assert attempt.phases == {"connect": 0.1, "first_byte": 0.4}


def test_time_covers_every_step(check: Make, step: Make) -> None:
    """Later steps count from answer to answer."""
    assert World(seen(), seen()).attempt(check(step(), step())).duration == 1.25


def test_releases_are_collected(check: Make, step: Make) -> None:
    """Every release that answered is kept once, in order."""
    world = World(seen(release="a"), seen(release="b"), seen(release="a"))
    assert world.attempt(check(step(), step(), step())).releases == ("a", "b")


def test_an_ask_knows_when_it_is_settled(check: Make, step: Make) -> None:
    """A probe that may wait is told what it waits for."""
    world = World(seen())
    world.attempt(check(step()))
    assert world.asked[0].settled(seen(200))
    assert not world.asked[0].settled(seen(404))


def test_foreign_text_is_always_valid(check: Make, step: Make, key: Make) -> None:
    """Surrogates, controls and what turns the direction of writing show as escapes."""
    hostile = '{"id": "\\ud800\\u001b[2J\\u202e"}'
    expected = (Expectation("json", Matcher.of(1), selector=key("id")),)
    attempt = World(seen(500, hostile + "\x1b]0;\u202e")).attempt(check(step()))
    other = World(seen(body=hostile, release="\x9b\u2066")).attempt(check(step(expect=expected)))
    for text in (attempt.excerpt, other.findings[0].observed, *other.releases):
        assert text.encode("utf-8")
        assert not set(text) & set("\x1b\x9b\u202e\u2066\ud800")


def created(*answers: Answer) -> World:
    """A world with a ledger."""
    world = World(*answers)
    world.keeps_ledger = True
    return world


def test_what_is_created_is_noted_before_it_is_sent(check: Make, step: Make) -> None:
    """First how to undo it, then what the target calls it, in the end that it is gone."""
    world = created(seen(), seen(201, '{"id": "7"}'), seen(204))
    make = step("/things", method="POST", status=201, save=(ID,))
    attempt = world.attempt(check(step("/a"), make, cleanup=(step(UNDO, method="DELETE", status=204),)))
    assert attempt.outcome is Outcome.PASSED
    assert [note["record"] for note in world.notes] == ["intent", "learnt", "undone"]
    assert world.notes[0]["undo"][0]["place"] == "web:/things/${id}"
    assert leftovers(world.notes[:2])[0].variables == {"id": "7"}


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ((seen(400),), 0),  # the target has refused it
        ((GuardRefusalError("not sent"),), 0),
        ((late(),), 1),  # nobody knows
        ((seen(201, '{"id": "7"}'), seen(500)), 1),
        ((seen(201, '{"id": "7"}'), late()), 1),
        ((seen(201, '{"id": "7"}'), seen(404)), 0),  # it has gone by itself
        ((seen(201, "{}"),), 1),  # it has no name
    ],
)
def test_what_may_be_left_stays_in_the_ledger(check: Make, step: Make, answers: tuple[Answer, ...], left: int) -> None:
    """Unless the target says that it is not there, or that it was never made."""
    world = created(*answers)
    make = step("/things", method="POST", status=201, save=(ID,))
    world.attempt(check(make, cleanup=(step(UNDO, method="DELETE", status=204),)))
    assert len(leftovers(world.notes)) == left


def test_without_a_note_nothing_is_created(check: Make, step: Make) -> None:
    """A ledger that cannot be written is an error, and the request is not sent."""
    world = created()
    world.problem = PostdeployError("the disk is full")
    attempt = world.attempt(check(step("/things", method="POST"), cleanup=(step(UNDO, method="DELETE"),)))
    assert (attempt.outcome, attempt.error, world.asked) == (Outcome.ERRORED, "the disk is full", [])


def test_secrets_are_not_noted(check: Make, step: Make) -> None:
    """What was saved as a secret cannot be in a file."""
    world = created(seen(201, '{"id": "7"}'), seen(204))
    secret = Save("id", JsonPath("$.id"), secret=True)
    world.attempt(
        check(step("/things", method="POST", status=201, save=(secret,)), cleanup=(step(UNDO, method="DELETE"),))
    )
    assert "7" not in str([note["variables"] for note in world.notes if "variables" in note])
