"""The vocabulary of expectations: a plain value means equals, a mapping of words means each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from postdeploy.domain.comparison import TYPES, equal, finite, is_type, ordered
from postdeploy.domain.selection import MISSING
from postdeploy.lazy_dataclass import dataclass

__all__ = ["TYPES", "WORDS", "Matcher", "MatcherError", "show"]

_SHOWN: Final = 200


class MatcherError(ValueError):
    """A matcher that cannot be: an unknown word, or an operand that does not fit it. ``word`` is the offender."""

    def __init__(self, message: str, word: str | None = None) -> None:
        self.word = word
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One word of the vocabulary with its operand; operands of the composing words are matchers themselves."""

    word: str
    operand: object

    @classmethod
    def of(cls, raw: object) -> Matcher:
        """The matcher that people wrote. Raises MatcherError."""
        if isinstance(raw, Matcher):
            return raw
        if not isinstance(raw, Mapping):
            return cls("eq", raw)
        if not raw:
            raise MatcherError("an empty mapping expects nothing")
        parts = [_part(word, operand) for word, operand in raw.items()]
        return parts[0] if len(parts) == 1 else cls("all", tuple(parts))

    def test(self, value: object) -> bool:
        """Whether the value is as expected."""
        if value is MISSING and self.word not in _SEES_MISSING:
            return False
        return _TESTS[self.word](value, self.operand)

    def render(self, text: Callable[[str], object]) -> Matcher:
        """The same matcher with every string of its operand passed through ``text``.

        Raises MatcherError where what came out does not fit the word: an empty text would hold for everything.
        """
        operand = _render(self.operand, text)
        return Matcher(self.word, _RENDERED.get(self.word, _anything)(self.word, operand))

    def __str__(self) -> str:
        """As people read it: ``≥ 21``, ``one of ["ok", "degraded"]``."""
        return _PHRASES[self.word](self.operand)


def _render(operand: object, text: Callable[[str], object]) -> object:
    if isinstance(operand, Matcher):
        return operand.render(text)
    if isinstance(operand, str):
        return text(operand)
    if isinstance(operand, Mapping):
        return {key: _render(item, text) for key, item in operand.items()}
    if isinstance(operand, tuple | list):
        return type(operand)(_render(item, text) for item in operand)
    return operand


def _part(word: object, operand: object) -> Matcher:
    if not isinstance(word, str) or word not in _TESTS:
        raise MatcherError(f"unknown matcher {word!r}", str(word))
    return Matcher(word, _READ.get(word, _anything)(word, operand))


def _anything(_word: str, operand: object) -> object:
    return operand


def _matcher(_word: str, operand: object) -> object:
    return Matcher.of(operand)


def _element(word: str, operand: object) -> object:
    return Matcher.of(operand) if isinstance(operand, Mapping) else _something(word, operand)


def _something(word: str, operand: object) -> object:
    if operand == "":
        raise MatcherError(f"'{word}' takes a text that is not empty", word)
    return operand


def _matchers(word: str, operand: object) -> object:
    if not isinstance(operand, list | tuple) or not operand:
        raise MatcherError(f"'{word}' takes a list of matchers", word)
    return tuple(Matcher.of(item) for item in operand)


def _number(word: str, operand: object) -> object:
    if not isinstance(operand, str) and not finite(operand):
        raise MatcherError(f"'{word}' takes a number or a text", word)
    return operand


def _list(word: str, operand: object) -> object:
    if not isinstance(operand, list | tuple) or not operand:
        raise MatcherError(f"'{word}' takes a list with at least one value", word)
    return tuple(operand)


def _text(word: str, operand: object) -> object:
    if not isinstance(operand, str) or not operand:
        raise MatcherError(f"'{word}' takes a text that is not empty", word)
    return operand


def _pattern(word: str, operand: object) -> object:
    text = _text(word, operand)
    try:
        re.compile(str(text))
    except re.error as error:
        raise MatcherError(f"'{word}' takes a regular expression: {error}", word) from error
    return text


def _boolean(word: str, operand: object) -> object:
    if not isinstance(operand, bool):
        raise MatcherError(f"'{word}' takes true or false", word)
    return operand


def _type(word: str, operand: object) -> object:
    if not isinstance(operand, str) or operand not in TYPES:
        raise MatcherError(f"'{word}' takes one of {', '.join(TYPES)}", word)
    return operand


_READ: Final[Mapping[str, Callable[[str, object], object]]] = {
    "lt": _number,
    "le": _number,
    "gt": _number,
    "ge": _number,
    "in": _list,
    "contains": _element,
    "matches": _pattern,
    "starts_with": _text,
    "ends_with": _text,
    "exists": _boolean,
    "type": _type,
    "length": _matcher,
    "each": _matcher,
    "any": _matchers,
    "all": _matchers,
    "not": _matcher,
}

