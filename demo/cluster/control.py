"""What a deployer asks of the cluster, below `/_cluster`. Everything may be asked again."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.cluster.processes import Processes
from demo.cluster.router import Router
from demo.cluster.slots import Refused, Slots

__all__ = ["PATH", "control"]

PATH = "/_cluster"
_DRAINING = 5.0


def control(slots: Slots, processes: Processes, router: Router) -> Starlette:
    """The application that answers below `/_cluster`."""
    acts = Acts(slots, processes, router)
    routes = [
        Route(f"{PATH}/", acts.show),
        Route(f"{PATH}/stable", acts.stable),
        Route(f"{PATH}/releases/{{release}}", acts.deploy, methods=["PUT"]),
        Route(f"{PATH}/traffic/{{release}}/{{percent:int}}", acts.shift, methods=["PUT"]),
        Route(f"{PATH}/stable/{{release}}", acts.promote, methods=["PUT"]),
        Route(f"{PATH}/rollback/{{release}}/{{previous}}", acts.roll_back, methods=["PUT"]),
    ]
    return Starlette(routes=routes, exception_handlers={Refused: _refuse})


async def _refuse(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 409)


class Acts:
    """One method an act."""

    def __init__(self, slots: Slots, processes: Processes, router: Router) -> None:
        self._slots = slots
        self._processes = processes
        self._router = router

    async def show(self, _request: Request) -> Response:
        """Everything."""
        return JSONResponse(self._slots.document())

    async def stable(self, _request: Request) -> Response:
        """The release promoted last."""
        return PlainTextResponse(f"{self._slots.stable}\n" if self._slots.stable else "")

    async def deploy(self, request: Request) -> Response:
        """Start a release in the idle slot, without traffic."""
        release = request.path_params["release"]
        if release not in [slot.release for slot in self._slots.all]:
            slot = self._slots.to_replace()
            await self._empty()
            url = await asyncio.to_thread(self._processes.start, release)
            self._router.connect(slot)
            slot.release, slot.url = release, url
            slot.answered.clear()
        return await self.show(request)

    async def shift(self, request: Request) -> Response:
        """Give a release its share of the traffic."""
        self._slots.share(request.path_params["release"], request.path_params["percent"])
        return await self.show(request)

    async def promote(self, request: Request) -> Response:
        """Let a release stay."""
        self._slots.promote(request.path_params["release"])
        return await self.show(request)

    async def roll_back(self, request: Request) -> Response:
        """Give the traffic back."""
        self._slots.go_back(request.path_params["release"], request.path_params["previous"])
        return await self.show(request)

    async def _empty(self) -> None:
        """End what is in the idle slot, once the last request that it was given is answered."""
        slot = self._slots.idle
        with suppress(TimeoutError):
            await asyncio.wait_for(slot.drained.wait(), _DRAINING)
        release, slot.release = slot.release, ""
        await self._router.disconnect(slot)
        await asyncio.to_thread(self._processes.end, release)
