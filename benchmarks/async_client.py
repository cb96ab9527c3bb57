"""A peer of the latency benchmark: httpx2's asynchronous client with a number of requests in flight.

Run as ``python async_client.py PORT COUNT IN_FLIGHT``; prints the latencies in seconds as a JSON list.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx2


async def _run(port: int, count: int, in_flight: int) -> list[float]:
    latencies: list[float] = []
    paths = [f"/check/{number}" for number in range(count)]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:

        async def work() -> None:
            while paths:
                path = paths.pop()
                begun = time.perf_counter()
                (await client.get(path)).raise_for_status()
                latencies.append(time.perf_counter() - begun)

        await asyncio.gather(*(work() for _ in range(in_flight)))
    return latencies


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(*(int(argument) for argument in sys.argv[1:4])))))
