"""Which releases run, which of them answers, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from demo.app import State
from demo.assets import PREFIX
from demo.faults.base import Fault, FaultError, Listener
from demo.faults.registry import create
from demo.release import Release
from demo.slot import Slot
from demo.traffic import Traffic

MIXED = "mixed"
_WHOLE = 100
CHOOSING_HEADER = "x-slot"


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that is switched on, everywhere or in one slot."""

    spec: str
    slot: str
    fault: Fault


class Deployment:
    """One slot, or a blue and a green one behind a switch."""

    def __init__(self, releases: dict[str, Release]) -> None:
        self.state = State()
        self.traffic = Traffic()
        self.slots = {name: Slot(name, release, self.state) for name, release in releases.items()}
        self.to = self._first = next(iter(self.slots))
        self.percent = 0
        self._owed = 0
        self._active: list[Active] = []
        self._listener: Listener | None = None

    @property
    def faults(self) -> list[str]:
        """The faults that are on, as they were written."""
        return [active.spec for active in self._active]

    def switch(self, to: str, percent: int = 50) -> None:
        """Send requests to one slot, or `percent` of them to the second one."""
        if not 0 <= percent <= _WHOLE:
            raise ValueError("percent must be from 0 to 100")
        if to not in self.slots and not (to == MIXED and len(self.slots) > 1):
            choices = [*self.slots, MIXED] if len(self.slots) > 1 else [*self.slots]
            raise ValueError(f"to must be one of {', '.join(choices)}")
        self.to, self.percent, self._owed = to, percent if to == MIXED else 0, 0

    def choose(self, request: HTTPConnection) -> Slot:
        """Return the slot that answers this request."""
        wanted = self.slots.get(request.headers.get(CHOOSING_HEADER, ""))
        if wanted is not None:
            return wanted
        if self.to != MIXED:
            return self.slots[self.to]
        path = request.scope["path"]
        if path.startswith(PREFIX):
            # Both releases' files are on the same disk while a canary runs.
            owner = next((slot for slot in self.slots.values() if slot.bundle.get(path)), None)
            return owner or self.slots[self._first]
        return self._share()

    def add(self, specs: list[str]) -> None:
        """Switch faults on, all or (when one is not known) none."""
        faults = [self._parse(spec) for spec in specs]
        for active in faults:
            self._active = [one for one in self._active if one.spec != active.spec] + [active]
            if self._listener is not None:
                active.fault.begin(self._listener)
        self._apply()

    def remove(self, specs: list[str]) -> None:
        """Switch faults off, by their full text or by their name."""
        gone = [one for one in self._active if one.spec in specs or one.fault.name in specs]
        self._active = [one for one in self._active if one not in gone]
        for active in gone:
            if self._listener is not None:
                active.fault.end(self._listener)
        self._apply()

    def listening(self, listener: Listener) -> None:
        """Tell the faults that the server listens now."""
        self._listener = listener
        for active in self._active:
            active.fault.begin(listener)

    def reset(self) -> None:
        """Become as new: no faults, no data, no log, the first slot answering."""
        self.remove(self.faults)
        self.state.clear()
        self.traffic.clear()
        self.switch(self._first)

    def _parse(self, spec: str) -> Active:
        text, _, slot = spec.partition("@")
        if slot and slot not in self.slots:
            raise FaultError(f"{spec}: there is no slot {slot!r}; there is {', '.join(self.slots)}")
        fault = create(text)
        if fault.needs_tls and self._listener is not None and not self._listener.secure:
            raise FaultError(f"{fault.name} needs a server that was started with --tls")
        return Active(spec, slot, fault)

    def _apply(self) -> None:
        for name, slot in self.slots.items():
            slot.suffer([active.fault for active in self._active if active.slot in ("", name)])

    def _share(self) -> Slot:
        first, second = self.slots.values()
        self._owed += self.percent
        if self._owed < _WHOLE:
            return first
        self._owed -= _WHOLE
        return second
