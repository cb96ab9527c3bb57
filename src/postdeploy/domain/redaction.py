"""Texts and files with every secret value masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import AnyStr, Final, Generic

from postdeploy.domain.secret import MASK, Secret, parts
from postdeploy.domain.spellings import byte_spellings, spellings

__all__ = ["MASK", "Redactor", "Secret"]

_CUTS: Final = ("…", "...")
"""What stands where a limit has left something out: our own, and pytest's."""

_CUTS_IN_JSON: Final = ("\\u2026", "...")

_PREFIX: Final = 4

_LARGE: Final = 1 << 14
"""Characters of a text that is worth a look for single characters first."""

_RUN: Final = re.compile("[A-Za-z0-9._-]+")
_RUN_OF_BYTES: Final = re.compile(b"[A-Za-z0-9._-]+")


class Redactor:
    """Masks the values of known secrets; values learnt while the run goes on are added with ``learn``.

    A value is found as it is and as the formats of our reports spell it. Where no secret is known, nothing is copied.

    Args:
        secrets: those that are known.
        learning: a lock, if several threads learn.
    """

    def __init__(
        self,
        secrets: Mapping[str, Secret] | Iterable[Secret] = (),
        learning: AbstractContextManager[object] | None = None,
    ) -> None:
        self.known: tuple[Secret, ...] = ()
        self._learning = learning or nullcontext()
        self._texts: _Needles[str] = _Needles((), MASK)
        self._files: _Needles[bytes] | None = None
        self._in_json: tuple[str, ...] = ()
        for secret in secrets.values() if isinstance(secrets, Mapping) else secrets:
            self.learn(secret)

    def learn(self, secret: Secret) -> bool:
        """Mask this secret from now on; returns whether it is new."""
        with self._learning:
            return self._learn(secret)

    def _learn(self, secret: Secret) -> bool:
        value = secret.reveal()
        if not value or any(value == each.reveal() for each in self.known):
            return False
        new = (form for part in parts(value) for form in spellings(part))
        self._texts = _Needles((*self._texts.forms, *new), MASK)
        self._files = None
        anchors = (json.dumps(anchor)[1:-1] for anchor in self._texts.anchors)
        self._in_json = (*dict.fromkeys(anchors), *_CUTS_IN_JSON)
        self.known = (*self.known, secret)
        return True

    def text(self, text: str) -> str:
        """The text with each secret value replaced by the mask."""
        if not self.known:
            return text
        text = self._texts.replaced(text)
        for cut in _CUTS:
            if cut in text:
                text = self._around(text.split(cut), cut)
        return text

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in a text a secret value begins and ends, in any spelling; they may overlap."""
        return self._texts.spans(text)

    def tree(self, value: object) -> object:
        """A JSON value with each secret value in its strings and keys replaced by the mask."""
        if not self.known:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return MASK if isinstance(value, Secret) else value

    def suspects(self, line: str) -> bool:
        """Whether the strings of a JSON text in ASCII may hold a secret; much cheaper than to look into each."""
        for sign in self._in_json:  # noqa: SIM110  # every record passes here, and a generator takes half as long again
            if sign in line:
                return True
        return False

    def content(self, data: bytes, *, keep_length: bool = False) -> bytes:
        """The content of a file with each secret value masked, with as many bytes as it had if that matters."""
        if not self.known:
            return data
        if self._files is None:
            forms = (form for secret in self.known for part in parts(secret.reveal()) for form in byte_spellings(part))
            self._files = _Needles(forms, MASK.encode())
        return self._files.replaced(data, keep_length=keep_length)

    def stream(self) -> Callable[[str | None], str]:
        """A function that masks what is written piece by piece; the end of a piece that may begin a secret is held.

        Called with None it gives back what it has held.
        """
        held = ""

        def write(piece: str | None) -> str:
            nonlocal held
            if not held and self._is_harmless(piece):
                return piece or ""
            text = self._texts.replaced(held + (piece or ""))
            begins = len(text) if piece is None else self._texts.beginning(text)
            held = text[begins:]
            return self.text(text[:begins])

        return write

    def _is_harmless(self, piece: str | None) -> bool:
        """Whether a piece is no secret and begins none, as is quickly said of the dot that pytest writes for a test."""
        return not self.known or (piece is not None and len(piece) == 1 and piece not in self._texts.initials)

    def _around(self, pieces: list[str], cut: str) -> str:
        """What is left of a value of which a limit has cut off the end, the beginning, or both."""
        for value in self._texts.forms:
            pieces[:-1] = [_without_end(piece, value) for piece in pieces[:-1]]
            pieces[1:] = [_without_beginning(piece, value) for piece in pieces[1:]]
        return cut.join(pieces)


class _Needles(Generic[AnyStr]):
    """What is looked for, the longest first.

    Most spellings of a value share a run of characters that nothing escapes: one search for it stands for all of them.
    """

    def __init__(self, forms: Iterable[AnyStr], mask: AnyStr) -> None:
        self.forms: tuple[AnyStr, ...] = tuple(
            sorted({form for form in forms if form}, key=lambda form: (-len(form), form))
        )
        self.initials: frozenset[AnyStr] = frozenset(form[:1] for form in self.forms)
        self._mask: AnyStr = mask
        self._groups: tuple[tuple[AnyStr, tuple[AnyStr, ...]], ...] = tuple(_grouped(self.forms))
        self._beginnings: dict[AnyStr, list[AnyStr]] = {}

    @property
    def anchors(self) -> Iterator[AnyStr]:
        """What must be there for any form to be there."""
        return (anchor for anchor, _ in self._groups)

    def replaced(self, text: AnyStr, *, keep_length: bool = False) -> AnyStr:
        """The text with each form replaced."""
        groups = self._groups if len(text) < _LARGE else [pair for pair in self._groups if _has_all(text, pair[0])]
        near = [forms for anchor, forms in groups if anchor in text]
        if not near:
            return text
        for form in sorted((form for forms in near for form in forms), key=lambda form: (-len(form), form)):
            if form in text:
                text = text.replace(form, self._mask[:1] * len(form) if keep_length else self._mask)
        return text

    def spans(self, text: AnyStr) -> Iterator[tuple[int, int]]:
        """Where each form begins and ends."""
        for form in (form for anchor, forms in self._groups if anchor in text for form in forms):
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)

    def beginning(self, text: AnyStr) -> int:
        """Where the end of the text begins that may be the beginning of a form; the length of the text if nowhere."""
        if not self._beginnings:
            for form in self.forms:
                for size in (1, 2):
                    self._beginnings.setdefault(form[:size], []).append(form)
        longest = len(self.forms[0]) if self.forms else 0
        for at in range(max(0, len(text) - longest), len(text)):
            forms = self._beginnings.get(text[at : at + 2])
            if forms and any(form.startswith(text[at:]) for form in forms):
                return at
        return len(text)


def _grouped(forms: tuple[AnyStr, ...]) -> Iterator[tuple[AnyStr, tuple[AnyStr, ...]]]:
    """Forms that share their longest run of characters that nothing escapes, under it; others under themselves."""
    rest = list(forms)
    while rest:
        anchor = max(_runs(rest[-1]), key=len, default=rest[-1])
        if len(anchor) < _PREFIX:
            anchor = rest[-1]
        yield anchor, tuple(form for form in rest if anchor in form)
        rest = [form for form in rest if anchor not in form]


def _has_all(text: AnyStr, anchor: AnyStr) -> bool:
    """Whether every character is there, which is found out much faster than whether they stand in their order."""
    return all(map(text.__contains__, anchor))


def _runs(form: AnyStr) -> list[AnyStr]:
    return _RUN.findall(form) if isinstance(form, str) else _RUN_OF_BYTES.findall(form)


def _without_end(text: str, value: str) -> str:
    """The text without the beginning of the value at its end."""
    start = text.find(value[:_PREFIX], max(0, len(text) - len(value)))
    while start >= 0 and not value.startswith(text[start:]):
        start = text.find(value[:_PREFIX], start + 1)
    return text if start < 0 or len(text) - start < _PREFIX else text[:start] + MASK


def _without_beginning(text: str, value: str) -> str:
    """The text without the end of the value at its beginning."""
    end = text.rfind(value[-_PREFIX:], 0, len(value))
    while end >= 0 and not value.endswith(text[: end + _PREFIX]):
        end = text.rfind(value[-_PREFIX:], 0, end + _PREFIX - 1)
    return text if end < 0 else MASK + text[end + _PREFIX :]
