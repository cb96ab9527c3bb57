"""Secrets that do not print, and text with every secret value masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["MASK", "Redactor", "Secret"]

MASK = "***"


class Secret:
    """A value that shows as ``***`` wherever it is printed, formatted or pickled; ``reveal()`` is the one way to it."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value itself: for the moment a request is built, never for anything that is kept."""
        return self._value

    def __repr__(self) -> str:
        """Show the name, never the value."""
        return f"Secret({self.name!r}, {MASK})"

    def __str__(self) -> str:
        """Show the mask."""
        return MASK

    def __eq__(self, other: object) -> bool:
        """Equal secrets have equal names and values."""
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        """Hash of name and value."""
        return hash((self.name, self._value))

    def __reduce__(self) -> tuple[type[Secret], tuple[str, str]]:
        """A pickled secret has lost its value."""
        return Secret, (self.name, MASK)


class Redactor:
    """Masks the values of known secrets in text; values learnt while the run goes on are added with ``learn``."""

    def __init__(self, secrets: Mapping[str, Secret] | Iterable[Secret] = ()) -> None:
        known = secrets.values() if isinstance(secrets, Mapping) else secrets
        self._values: list[str] = []
        for secret in known:
            self.learn(secret)

    def learn(self, secret: Secret) -> None:
        """Mask this secret from now on."""
        value = secret.reveal()
        if value and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text with each secret value replaced by the mask."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def tree(self, value: object) -> object:
        """A JSON value with each secret value in its strings and keys replaced by the mask."""
        if not self._values:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value
