"""What a row must end in, and what it ended in: the same five words, so that they can be compared and printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["NO_FILE", "STARTED", "Expected", "Observed", "hold", "promote", "rollback", "unsealed"]

STARTED = "started"
"""Stands for the verdict of a run that began and was never sealed."""

NO_FILE = "none"
"""Stands for the verdict where there is no file."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was there in the end.

    Args:
        verdict: pass, fail or inconclusive; ``started`` of an unsealed file, ``none`` where there is no file.
        reason: the document's.
        action: the document's.
        status: of the process that ran the tests; negative for the signal that ended it.
        gate: the exit status of the gate that was asked afterwards.
    """

    verdict: str | None = None
    reason: str | None = None
    action: str | None = None
    status: int | None = None
    gate: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be there; None where the row does not say, a tuple where more than one value is right."""

    verdict: str | tuple[str, ...] | None = None
    reason: str | tuple[str, ...] | None = None
    action: str | tuple[str, ...] | None = None
    status: int | tuple[int, ...] | None = None
    gate: int | tuple[int, ...] | None = None

    def __str__(self) -> str:
        """As the table prints it."""
        return _phrase({field.name: getattr(self, field.name) for field in fields(self)})

    def wrong(self, observed: Observed) -> list[str]:
        """The words that are not as they must be."""
        return [name for name in self._asked() if getattr(observed, name) not in _allowed(getattr(self, name))]

    def show(self, observed: Observed) -> str:
        """What was observed of what was asked; as it was expected where more than one value is right."""
        wrong = self.wrong(observed)
        return _phrase({name: getattr(observed if name in wrong else self, name) for name in self._asked()})

    def _asked(self) -> Iterator[str]:
        return (field.name for field in fields(self) if getattr(self, field.name) is not None)


def hold(reason: str | tuple[str, ...], status: int | tuple[int, ...] = 10, gate: int | None = 10) -> Expected:
    """Sealed as inconclusive."""
    return Expected("inconclusive", reason, "hold", status, gate)


def rollback(reason: str | tuple[str, ...] = "confirmed_failure") -> Expected:
    """Sealed as a failure that is rolled back."""
    return Expected("fail", reason, "rollback", 20, 20)


def promote(reason: str = "all_required_passed") -> Expected:
    """Sealed as a pass."""
    return Expected("pass", reason, "promote", 0, 0)


def unsealed(status: int | tuple[int, ...] | None, verdict: str | tuple[str, ...] = STARTED) -> Expected:
    """No proof at all."""
    return Expected(verdict, None, None, status, 30)


def _allowed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _phrase(values: dict[str, Any]) -> str:
    words = []
    for name, value in values.items():
        if value is not None:
            text = " or ".join(map(str, _allowed(value)))
            words.append(f"`{text}`" if name == "reason" else f"{name} {text}" if name in {"status", "gate"} else text)
    return ", ".join(words)
