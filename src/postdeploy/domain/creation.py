"""What a run creates on a target, and how it is undone: noted in a ledger before it is sent, so that no crash hides it.

A creation is told by up to three records of one ``id``: ``intent`` (with the recipe that undoes it), ``learnt`` (values
that the recipe needs, such as the id that the target gave), ``undone``. A recipe holds placeholders, never secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from postdeploy.domain.access import Location
from postdeploy.domain.check import HttpProbe, Save, Step
from postdeploy.domain.reading import array, mapping, optional_text, text
from postdeploy.lazy_dataclass import dataclass, field, replace

__all__ = ["Creation", "intent_record", "learnt_record", "leftovers", "placeholders", "recipe", "undone_record"]

_PLACEHOLDER: Final = r"\$\{([A-Za-z_][\w.]*)\}"
_SECRET: Final = "secrets."  # noqa: S105  # not a password


@dataclass(frozen=True, slots=True)
class Creation:
    """Something that may be left on a target.

    Args:
        id: unique.
        target: where it is.
        run: the run that made it.
        check: the check that made it.
        undo: the requests that undo it, in order, as ``recipe`` makes them.
        variables: what their placeholders stand for, as far as it is known; never a secret.
    """

    id: str
    target: str
    run: str
    check: str
    undo: tuple[Mapping[str, Any], ...]
    variables: Mapping[str, Any] = field(default_factory=dict)


def recipe(step: Step) -> dict[str, Any]:
    """A request as JSON, its placeholders as they stand. Raises TypeError for a step that is none."""
    probe = step.probe
    if not isinstance(probe, HttpProbe):
        raise TypeError("only requests can undo what was created")
    optional = {"headers": dict(probe.headers) or None, "body": probe.body, "auth": probe.auth}
    saves = [_save(save) for save in step.save]
    return {
        "method": probe.method,
        "place": str(probe.location),
        "timeout": step.timeout,
        **({"json": probe.json} if probe.has_json else {}),
        **{key: value for key, value in optional.items() if value is not None},
        **({"save": saves} if saves else {}),
    }


def _save(save: Save) -> dict[str, Any]:
    return {"name": save.name, "json": save.selector.text if save.selector else None, "header": save.header}


def placeholders(undo: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The variables that recipes name, but for secrets, which are found when they are needed."""
    found = {name for one in undo for name in re.findall(_PLACEHOLDER, repr(one))}
    return frozenset(name for name in found if not name.startswith(_SECRET))


def intent_record(creation: Creation, at: float) -> dict[str, Any]:
    """To be on disk before the request that creates is sent."""
    return {
        "record": "intent",
        "id": creation.id,
        "target": creation.target,
        "run": creation.run,
        "check": creation.check,
        "at": at,
        "undo": list(creation.undo),
        "variables": dict(creation.variables),
    }


def learnt_record(creation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the target has said of it."""
    return {"record": "learnt", "id": creation, "variables": dict(variables)}


def undone_record(creation: str) -> dict[str, Any]:
    """It is not there any more."""
    return {"record": "undone", "id": creation}


def leftovers(records: Iterable[Mapping[str, Any]]) -> tuple[Creation, ...]:
    """What was not undone, the newest first. A record that cannot be read raises KeyError, TypeError or ValueError."""
    found: dict[str, Creation] = {}
    for record in records:
        kind, number = text(record["record"]), text(record["id"])
        if kind == "intent":
            found[number] = _intent(record)
        elif kind == "learnt":
            if number in found:
                one = found[number]
                found[number] = replace(one, variables={**one.variables, **mapping(record["variables"])})
        elif kind == "undone":
            found.pop(number, None)
        else:
            raise ValueError(f"the ledger knows no record '{kind}'")
    return tuple(reversed(found.values()))


def _intent(record: Mapping[str, Any]) -> Creation:
    undo = tuple(_request(mapping(one)) for one in array(record["undo"]))
    number, target, run, check = (text(record[key]) for key in ("id", "target", "run", "check"))
    return Creation(number, target, run, check, undo, dict(mapping(record["variables"])))


def _request(one: Mapping[str, Any]) -> Mapping[str, Any]:
    text(one["method"]), _place(text(one["place"])), optional_text(one.get("auth"))
    for save in array(one.get("save", ())):
        text(mapping(save)["name"])
    return one


def _place(place: str) -> Location:
    service, colon, path = place.partition(":")
    if not colon or not path.startswith("/"):
        raise ValueError(f"not a place: {place}")
    return Location(service, path)
