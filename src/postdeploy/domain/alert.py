"""What a monitor remembers of a target between its runs: how the last ones went, which alerts are open, who is told."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from postdeploy.domain.reading import array, count, flag, mapping, number, optional_text, text
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Alert", "AlertKind", "AlertState", "Event", "EventKind", "Lease", "Recent", "RunSeen"]


class AlertKind(StrEnum):
    """What an alert is about."""

    OUTAGE = "outage"
    """The target fails."""

    BLIND = "blind"
    """Nobody can tell how the target is."""


class EventKind(StrEnum):
    """What people are told."""

    OPENED = "opened"
    SPREAD = "spread"
    """More checks fail than those that were named."""

    REMINDER = "reminder"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class RunSeen:
    """What a run means to the alerts; times are seconds since the epoch.

    Args:
        at: when it finished.
        verdict: ``pass``, ``fail`` or ``inconclusive``.
        checks: the names of the checks that failed, by id.
        cause: the first cause, in one line.
        release: the one that answered, if all services said the same.
        link: where to read on.
    """

    id: str
    at: float
    verdict: str
    reason: str
    summary: str
    checks: Mapping[str, str] = field(default_factory=dict)
    cause: str | None = None
    release: str | None = None
    link: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {name: getattr(self, name) for name in self.__slots__} | {"checks": dict(self.checks)}

    @classmethod
    def from_json(cls, raw: object) -> RunSeen:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            id=text(fields["id"]),
            at=number(fields["at"]),
            verdict=text(fields["verdict"]),
            reason=text(fields["reason"]),
            summary=text(fields["summary"]),
            checks=_texts(fields["checks"]),
            cause=optional_text(fields["cause"]),
            release=optional_text(fields["release"]),
            link=optional_text(fields["link"]),
        )


@dataclass(frozen=True, slots=True)
class Recent:
    """One of the last runs that could tell: whether it failed, in which checks, and whether alerts were muted."""

    failed: bool
    checks: Mapping[str, str] = field(default_factory=dict)
    muted: bool = False

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {"failed": self.failed, "checks": dict(self.checks), "muted": self.muted}

    @classmethod
    def from_json(cls, raw: object) -> Recent:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(flag(fields["failed"]), _texts(fields["checks"]), flag(fields["muted"]))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is open; times are seconds since the epoch.

    Args:
        id: the run that opened it.
        since: when the first of its runs finished.
        told: when people were last told of it.
        runs: how many of its runs failed, or could not tell.
        checks: names of the checks that it names, by id.
        cause: the first cause of the first run that it was told of.
        turns: how often it has come back soon after it had recovered.
        link: where to read on.
    """

    kind: AlertKind
    id: str
    since: float
    opened: float
    told: float
    runs: int
    checks: Mapping[str, str] = field(default_factory=dict)
    cause: str | None = None
    turns: int = 0
    link: str | None = None

    @property
    def end(self) -> str:
        """The id of the event that it is over."""
        return f"{self.kind}/{EventKind.RECOVERED}/{self.id}"

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {"kind": self.kind.value, "checks": dict(self.checks)}

    @classmethod
    def from_json(cls, raw: object) -> Alert:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            kind=AlertKind(text(fields["kind"])),
            id=text(fields["id"]),
            since=number(fields["since"]),
            opened=number(fields["opened"]),
            told=number(fields["told"]),
            runs=count(fields["runs"]),
            checks=_texts(fields["checks"]),
            cause=optional_text(fields["cause"]),
            turns=count(fields["turns"]),
            link=optional_text(fields["link"]),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell, and who has heard it; ``checks`` are those that it is new of."""

    kind: EventKind
    at: float
    run: RunSeen
    alert: Alert
    checks: Mapping[str, str] = field(default_factory=dict)
    heard: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The same wherever it is made: an alert is opened once and is over once."""
        if self.kind is EventKind.RECOVERED:
            return self.alert.end
        return f"{self.alert.kind}/{self.kind}/{self.run.id}"

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {
            "kind": self.kind.value,
            "at": self.at,
            "run": self.run.to_json(),
            "alert": self.alert.to_json(),
            "checks": dict(self.checks),
            "heard": list(self.heard),
        }

    @classmethod
    def from_json(cls, raw: object) -> Event:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(
            *(EventKind(text(fields["kind"])), number(fields["at"])),
            *(RunSeen.from_json(fields["run"]), Alert.from_json(fields["alert"])),
            *(_texts(fields["checks"]), _lines(fields["heard"])),
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """Who tells people now, and until when nobody else does."""

    by: str
    until: float

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        return {"by": self.by, "until": self.until}

    @classmethod
    def from_json(cls, raw: object) -> Lease:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        return cls(text(fields["by"]), number(fields["until"]))


@dataclass(frozen=True, slots=True)
class AlertState:
    """Everything that is remembered of one target.

    Args:
        version: how often it has changed.
        last: the run that changed it last.
        release: which release answers, and ``released`` since when.
        recent: the last runs that could tell, oldest first.
        since: when the first failure was seen of those that may become an alert; None while all is well.
        failures: how many runs have failed since then.
        passes: runs in a row that passed, not counting those that could not tell; and how many ``fails`` there were.
        blind: runs in a row that could not tell, and ``blind_since`` when the first of them finished.
        seeing: runs in a row that could tell.
        calm: runs that could tell since an outage was over; None if there was none.
        turns: how often the last outage has come back soon after it was over.
        outage: the open alert that the target fails.
        blindness: the open alert that nobody can tell.
        outbox: what is still to be told, oldest first.
        told: ids of what everybody has heard, the last ones.
        runs: ids of the runs that were counted, the last ones.
        lease: who tells people now.
    """

    target: str
    version: int = 0
    last: RunSeen | None = None
    release: str | None = None
    released: float | None = None
    recent: tuple[Recent, ...] = ()
    since: float | None = None
    failures: int = 0
    passes: int = 0
    fails: int = 0
    blind: int = 0
    blind_since: float | None = None
    seeing: int = 0
    calm: int | None = None
    turns: int = 0
    outage: Alert | None = None
    blindness: Alert | None = None
    outbox: tuple[Event, ...] = ()
    told: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    lease: Lease | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON builtins."""
        made = {name: getattr(self, name) for name in self.__slots__}
        made |= {name: made[name] and made[name].to_json() for name in ("last", "outage", "blindness", "lease")}
        made |= {name: [each.to_json() for each in made[name]] for name in ("recent", "outbox")}
        return made | {name: list(made[name]) for name in ("told", "runs")}

    @classmethod
    def from_json(cls, raw: object) -> AlertState:
        """Back from JSON. Raises KeyError, TypeError or ValueError on anything else."""
        fields = mapping(raw)
        found: dict[str, Any] = {"target": text(fields["target"]), "release": optional_text(fields["release"])}
        for name in ("version", "failures", "passes", "fails", "blind", "seeing", "turns"):
            found[name] = count(fields[name])
        for name in ("released", "since", "blind_since"):
            found[name] = None if fields[name] is None else number(fields[name])
        for name, kind in (("last", RunSeen), ("outage", Alert), ("blindness", Alert), ("lease", Lease)):
            found[name] = None if fields[name] is None else kind.from_json(fields[name])
        found["calm"] = None if fields["calm"] is None else count(fields["calm"])
        found["recent"] = tuple(Recent.from_json(each) for each in array(fields["recent"]))
        found["outbox"] = tuple(Event.from_json(each) for each in array(fields["outbox"]))
        return cls(**found, told=_lines(fields["told"]), runs=_lines(fields["runs"]))


def _texts(raw: object) -> dict[str, str]:
    return {name: text(value) for name, value in mapping(raw).items()}


def _lines(raw: object) -> tuple[str, ...]:
    return tuple(text(each) for each in array(raw))
