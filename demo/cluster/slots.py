"""Which release is in which slot, how traffic is shared, and what a deployer may do about it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Refused", "Slot", "Slots"]

_WHOLE = 100


class Refused(ValueError):  # noqa: N818 - it is the deployer that erred
    """What was asked for would hurt, or makes no sense; nothing was changed."""


@dataclass
class Slot:
    """A colour, and what became of the requests that it was given."""

    name: str
    release: str = ""
    url: str = ""
    percent: int = 0
    drained: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while no request is being answered."""

    answered: Counter[str] = field(default_factory=Counter)

    _in_flight: int = 0

    def __post_init__(self) -> None:
        """Nothing is being answered yet."""
        self.drained.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a request while it is being answered."""
        self._in_flight += 1
        self.drained.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self.drained.set()

    def document(self) -> dict[str, object]:
        """What anyone may know of it."""
        return {"release": self.release, "url": self.url, "percent": self.percent, "answered": dict(self.answered)}


class Slots:
    """Blue and green; one of them is stable, which is where `previous` points and where the canary is not."""

    def __init__(self) -> None:
        self.blue, self.green = Slot("blue"), Slot("green")
        self.stable = ""
        self._owed = 0

    @property
    def all(self) -> tuple[Slot, Slot]:
        """Both of them."""
        return self.blue, self.green

    @property
    def idle(self) -> Slot:
        """The slot for the next release."""
        return self.green if self.stable and self.blue.release == self.stable else self.blue

    def of(self, release: str) -> Slot:
        """The slot of a release. Raises Refused."""
        found = next((slot for slot in self.all if release and slot.release == release), None)
        if found is None:
            raise Refused(f"{release or 'no release'} does not run here")
        return found

    def to_replace(self) -> Slot:
        """The slot that the next release may take. Raises Refused while it has traffic."""
        if self.idle.percent:
            raise Refused(f"{self.idle.release} still has {self.idle.percent} % of the traffic")
        return self.idle

    def share(self, release: str, percent: int) -> None:
        """Give a release its share, and the other one the rest. Raises Refused."""
        chosen = self.of(release)
        other = self.green if chosen is self.blue else self.blue
        if not 0 <= percent <= _WHOLE or (percent < _WHOLE and not other.release):
            raise Refused(f"{release} cannot have {percent} % of the traffic")
        chosen.percent, other.percent, self._owed = percent, _WHOLE - percent, 0

    def go_back(self, release: str, previous: str) -> None:
        """All traffic to the previous release, but only while it is this one that has some. Raises Refused."""
        if self.of(previous).percent == _WHOLE:
            return
        if not self.of(release).percent:
            raise Refused(f"{release} has no traffic that could go back to {previous}")
        self.share(previous, _WHOLE)

    def promote(self, release: str) -> None:
        """All traffic to a release, which is stable from now on. Raises Refused."""
        self.share(release, _WHOLE)
        self.stable = release

    def choose(self) -> Slot:
        """The slot for the next request: exactly the shares, not by chance."""
        self._owed += self.green.percent
        if self._owed < _WHOLE:
            return self.blue
        self._owed -= _WHOLE
        return self.green

    def document(self) -> dict[str, object]:
        """The whole state."""
        return {"stable": self.stable, "slots": {slot.name: slot.document() for slot in self.all}}
