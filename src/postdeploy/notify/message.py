"""What people are told of a verdict, before any receiver's own form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from postdeploy.domain.alert import Event, EventKind
from postdeploy.domain.document import iso
from postdeploy.exporters.escaping import visible
from postdeploy.lazy_dataclass import dataclass
from postdeploy.notify.alert_news import AlertNews, Tone
from postdeploy.standing import Standing

__all__ = ["AlertNews", "Message", "Tone", "clipped", "message_of", "message_of_alert"]

_LONG: Final = 4000
_NAME: Final = 200
_NAMED: Final = 20
"""Checks that an alert names; more are in the report."""

_SHOWN: Final = ("passed", "failed", "errored", "blocked", "skipped", "not_run")
_LINK: Final = re.compile(r"https?://[!#-;=?-\[\]_a-z~%]{1,1900}")
"""A URL as receivers take it, without quotes, angle brackets, bars and blanks."""


_SIGNS: Final[Mapping[Tone, str]] = {
    Tone.GOOD: "\N{WHITE HEAVY CHECK MARK}",
    Tone.BAD: "\N{CROSS MARK}",
    Tone.UNSURE: "\N{WARNING SIGN}\N{VARIATION SELECTOR-16}",
}


@dataclass(frozen=True, slots=True)
class Message:
    """The news.

    Args:
        target: its name.
        release: which one, if any in particular.
        verdict: ``pass``, ``fail`` or ``inconclusive``.
        action: ``promote``, ``hold`` or ``rollback``.
        reason: of the verdict's closed list, or ``no_proof``.
        summary: one line.
        cause: the first cause, in one line; None if there is none.
        causes: how many there are.
        counts: checks by what became of them.
        run: its id, if it is proven.
        link: where to read on: the pipeline's page, or another URL.
        report: a path to a page for people, if one was written.
        before: the standing that was told last, such as ``pass/promote``; None if that is not known.
        at: RFC 3339.
        alert: what has become of which alert, if that is the news.
    """

    target: str
    release: str | None
    verdict: str
    action: str
    reason: str
    summary: str
    cause: str | None
    causes: int
    counts: str
    run: str | None
    link: str | None
    report: str | None
    before: str | None
    at: str
    alert: AlertNews | None = None

    @property
    def title(self) -> str:
        """The news in a line, such as ``staging: FAIL, roll back`` or ``production: OUTAGE``."""
        if self.alert is not None:
            return f"{self.target}: {self.alert.headline}"
        action = {"rollback": "roll back"}.get(self.action, self.action)
        return f"{self.target}: {self.verdict.upper()}, {action}"

    @property
    def tone(self) -> Tone:
        """How it is."""
        if self.alert is not None:
            return self.alert.tone
        return {"promote": Tone.GOOD, "rollback": Tone.BAD}.get(self.action, Tone.UNSURE)

    @property
    def sign(self) -> str:
        """One character that says how it is."""
        return _SIGNS[self.tone]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What stands below the title, by name."""
        cause = self.cause and (self.cause if self.causes == 1 else f"{self.cause} (first of {self.causes} causes)")
        named: dict[str, str | None] = {
            "Release": self.release, "Reason": self.reason, "Cause": cause, "Checks": self.counts,
            "Before": self.before, "Run": self.run, "Report": self.report,
        }  # fmt: skip
        if self.alert is not None:
            named = {"Checks failing": ", ".join(self.alert.checks), **self.alert.facts, **named}
        return [(name, value) for name, value in named.items() if value]


def message_of(
    standing: Standing, *, before: str | None = None, link: str | None = None, report: str | None = None
) -> Message:
    """The news about what is known now; ``link`` is used where the verdict names no pipeline."""
    document: dict[str, Any] = dict(standing.believed.document) if standing.believed else {}
    causes = document.get("causes", [])
    run = document.get("run", {})
    return Message(
        target=_line(standing.demand.target),
        release=_line(standing.demand.release or "") or None,
        verdict=standing.verdict,
        action=standing.action,
        reason=standing.reason,
        summary=clipped(_line(standing.summary), _LONG),
        cause=clipped(_line(causes[0]["summary"]), _LONG) if causes else None,
        causes=len(causes),
        counts=_counts(document.get("counts", {})),
        run=_line(run.get("id", "")) or None,
        link=_link(link, (run.get("ci") or {}).get("url")),
        report=_line(report or "") or None,
        before=before,
        at=iso(standing.demand.now),
    )


def message_of_alert(target: str, event: Event, *, link: str | None = None, report: str | None = None) -> Message:
    """The news about an alert of a monitor; ``link`` is used where its run names no pipeline."""
    alert, run, over = event.alert, event.run, event.kind is EventKind.RECOVERED
    cause = alert.cause if over or not run.cause else run.cause
    checks = alert.checks if event.kind is EventKind.SPREAD or not event.checks else event.checks
    return Message(
        target=_line(target),
        release=_line(run.release or "") or None,
        verdict=run.verdict,
        action="hold",
        reason=run.reason,
        summary=clipped(_line(run.summary), _LONG),
        cause=clipped(_line(cause), _LONG) if cause else None,
        causes=1,
        counts="",
        run=_line(run.id),
        link=_link(run.link, alert.link, link),
        report=_line(report or "") or None,
        before=None,
        at=iso(event.at),
        alert=AlertNews(
            kind=alert.kind.value,
            event=event.kind.value,
            id=_line(alert.id),
            since=iso(alert.since),
            seconds=max(0, round(event.at - alert.since)),
            runs=alert.runs,
            checks=tuple(clipped(_line(name), _NAME) for name in list(checks.values())[:_NAMED]),
            flapping=alert.turns > 0,
        ),
    )


def clipped(text: str, longest: int) -> str:
    """At most so many UTF-16 units, as receivers count; what is cut shows."""
    if _units(text) <= longest:
        return text
    cut = text.encode("utf-16-le")[: 2 * (longest - 1)].decode("utf-16-le", "ignore")
    return cut + "\N{HORIZONTAL ELLIPSIS}"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in _SHOWN if counts.get(name))


def _link(*given: str | None) -> str | None:
    """The first that is a URL and nothing else."""
    return next((link for link in given if link and _LINK.fullmatch(link)), None)
