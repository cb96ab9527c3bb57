"""Filling ``${name}`` in what a step sends and expects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from postdeploy.domain.check import HttpProbe, PageProbe, Probe, Step, WebsocketProbe, authorization
from postdeploy.domain.target import Location, Target
from postdeploy.engine.context import RunContext
from postdeploy.lazy_dataclass import replace

__all__ = ["UnfitVariableError", "UnknownVariableError", "render_step", "variables_of"]

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z_][\w.]*)\}")


class UnknownVariableError(LookupError):
    """A step names a variable that no earlier step has saved."""


class UnfitVariableError(ValueError):
    """A variable has a value that cannot stand where it is used."""


def variables_of(target: Target, context: RunContext) -> dict[str, object]:
    """What every check of a run may name."""
    secrets = {f"secrets.{name}": secret.reveal() for name, secret in target.secrets.items()}
    return {**secrets, "target": target.name, "release": context.expected or "", "run.id": context.run_id}


def render_step(step: Step, variables: Mapping[str, object]) -> Step:
    """The step with every placeholder filled. Raises UnknownVariableError or UnfitVariableError."""
    if not step.templated:
        return step

    def text(raw: str) -> object:
        return _fill(raw, variables)

    return replace(
        step,
        probe=_render_probe(step.probe, text, variables),
        expectations=tuple(expectation.render(text) for expectation in step.expectations),
    )


def _render_probe(probe: Probe, text: Callable[[str], object], variables: Mapping[str, object]) -> Probe:
    if isinstance(probe, HttpProbe):
        return replace(
            probe,
            location=_place(probe.location, variables),
            headers={name: _spell(text(value)) for name, value in probe.headers.items()},
            json=_tree(probe.json, text),
            body=None if probe.body is None else _spell(text(probe.body)),
            auth=None if probe.auth is None else authorization(_spell(text(probe.auth))),
        )
    if isinstance(probe, WebsocketProbe):
        return replace(
            probe,
            location=_place(probe.location, variables),
            send=tuple(_spell(text(message)) for message in probe.send),
            headers={name: _spell(text(value)) for name, value in probe.headers.items()},
            auth=None if probe.auth is None else authorization(_spell(text(probe.auth))),
        )
    if isinstance(probe, PageProbe):
        return replace(probe, location=_place(probe.location, variables))
    return probe


def _place(location: Location, variables: Mapping[str, object]) -> Location:
    def escape(match: re.Match[str]) -> str:
        return quote(_spell(_look_up(match[1], variables)), safe="", encoding="utf-8", errors="backslashreplace")

    path, mark, query = location.path.partition("?")
    segments = [_segment(segment, _PLACEHOLDER.sub(escape, segment)) for segment in path.split("/")]
    return Location(location.service, "/".join(segments) + mark + _PLACEHOLDER.sub(escape, query))


def _segment(raw: str, filled: str) -> str:
    """What an answer has saved must not turn a path into another one: ``/orders/${id}`` into ``/orders/``."""
    if filled in {"", ".", ".."} and filled != raw:
        raise UnfitVariableError(f"{raw} is {filled!r}, which cannot stand between slashes")
    return filled


def _tree(value: Any, text: Callable[[str], object]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: _tree(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(item, text) for item in value]
    return value


def _fill(raw: str, variables: Mapping[str, object]) -> object:
    """A text that is one placeholder takes the variable's own type, so that numbers stay numbers."""
    whole = _PLACEHOLDER.fullmatch(raw)
    if whole:
        return _look_up(whole[1], variables)
    return _PLACEHOLDER.sub(lambda match: _spell(_look_up(match[1], variables)), raw)


def _spell(value: object) -> str:
    """A text as it is, everything else as JSON spells it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _look_up(name: str, variables: Mapping[str, object]) -> object:
    try:
        return variables[name]
    except KeyError:
        raise UnknownVariableError(f"${{{name}}} has no value: no earlier step saved it") from None
