"""Whether this machine has a default route: read from the kernel's tables, so that nothing is sent for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["default_route"]

_TABLES: Final = Path("/proc/self/net")
_UP: Final = 0x1
_REJECTS: Final = 0x200


def default_route(tables: Path = _TABLES) -> bool | None:
    """True or False; None where the system does not say, as anything but Linux."""
    try:
        known = [*_version_4(tables / "route"), *_version_6(tables / "ipv6_route")]
    except OSError:
        return None
    return any(known)


def _version_4(path: Path) -> Iterator[bool]:
    """Columns: interface, destination, gateway, flags, references, uses, metric, mask (proc_net_route(5))."""
    for line in path.read_text("ascii", "replace").splitlines()[1:]:
        fields = line.split()
        if fields[1] == fields[7] == "00000000":
            yield _usable(fields[3])


def _version_6(path: Path) -> Iterator[bool]:
    """Columns: destination, its prefix, source, its prefix, next hop, metric, references, uses, flags, interface."""
    if not path.exists():
        return
    for line in path.read_text("ascii", "replace").splitlines():
        fields = line.split()
        if fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
            yield _usable(fields[8])


def _usable(flags: str) -> bool:
    return bool(int(flags, 16) & _UP) and not int(flags, 16) & _REJECTS
