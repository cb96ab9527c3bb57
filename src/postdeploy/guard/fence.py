"""The fence around the browsers of a process: the proxy that they go through, and the arguments that make them."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Final

from postdeploy.domain.target import Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.address import locate
from postdeploy.guard.budget import Meter
from postdeploy.guard.courtesy import Courtesy
from postdeploy.guard.hosts import Hosts
from postdeploy.guard.outgoing import page_refusal
from postdeploy.guard.pace import Pace

if TYPE_CHECKING:
    from postdeploy.guard.proxy import AllowListProxy

__all__ = ["CLOSED_OFF", "BrowserFence"]

_OPAQUE: Final = ("https", "wss")
"""What a proxy could only tunnel: it goes straight to the hosts that are allowed, so that faults of TLS and of
connections stay what they are."""

_NO_UDP: Final = (
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # as chromium-headless-shell knows it
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",  # as Chrome does
)

CLOSED_OFF: Final = ("--proxy-server=http://127.0.0.1:1", "--proxy-bypass-list=<-loopback>", *_NO_UDP)
"""Arguments of a Chromium browser that reaches nothing, but for contexts that have a route of their own."""

_PLAIN: Final = ("http", "ws")
_CONNECT: Final = "CONNECT"


class BrowserFence:
    """Every request of the browser that does not lead to an allowed host goes to our proxy, which refuses it.

    Plain HTTP to allowed hosts goes through the proxy where there is something to see to: methods, paths or a budget.
    """

    def __init__(
        self,
        target: Target,
        meter: Callable[[], Meter] | None = None,
        courtesy: Callable[[], Courtesy] | None = None,
    ) -> None:
        self.hosts = Hosts.of(target)
        self._target = target
        own = Meter(target.budget)
        polite = Courtesy(monotonic, book=own.book)
        self.pace = Pace(
            meter or (lambda: own),
            courtesy or (lambda: polite),
            counts=self._counts,
            ours=lambda url: locate(target, url) is not None,
        )
        self._proxy: AllowListProxy | None = None

    @property
    def routed(self) -> bool:
        """Whether pages have to ask about every request: the proxy alone sees of https neither methods nor requests."""
        return self.sealed or self._target.budget.bounds

    @property
    def sealed(self) -> bool:
        """Whether what no route sees is taken away from pages, for it could write."""
        access = self._target.access
        return not access.writable or bool(access.deny)

    @property
    def refusals(self) -> tuple[str, ...]:
        """What the proxy has refused."""
        return tuple(self._proxy.refusals) if self._proxy else ()

    def arguments(self) -> list[str]:
        """The arguments of a Chromium browser; the proxy listens from now on. Raises OSError."""
        server, bypass = self.route()
        return [f"--proxy-server={server}", f"--proxy-bypass-list={bypass}", *_NO_UDP]

    def route(self) -> tuple[str, str]:
        """The proxy of all requests and the rules for what bypasses it; it listens from now on. Raises OSError."""
        if self._proxy is None:
            from postdeploy.guard.proxy import AllowListProxy, Bounds

            self._proxy = AllowListProxy(Bounds(self._refused, self.pace.wait, self.pace.ended))
            self._proxy.start()
        direct = _OPAQUE if self.routed else (*_OPAQUE, *_PLAIN)
        return f"http://127.0.0.1:{self._proxy.port}", ";".join(["<-loopback>", *self.hosts.bypass_rules(direct)])

    def refusal(self, method: str, url: str) -> str | None:
        """Why a page may not send a request, and the line that would allow it; None if it may."""
        error = self._error(method, url)
        if error is not None:
            return str(error)
        return self.pace.stopped if self._counts(url) else None

    def close(self) -> None:
        """End the proxy."""
        if self._proxy is not None:
            self._proxy.close()

    def _counts(self, url: str) -> bool:
        """Whether pages count this request themselves: what the proxy forwards, it counts."""
        return url.startswith(("https:", "wss:", "ws:")) or (url.startswith("http:") and not self.routed)

    def _error(self, method: str, url: str) -> GuardRefusalError | None:
        return page_refusal(self._target, self.hosts, method, url)

    def _refused(self, method: str, url: str) -> GuardRefusalError | None:
        """The proxy's question: a tunnel shows its host only."""
        return self._error("GET" if method == _CONNECT else method, url)
