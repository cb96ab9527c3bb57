"""libcurl's handles, kept from one exchange to the next, since a new one costs more than an exchange."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import pycurl

from postdeploy.guard.authorities import authorities

__all__ = ["Handles", "reused"]

_QUICK_EXIT: Final = 322  # CURLOPT_QUICK_EXIT, which pycurl does not name: do not wait for a resolver's thread


class Handles:
    """Handles that have every option which does not change from request to request."""

    def __init__(self) -> None:
        self._idle: list[Any] = []
        self._authorities = authorities()

    def take(self) -> Any:
        """A handle that is ready for an exchange to prepare."""
        return self._idle.pop() if self._idle else self._furnish(pycurl.Curl())

    def give_back(self, curl: Any, *, plain: bool) -> None:
        """Keep a handle; what an unusual request has set is taken off it first."""
        if not plain:
            curl.reset()
            self._furnish(curl)
        self._idle.append(curl)

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _furnish(self, curl: Any) -> Any:
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.PATH_AS_IS, 1)
        with suppress(pycurl.error):  # a libcurl before 7.87 does not know it
            curl.setopt(_QUICK_EXIT, 1)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        if self._authorities:
            curl.setopt(pycurl.CAINFO, self._authorities)
        return curl


def reused(curl: Any) -> bool:
    """Whether the exchange took a connection of an earlier one: nothing was looked up, and yet there is an address."""
    return not curl.getinfo(pycurl.NAMELOOKUP_TIME) and bool(curl.getinfo(pycurl.PRIMARY_IP))
