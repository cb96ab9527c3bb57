"""The sockets that libcurl wants to be told about, and a pipe that wakes whoever waits for them."""

from __future__ import annotations

import os
import selectors
from collections.abc import Iterator
from typing import Any, Final

import pycurl

__all__ = ["WatchedSockets"]

_WATCHED: Final = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_SEEN: Final = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


class WatchedSockets:
    """One selector; ``change`` is libcurl's socket callback."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._masks: dict[int, int] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def change(self, event: int, handle: int, _multi: Any, _data: Any) -> None:
        """Begin to watch a socket, watch it for something else, or no longer."""
        if event == pycurl.POLL_REMOVE:
            if self._masks.pop(handle, None) is not None:
                self._selector.unregister(handle)
            return
        mask, known = _WATCHED[event], self._masks.get(handle)
        self._masks[handle] = mask
        if known is None:
            self._selector.register(handle, mask)
        elif known != mask:
            self._selector.modify(handle, mask)

    def wait(self, seconds: float | None) -> Iterator[tuple[int, int]]:
        """The sockets on which something happens, each with libcurl's word for it; ends early when woken."""
        for key, mask in self._selector.select(seconds):
            if key.fd == self._wake_read:
                os.read(self._wake_read, 65536)
            elif key.fd in self._masks:  # an answer before may have ended it
                yield key.fd, _SEEN[mask]

    def wake(self) -> None:
        """End the wait; from any thread."""
        try:
            os.write(self._wake_write, b"\0")
        except OSError:
            return  # a full pipe wakes as well, and a closed one has nobody to wake

    def close(self) -> None:
        """Close the selector and the pipe, never the sockets, which are libcurl's; harmless when repeated."""
        if self._wake_read < 0:
            return
        self._selector.close()
        read, write, self._wake_read, self._wake_write = self._wake_read, self._wake_write, -1, -1
        os.close(read)
        os.close(write)
