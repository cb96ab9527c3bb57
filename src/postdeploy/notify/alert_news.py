"""What people are told of an alert of a monitor, before any receiver's own form."""

from __future__ import annotations

from enum import StrEnum

from postdeploy.lazy_dataclass import dataclass

__all__ = ["AlertNews", "Tone"]


class Tone(StrEnum):
    """How news are."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class AlertNews:
    """What has become of an alert of a monitor.

    Args:
        kind: ``outage``, or ``blind`` if nobody can tell how the target is.
        event: ``opened``, ``spread``, ``reminder`` or ``recovered``.
        id: the run that opened it.
        since: when it began, RFC 3339; and how many ``seconds`` ago.
        runs: how many runs failed, or could not tell, since then.
        checks: names of the checks that it is about.
        flapping: whether it keeps coming back.
    """

    kind: str
    event: str
    id: str
    since: str
    seconds: int
    runs: int
    checks: tuple[str, ...]
    flapping: bool

    @property
    def headline(self) -> str:
        """The news without its target."""
        blind = self.kind == "blind"
        words = {
            "opened": "the monitor cannot tell" if blind else "OUTAGE, FLAPPING" if self.flapping else "OUTAGE",
            "spread": "OUTAGE SPREADS",
            "reminder": "the monitor still cannot tell" if blind else "STILL DOWN",
            "recovered": "the monitor can tell again" if blind else "RECOVERED",
        }
        return words[self.event]

    @property
    def tone(self) -> Tone:
        """How it is."""
        if self.event == "recovered":
            return Tone.GOOD
        return Tone.UNSURE if self.kind == "blind" else Tone.BAD

    @property
    def facts(self) -> dict[str, str]:
        """What stands below the title, by name."""
        runs = f"{self.runs} {'could not tell' if self.kind == 'blind' else 'failed'}"
        return {"Since": f"{self.since} ({_span(self.seconds)})", "Runs": runs}


def _span(seconds: int) -> str:
    minutes = seconds // 60
    hours, days = minutes // 60, minutes // (24 * 60)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
