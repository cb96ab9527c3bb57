"""Where Python tests may connect to beside our clients: what the target lists, and itself where it is writable."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from postdeploy.domain.target import Target

__all__ = ["Peers"]

_Resolve = Callable[[str], Iterable[str]]
_Address = IPv4Address | IPv6Address

_LOOKS: Final = 1000
"""How often names are looked up again for addresses that are not known, so that a test cannot flood a resolver."""


def _resolve(host: str) -> Iterable[str]:
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except (OSError, ValueError):
        return ()


class Peers:
    """Names are looked up when an address is first asked about, and again for one that is not known."""

    def __init__(self, target: Target, resolve: _Resolve = _resolve) -> None:
        services = target.services.values() if target.access.writable else ()
        own = {(service.host, service.port) for service in services}
        listed = {_split(text) for text in target.connect}
        self._names = frozenset(own | listed)
        self._resolve = resolve
        self._known: dict[str, frozenset[_Address]] = {}
        self._left = _LOOKS

    def permit(self, host: str, port: int) -> bool:
        """Whether a socket may be connected to this address, or to this name."""
        names = {name for name, its_port in self._names if its_port == port}
        if host.lower().strip("[]") in names:
            return True
        address = _address(host)
        if address is None or not names:
            return False
        return any(address in self._addresses(name) for name in names) or self._again(names, address)

    def _again(self, names: Iterable[str], address: _Address) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        for name in names:
            self._known.pop(name, None)
        return any(address in self._addresses(name) for name in names)

    def _addresses(self, name: str) -> frozenset[_Address]:
        if name not in self._known:
            literal = _address(name)
            found = [literal] if literal else [_address(text) for text in self._resolve(name)]
            self._known[name] = frozenset(each for each in found if each is not None)
        return self._known[name]


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _address(text: str) -> _Address | None:
    """An address in normal form: IPv4 within IPv6 is IPv4."""
    try:
        address = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
