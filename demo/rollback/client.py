"""People who use the service all the while, and who notice every answer that does not come."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from demo.cluster.router import SERVED_BY

__all__ = ["Client", "Tally"]

_PATHS = ("/", "/healthz", "/build-info.json", "/api/v1/agents", "/api/v1/agents")
_INTERVAL = 0.04
_TIMEOUT = 5.0
_SERVER_ERROR = 500


@dataclass
class Tally:
    """What became of the requests."""

    served: Counter[str] = field(default_factory=Counter)
    """Answered as they should be, by release."""

    errors: Counter[str] = field(default_factory=Counter)
    """Answered by a release with an error, or begun and not finished, by release."""

    unanswered: list[str] = field(default_factory=list)
    """Not answered by any release: why, one each."""

    @property
    def asked(self) -> int:
        """All of them."""
        return self.served.total() + self.errors.total() + len(self.unanswered)

    def lost(self, broken: set[str]) -> int:
        """How many got nothing, though a working release was there: not answered, or not well by one that works."""
        return len(self.unanswered) + sum(count for release, count in self.errors.items() if release not in broken)


class Client:
    """Asks about fifty times a second until it is stopped: with a connection that stays, and with new ones."""

    def __init__(self, url: str) -> None:
        self.tally = Tally()
        self._host = urlsplit(url).netloc
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._go, args=(keep,), daemon=True) for keep in (True, False)]

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more, once the last answer is there."""
        self._stopped.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _go(self, keep: bool) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT)
        due, number = time.monotonic(), 0
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due, number = max(due + _INTERVAL, time.monotonic() - _INTERVAL), number + 1
            if not self._ask(connection, _PATHS[number % len(_PATHS)]) or not keep:
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, path: str) -> bool:
        release = ""
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            release = response.headers.get(SERVED_BY, "")
            response.read()
        except (OSError, http.client.HTTPException) as error:
            self._note(release, failed=True, why=f"{path}: {error!r}")
            return False
        self._note(release, failed=response.status >= _SERVER_ERROR, why=f"{path}: {response.status} from nobody")
        return True

    def _note(self, release: str, *, failed: bool, why: str) -> None:
        with self._lock:
            if not release:
                self.tally.unanswered.append(why)
            else:
                (self.tally.errors if failed else self.tally.served)[release] += 1
