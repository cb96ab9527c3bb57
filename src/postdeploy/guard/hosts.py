"""Which hosts pages may talk to: the services of the target, and third parties that it lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from postdeploy.domain.target import Target
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Hosts", "endpoint_of"]

_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_WEB: Final = frozenset({80, 443})


def endpoint_of(url: str) -> tuple[str, int] | None:
    """Host (lower case, without brackets) and port of a URL that leads to a network; None for any other text."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    return parts.hostname.removesuffix("."), _PORTS[parts.scheme] if port is None else port


@dataclass(frozen=True, slots=True)
class Hosts:
    """The allow-list; whatever is not on it is refused.

    Args:
        own: host and port of each service.
        third_party: host or ``*.domain``, with a port or None for those of the web.
    """

    own: frozenset[tuple[str, int]]
    third_party: tuple[tuple[str, int | None], ...] = ()

    @classmethod
    def of(cls, target: Target) -> Hosts:
        """Those of a target."""
        own = frozenset((service.host.removesuffix("."), service.port) for service in target.services.values())
        return cls(own, tuple(map(_split, target.third_party)))

    def permit(self, host: str, port: int) -> bool:
        """Whether pages may talk to this host and port."""
        host = host.lower().removesuffix(".").strip("[]")
        if (host, port) in self.own:
            return True
        return any(_matches(name, host) and port in (_WEB if own is None else {own}) for name, own in self.third_party)

    def bypass_rules(self, schemes: Iterable[str]) -> Iterator[str]:
        """The same as Chromium's rules for what goes without a proxy, for these schemes."""
        rules = [f"{_bracketed(host)}:{port}" for host, port in sorted(self.own)]
        for host, own in self.third_party:
            rules += [f"{_bracketed(host)}:{port}" for port in (sorted(_WEB) if own is None else (own,))]
        yield from (f"{scheme}://{rule}" for scheme in schemes for rule in rules)


def _split(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    return (host.strip("[]"), int(port)) if colon else (text.strip("[]"), None)


def _matches(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