_RENDERED: Final[Mapping[str, Callable[[str, object], object]]] = {
    "lt": _number,
    "le": _number,
    "gt": _number,
    "ge": _number,
    "contains": _something,
    "matches": _pattern,
    "starts_with": _text,
    "ends_with": _text,
    "type": _type,
}
"""What is asked of an operand again after rendering; what a target answered never becomes a matcher."""


def _contains(value: object, wanted: object) -> bool:
    if isinstance(wanted, Matcher):
        return isinstance(value, list | tuple) and any(wanted.test(item) for item in value)
    if isinstance(value, str):
        return isinstance(wanted, str) and wanted in value
    if isinstance(value, Mapping):
        return isinstance(wanted, str) and wanted in value
    return isinstance(value, list | tuple) and any(equal(item, wanted) for item in value)


def _length(value: object, matcher: object) -> bool:
    return isinstance(value, str | list | tuple | Mapping) and _as(matcher).test(len(value))


def _each(value: object, matcher: object) -> bool:
    return isinstance(value, list | tuple) and all(_as(matcher).test(item) for item in value)


def _as(operand: object) -> Matcher:
    if not isinstance(operand, Matcher):
        raise TypeError(f"{operand!r} is not a matcher")
    return operand


def _parts(operand: object) -> Sequence[Matcher]:
    return [_as(item) for item in operand] if isinstance(operand, tuple) else []


_SEES_MISSING: Final = frozenset({"exists", "not", "any", "all"})

_TESTS: Final[Mapping[str, Callable[[object, object], bool]]] = {
    "eq": equal,
    "ne": lambda value, expected: not equal(value, expected),
    "lt": ordered(lambda value, bound: value < bound),
    "le": ordered(lambda value, bound: value <= bound),
    "gt": ordered(lambda value, bound: value > bound),
    "ge": ordered(lambda value, bound: value >= bound),
    "in": lambda value, options: isinstance(options, tuple) and any(equal(value, option) for option in options),
    "contains": _contains,
    "matches": lambda value, pattern: isinstance(value, str) and re.search(str(pattern), value) is not None,
    "starts_with": lambda value, start: isinstance(value, str) and value.startswith(str(start)),
    "ends_with": lambda value, end: isinstance(value, str) and value.endswith(str(end)),
    "exists": lambda value, wanted: (value is not MISSING) is wanted,
    "type": is_type,
    "length": _length,
    "each": _each,
    "any": lambda value, matchers: any(matcher.test(value) for matcher in _parts(matchers)),
    "all": lambda value, matchers: all(matcher.test(value) for matcher in _parts(matchers)),
    "not": lambda value, matcher: not _as(matcher).test(value),
}

WORDS: Final = tuple(_TESTS)
"""Every word of the vocabulary, in the order of the documentation."""

_PHRASES: Final[Mapping[str, Callable[[object], str]]] = {
    "eq": lambda operand: f"{show(operand)}",
    "ne": lambda operand: f"not {show(operand)}",
    "lt": lambda operand: f"< {show(operand)}",
    "le": lambda operand: f"≤ {show(operand)}",
    "gt": lambda operand: f"> {show(operand)}",
    "ge": lambda operand: f"≥ {show(operand)}",
    "in": lambda operand: f"one of {show(operand)}",
    "contains": lambda operand: f"contains {show(operand)}",
    "matches": lambda operand: f"matches /{operand}/",
    "starts_with": lambda operand: f"starts with {show(operand)}",
    "ends_with": lambda operand: f"ends with {show(operand)}",
    "exists": lambda operand: "something" if operand else "nothing",
    "type": lambda operand: f"of type {operand}",
    "length": lambda operand: "empty" if operand == Matcher("eq", 0) else f"of length {operand}",
    "each": lambda operand: f"each {operand}",
    "any": lambda operand: " or ".join(str(matcher) for matcher in _parts(operand)),
    "all": lambda operand: " and ".join(str(matcher) for matcher in _parts(operand)),
    "not": lambda operand: f"not ({operand})",
}


def show(value: object, limit: int = _SHOWN) -> str:
    """A value as people read it in a report: JSON where it is JSON, at most ``limit`` characters."""
    if value is MISSING or isinstance(value, Matcher):
        return str(value) if isinstance(value, Matcher) else repr(value)
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = f"{type(value).__name__} nested too deeply to show"
    except (TypeError, ValueError):
        text = repr(value)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
