"""The ``check`` mark of Python tests: what it may say, and what is wrong with one that says something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import pytest

from postdeploy.domain.check import ISSUE, Kind, When
from postdeploy.domain.policy import VANTAGE_NAME, Severity
from postdeploy.domain.quarantine import Quarantine

__all__ = ["arguments", "find_problems", "names_of", "when_of"]

_WORDS: Final = {"severity": tuple(map(str, Severity)), "kind": tuple(map(str, Kind))}
_TEXTS: Final = ("owner", "runbook")
_REQUEST: Final = r"[A-Z]+ +[a-z][a-z0-9_]*:/\S*"
_KEYS: Final = (*_WORDS, *_TEXTS, "issue", "when", "repeatable", "quarantine", "vantages")


def arguments(item: pytest.Item) -> Mapping[str, Any]:
    """The arguments of all ``check`` marks of a test, the closest one last."""
    merged: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("check"))):
        merged |= mark.kwargs
    return merged


def when_of(raw: Any) -> When:
    """On which targets a test runs; ``raw`` has no problem."""
    return When(frozenset(names_of(raw)))


def names_of(raw: Any) -> tuple[str, ...]:
    """One name or several; ``raw`` has no problem."""
    return (raw,) if isinstance(raw, str) else tuple(raw)


def find_problems(nodes: Iterable[object]) -> list[str]:
    """Everything that is wrong with the marks of collected tests, with the place of each."""
    tests = (node for node in nodes if isinstance(node, pytest.Function))
    return [f"{_place(test)}: {text}" for test in tests for text in _problems(test)]


def _place(item: pytest.Item) -> str:
    path, line, _ = item.location
    return f"{path}:{(line or 0) + 1}"


def _problems(item: pytest.Item) -> Iterator[str]:
    marks = list(item.iter_markers("check"))
    yield from _strange_writes(item)
    if any(mark.args for mark in marks):
        yield "the 'check' mark takes keyword arguments only"
    found = arguments(item).items() if marks else ()
    yield from (problem for key, value in found if (problem := _problem(key, value)))


def _problem(key: str, value: Any) -> str | None:
    """What is wrong with one argument."""
    if key not in _KEYS:
        return f"the 'check' mark knows no '{key}'{_close(key, _KEYS)}"
    if key in _WORDS:
        known, word = _WORDS[key], str(value)
        return None if word in known else f"{key} {value!r} is none of {', '.join(known)}{_close(word, known)}"
    if key in _TEXTS:
        return None if isinstance(value, str) else f"{key} takes a text, not {value!r}"
    fits, wanted = _OTHERS[key]
    return None if fits(value) else wanted.format(value)


def _strange_writes(item: pytest.Item) -> Iterator[str]:
    for text in (text for mark in item.iter_markers("writes") for text in mark.args):
        if not isinstance(text, str) or not re.fullmatch(_REQUEST, text):
            yield f"the 'writes' mark takes requests such as 'POST api:/orders', not {text!r}"


def _is_quarantine(raw: Any) -> bool:
    try:
        return Quarantine.from_json(raw).to_json() == raw and all(map(str.strip, raw.values()))
    except (KeyError, TypeError, ValueError):
        return False


def _names(raw: Any) -> bool:
    names = (raw,) if isinstance(raw, str) else raw
    return isinstance(names, tuple | list | set | frozenset) and all(isinstance(name, str) for name in names)


_OTHERS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "issue": (
        lambda raw: _names(raw) and all(re.fullmatch(ISSUE, url) for url in names_of(raw)),
        "'issue' takes the URL of an issue or a list of them, not {!r}",
    ),
    "when": (_names, "'when' takes the name of a target or a list of them"),
    "vantages": (
        lambda raw: _names(raw) and all(re.fullmatch(VANTAGE_NAME, name) for name in names_of(raw)),
        "'vantages' takes the name of a vantage or a list of them, not {!r}",
    ),
    "repeatable": (lambda value: isinstance(value, bool), "repeatable takes True or False, not {!r}"),
    "quarantine": (_is_quarantine, "quarantine takes a dict of 'owner', 'until' (YYYY-MM-DD) and 'reason'"),
}


def _close(word: str, options: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(options), 1)
    return f" (did you mean '{close[0]}'?)" if close else ""
