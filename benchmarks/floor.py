"""The floor: the same requests on raw sockets, read only as far as the status; no test runner, no judgement.

Run as ``python floor.py PORT COUNT IN_FLIGHT``; prints the latencies in seconds as a JSON list.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class _Worker(asyncio.Protocol):
    """One connection that asks for one path after the other."""

    def __init__(self, paths: list[str], latencies: list[float], done: asyncio.Future[None]) -> None:
        self._paths = paths
        self._latencies = latencies
        self._done = done
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first path."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """An answer of the benchmark server is small enough to come in one piece."""
        assert data.startswith(b"HTTP/1.1 200 ")
        self._latencies.append(time.perf_counter() - self._begun)
        self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        if not self._paths:
            self._transport.close()
            self._done.set_result(None)
            return
        self._begun = time.perf_counter()
        path = self._paths.pop()
        self._transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode())


async def _run(port: int, count: int, in_flight: int) -> list[float]:
    loop = asyncio.get_running_loop()
    paths = [f"/check/{number}" for number in range(count)]
    latencies: list[float] = []
    workers = [loop.create_future() for _ in range(min(in_flight, count))]
    for worker in workers:
        await loop.create_connection(lambda done=worker: _Worker(paths, latencies, done), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*workers)
    return latencies


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(*(int(argument) for argument in sys.argv[1:4])))))
