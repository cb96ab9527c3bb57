"""A pure predicate over an observation; what does not hold becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from postdeploy.domain.matcher import Matcher, show
from postdeploy.domain.observation import Observation, UnreadableError
from postdeploy.domain.result import Finding
from postdeploy.domain.selection import Selector
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = ["Expectation", "evaluate"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold.

    Args:
        subject: a word of the observation, such as ``status`` or ``header``.
        matcher: how its value must be.
        argument: which one of it, such as the name of a header or a selector of a page.
        selector: where in a JSON document, for the subject ``json``.
        line: where it stands in its file, 1-based; 0 if nowhere.
        column: the same.
    """

    subject: str
    matcher: Matcher
    argument: str | None = None
    selector: Selector | None = None
    line: int = 0
    column: int = 0

    @property
    def name(self) -> str:
        """What it is about, as people write it."""
        detail = self.selector.text if self.selector else self.argument
        return f"{self.subject} {detail}" if detail else self.subject

    def render(self, text: Callable[[str], object]) -> Expectation:
        """The same expectation with the strings of its matcher passed through ``text``."""
        return replace(self, matcher=self.matcher.render(text))

    def check(self, observation: Observation) -> Finding | None:
        """None if it holds, else what is wrong."""
        try:
            value = observation.subject(self.subject, self.argument)
        except UnreadableError as error:
            return self._finding("unreadable", str(error))
        if self.selector is not None:
            value = self.selector.select(value)
        if self.matcher.test(value):
            return None
        return self._finding("mismatch", show(value) + self._unit)

    @property
    def _unit(self) -> str:
        return " s" if self.subject == "within" else ""

    def _finding(self, code: str, observed: str) -> Finding:
        expected = f"{self.matcher}{self._unit}"
        return Finding(code, self.name, expected, observed, line=self.line, column=self.column)


def evaluate(expectations: Iterable[Expectation], observation: Observation) -> tuple[Finding, ...]:
    """Every finding, in the order of the expectations; empty if all hold."""
    findings = [expectation.check(observation) for expectation in expectations]
    return tuple([finding for finding in findings if finding is not None])
