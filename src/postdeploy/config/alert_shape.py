"""``alerts`` of a target: when people are told of an outage, and when they are not; and its ``heartbeat``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from postdeploy.config.node import Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Shape, Type, list_of
from postdeploy.config.values import DURATION, LINE, count, read_line
from postdeploy.domain.alerting import AlertPolicy
from postdeploy.domain.mute import DeployMute, Once, Weekly, Window

__all__ = ["ALERTS", "alert_policy"]

_AFTER: Final = r"([0-9]{1,2}) of ([0-9]{1,2})"
_MOST: Final = 50
_NEVER: Final = "never"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = "|".join(_DAYS)
_WEEKLY: Final = rf"(?:(daily)|({_DAY})(?:-({_DAY}))?) ([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])"
_MOMENT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})"
_MINUTES: Final = 24 * 60


def _read_after(node: Node, _scope: Scope) -> tuple[int, int]:
    match = re.fullmatch(_AFTER, read_line(node))
    failing, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= failing <= of <= _MOST:
        raise Wrong(f"takes how many of how many runs, not {seen(node)}", f"such as 2 of 3; at most {_MOST}")
    return failing, of


def _or_never(kind: Type) -> Type:
    """A value, or the word that there is none."""

    def read(node: Node, scope: Scope) -> Any:
        return None if node.value == _NEVER else kind.read(node, scope)

    return Type(read, {"anyOf": [kind.schema, {"const": _NEVER}]})


def _read_moment(node: Node, _scope: Scope) -> float:
    text = read_line(node)
    try:
        moment = datetime.fromisoformat(text) if re.fullmatch(_MOMENT, text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Wrong(f"takes a moment with its zone, not {seen(node)}", "such as 2026-12-01T02:00Z or …+09:00")
    return moment.timestamp()


def _read_weekly(node: Node, _scope: Scope) -> tuple[tuple[int, ...], int, int]:
    """The days on which it begins, the minute at which it does, and how many minutes it takes."""
    match = re.fullmatch(_WEEKLY, read_line(node))
    begin, end = (int(match[4]) * 60 + int(match[5]), int(match[6]) * 60 + int(match[7])) if match else (0, 0)
    if match is None or begin == end or end > _MINUTES:
        raise Wrong(f"takes days and two times, not {seen(node)}", "such as sun 02:00-04:00, mon-fri … or daily …")
    return _days(match[1], match[2], match[3]), begin, (end - begin) % _MINUTES or _MINUTES


def _days(daily: str | None, first: str, last: str | None) -> tuple[int, ...]:
    if daily:
        return tuple(range(7))
    begin = _DAYS.index(first)
    length = (_DAYS.index(last or first) - begin) % 7 + 1
    return tuple(sorted((begin + each) % 7 for each in range(length)))


def _read_zone(node: Node, _scope: Scope) -> tzinfo:
    name = read_line(node)
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Wrong(f"takes the name of a time zone, not {seen(node)}", "such as Europe/Berlin") from None


_WINDOW: Final = Shape(
    {
        "from": Field(Type(_read_moment, {"type": "string", "pattern": f"^{_MOMENT}$"}), "The moment it begins."),
        "until": Field(Type(_read_moment, {"type": "string", "pattern": f"^{_MOMENT}$"}), "The moment it is over."),
        "weekly": Field(
            Type(_read_weekly, {"type": "string", "pattern": f"^{_WEEKLY}$"}),
            "The days, and the times of the day: sun 02:00-04:00, mon-fri 22:00-01:00, daily 03:00-03:30.",
        ),
        "zone": Field(
            Type(_read_zone, {"type": "string", "minLength": 1}), "The clock by which it is weekly. Default: UTC."
        ),
        "reason": Field(LINE, "Why, as people read it. Default: maintenance."),
    }
)


def _read_window(node: Node, scope: Scope) -> Window | None:
    """A window of one of two kinds; None if something in it was reported."""
    wrong = len(scope.report.problems)
    values = _WINDOW.read(node, scope)
    keys = set(node.value) - {"reason"}
    if len(scope.report.problems) > wrong:
        return None
    reason = values.get("reason", "maintenance")
    if keys == {"from", "until"}:
        if not values["from"] < values["until"]:
            raise Wrong("ends before it begins")
        return Once(values["from"], values["until"], reason)
    if "weekly" in keys and keys <= {"weekly", "zone"}:
        days, begin, minutes = values["weekly"]
        return Weekly(days, begin, minutes, values.get("zone", UTC), reason)
    raise Wrong("takes either 'from' and 'until', or 'weekly' and perhaps 'zone'")


_DEPLOYS: Final = Shape(
    {
        "after": Field(DURATION, "How long after its verification a deploy still mutes. Default: 10m."),
        "longest": Field(DURATION, "How long a deploy mutes at most while it is going on. Default: 1h."),
    }
)
_SCHEMA: Final = {**_WINDOW.schema, "anyOf": [{"required": ["from", "until"]}, {"required": ["weekly"]}]}
_SHAPE: Final = Shape(
    {
        "after": Field(
            Type(_read_after, {"type": "string", "pattern": f"^{_AFTER}$"}),
            "How many of the last runs that could tell have to fail before an alert. Default: 2 of 3.",
        ),
        "recovery": Field(count(1, _MOST), "How many passes in a row end an alert. Default: 2."),
        "remind": Field(_or_never(DURATION), "How often an alert that lasts is told again, or never. Default: 4h."),
        "blind": Field(
            count(1, 1000), "How many runs in a row have to be inconclusive before that is an alert. Default: 5."
        ),
        "deploys": Field(_or_never(_DEPLOYS.type), "How long deploys mute alerts, or never."),
        "maintenance": Field(list_of(Type(_read_window, _SCHEMA)), "When alerts are muted by schedule."),
    }
)
ALERTS: Final = _SHAPE.type
"""When scheduled runs alert."""


def alert_policy(values: dict[str, Any]) -> AlertPolicy:
    """The policy that was read."""
    default, mute = AlertPolicy(), DeployMute()
    failing, of = values.get("after", (default.failing, default.of))
    deploys = values.get("deploys", {})
    return AlertPolicy(
        failing=failing,
        of=of,
        recovery=values.get("recovery", default.recovery),
        remind=values.get("remind", default.remind),
        blind=values.get("blind", default.blind),
        windows=tuple(window for window in values.get("maintenance", ()) if window is not None),
        deploys=None
        if deploys is None
        else DeployMute(deploys.get("after", mute.after), deploys.get("longest", mute.longest)),
    )
