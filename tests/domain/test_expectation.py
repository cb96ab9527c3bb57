from __future__ import annotations

from dataclasses import dataclass

from postdeploy.domain.expectation import Expectation, evaluate
from postdeploy.domain.matcher import Matcher
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.result import Finding
from postdeploy.domain.selection import MISSING

SEEN = HttpObservation(
    place="web:/",
    duration=0.25,
    method="GET",
    url="http://a.test/",
    status=500,
    headers=(("cache-control", "no-store"),),
    body=b'{"status": "bad"}',
)


@dataclass(frozen=True)
class Key:
    """A path to one key of an object."""

    key: str

    @property
    def text(self) -> str:
        """As people write it."""
        return f"$.{self.key}"

    def select(self, document: object) -> object:
        """The value of the key."""
        return document.get(self.key, MISSING) if isinstance(document, dict) else MISSING


def expect(subject: str, raw: object, **options: object) -> Expectation:
    """An expectation as people write it."""
    return Expectation(subject, Matcher.of(raw), **options)  # type: ignore[arg-type]  # the options of each test


def test_what_holds_is_no_finding() -> None:
    """An expectation that holds has nothing to say."""
    assert expect("status", {"ge": 500}).check(SEEN) is None


def test_what_does_not_hold_is_a_finding() -> None:
    """A finding names the subject, what was expected, what came, and where it stands."""
    finding = expect("status", 200, line=7, column=3).check(SEEN)
    assert finding == Finding("mismatch", "status", "200", "500", line=7, column=3)


def test_times_have_a_unit() -> None:
    """What took too long is told in seconds, as expected and as it was."""
    assert expect("within", {"le": 0.1}).check(SEEN) == Finding("mismatch", "within", "≤ 0.1 s", "0.25 s")


def test_argument_is_part_of_the_name() -> None:
    """An expectation of a header says which one."""
    finding = expect("header", {"contains": "max-age"}, argument="Cache-Control").check(SEEN)
    assert finding == Finding("mismatch", "header Cache-Control", 'contains "max-age"', '"no-store"')


def test_selector_is_part_of_the_name() -> None:
    """An expectation of a JSON value says which one, and is about that value alone."""
    assert expect("json", "bad", selector=Key("status")).check(SEEN) is None
    finding = expect("json", "ok", selector=Key("status")).check(SEEN)
    assert finding == Finding("mismatch", "json $.status", '"ok"', '"bad"')


def test_absent_value() -> None:
    """A value that is not there is observed as nothing."""
    finding = expect("json", 1, selector=Key("db")).check(SEEN)
    assert finding == Finding("mismatch", "json $.db", "1", "nothing")


def test_unreadable_subject() -> None:
    """What cannot be read is a finding of its own kind, never a pass."""
    html = HttpObservation(
        place="web:/", duration=0, method="GET", url="http://a.test/", status=200, headers=(), body=b"<html>"
    )
    finding = expect("json", {"not": 1}, selector=Key("status"), line=2).check(html)
    assert finding is not None
    assert (finding.code, finding.line) == ("unreadable", 2)
    assert finding.observed.startswith("not JSON: ")


def test_unknown_subject() -> None:
    """A word that this kind of observation does not know is a finding, never a pass."""
    finding = expect("title", "x").check(SEEN)
    assert finding is not None
    assert finding.code == "unreadable"


def test_render() -> None:
    """Rendering an expectation renders its matcher and nothing else."""
    expectation = expect("status", "${status}", line=7)
    assert expectation.render(lambda _: 500) == expect("status", 500, line=7)


def test_evaluate_keeps_the_order() -> None:
    """All findings come, in the order of the expectations, without what holds."""
    wrong = [expect("within", {"lt": 0.1}), expect("status", 500), expect("status", 200)]
    assert [finding.subject for finding in evaluate(wrong, SEEN)] == ["within", "status"]


def test_evaluate_of_nothing() -> None:
    """Without an expectation there is nothing to find."""
    assert evaluate([], SEEN) == ()
