"""The checks that a suite is known to have, as somebody committed them: a check that vanishes cannot do so unseen."""

from __future__ import annotations

from collections.abc import Iterable

from postdeploy.domain.reading import array, mapping, text
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Lock"]


@dataclass(frozen=True, slots=True)
class Lock:
    """The ids of all checks; ``file`` is where they stand."""

    file: str
    checks: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: object) -> Lock:
        """Back from JSON. Raises KeyError or TypeError on anything else."""
        fields = mapping(raw)
        return cls(text(fields["file"]), tuple(text(check) for check in array(fields["checks"])))

    def missing(self, collected: Iterable[str]) -> tuple[str, ...]:
        """Checks of the lock that were not collected."""
        there = set(collected)
        return tuple(check for check in self.checks if check not in there)

    def new(self, collected: Iterable[str]) -> tuple[str, ...]:
        """Checks that were collected and that the lock does not have."""
        known = set(self.checks)
        return tuple(check for check in collected if check not in known)
