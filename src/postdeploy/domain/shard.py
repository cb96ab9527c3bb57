"""Which part of a suite one machine runs: dealt out by check id, so that machines agree without talking."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from postdeploy.lazy_dataclass import dataclass

__all__ = ["Dealing", "Shard"]

_FORM: Final = re.compile(r"(\d{1,4})/(\d{1,4})")
_WORD: Final = "--shard "
_BY: Final = "--shard-by "
_LEAST: Final = 1e-6
"""Seconds that a check counts as which took none: parts of nothing but such ones get equally many, too."""


@dataclass(frozen=True, slots=True)
class Dealing:
    """How long checks took, by which parts are balanced; ``run`` is where that was seen, None if nothing is known."""

    run: str | None
    seconds: Mapping[str, float]

    @property
    def narrowing(self) -> str:
        """What a journal says of it: machines that say the same have dealt out alike."""
        told = repr(sorted(self.seconds.items())).encode("utf-8", "backslashreplace")
        return f"{_BY}{self.run or 'nothing'} sha256:{hashlib.sha256(told).hexdigest()[:16]}"

    @classmethod
    def named_in(cls, narrowed_by: Iterable[str]) -> tuple[str, ...]:
        """The words about it, of a run that was narrowed."""
        return tuple(word for word in narrowed_by if word.startswith(_BY))


@dataclass(frozen=True, slots=True)
class Shard:
    """The part ``index`` of ``of`` parts, counted from 1."""

    index: int
    of: int

    def __str__(self) -> str:
        """As people type it."""
        return f"{self.index}/{self.of}"

    @property
    def narrowing(self) -> str:
        """What a journal says of a run that was narrowed to this part."""
        return f"{_WORD}{self}"

    @classmethod
    def parse(cls, given: str) -> Shard:
        """From ``2/4``. Raises ValueError for anything else."""
        match = _FORM.fullmatch(given)
        index, of = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= index <= of:
            raise ValueError(f"{given!r} is no shard; write INDEX/COUNT, such as 1/4 for the first of four")
        return cls(index, of)

    @classmethod
    def named_in(cls, narrowed_by: Iterable[str]) -> Shard | None:
        """The part that a run was narrowed to, if it was."""
        words = [word.removeprefix(_WORD) for word in narrowed_by if word.startswith(_WORD)]
        return cls.parse(words[0]) if len(words) == 1 else None

    def members(self, checks: Iterable[str], seconds: Mapping[str, float] | None = None) -> frozenset[str]:
        """The ids of this part, of all ids.

        The longest check goes first, each to the part that has least to do (LPT, Graham 1969); a check that nobody has
        timed counts as the median of those that somebody has. Without any times, all parts get equally many.
        """
        known, ids = seconds or {}, set(checks)
        timed = sorted(known[check] for check in ids & known.keys())
        typical = timed[len(timed) // 2] if timed else 1.0
        loads, mine = [0.0] * self.of, set()
        for check in sorted(ids, key=lambda each: (-known.get(each, typical), _digest(each))):
            part = loads.index(min(loads))
            loads[part] += known.get(check, typical) or _LEAST
            if part == self.index - 1:
                mine.add(check)
        return frozenset(mine)


def _digest(check: str) -> bytes:
    return hashlib.sha256(check.encode("utf-8", "backslashreplace")).digest()
