"""Every fault by its name; adding one means writing its class and listing it in its module's `FAULTS`."""

from __future__ import annotations

import difflib

from demo.faults import api, body, delivery, identity, network, page, sockets
from demo.faults.base import Fault, FaultError

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault for module in (identity, api, body, network, delivery, page, sockets) for fault in module.FAULTS
}


def create(text: str) -> Fault:
    """Return the fault that `NAME` or `NAME=VALUE` describes, or raise FaultError."""
    name, _, value = text.partition("=")
    if name not in FAULTS:
        nearest = difflib.get_close_matches(name, FAULTS, 1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise FaultError(f"there is no fault {name!r}{hint}")
    return FAULTS[name](value)


def listing() -> str:
    """Return one line for each fault."""
    usages = {name: f"{name}={fault.value}" if fault.value else name for name, fault in FAULTS.items()}
    width = max(map(len, usages.values()))
    return "\n".join(f"{usages[name]:<{width}}  {fault.summary()}" for name, fault in FAULTS.items())
