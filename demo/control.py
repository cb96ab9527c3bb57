"""What tests do to the running demo, below `/_demo`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.deployment import Deployment
from demo.traffic import KEPT

PATH = "/_demo"

Action = Callable[[Request], Awaitable[object]]


class Control:
    """Reads and changes a deployment while it runs."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", ""): self._show,
            ("POST", "/faults"): self._faults,
            ("POST", "/release"): self._release,
            ("POST", "/switch"): self._switch,
            ("POST", "/reset"): self._reset,
            ("GET", "/log"): self._log,
            ("DELETE", "/log"): self._clear_log,
        }

    async def answer(self, request: Request) -> Response:
        """Return the response to a control request."""
        action = self._actions.get((request.method, request.url.path.removeprefix(PATH).rstrip("/")))
        if action is None:
            known = [f"{method} {PATH}{path}" for method, path in self._actions]
            return JSONResponse({"error": "no such control", "controls": known}, 404)
        try:
            return JSONResponse(await action(request))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)

    async def _show(self, _request: Request) -> object:
        deployment = self._deployment
        slots = {name: slot.release.document() for name, slot in deployment.slots.items()}
        counts = {"total": deployment.traffic.total, "mutating": deployment.traffic.mutating}
        switch = {"to": deployment.to, "percent": deployment.percent}
        return {"slots": slots, "switch": switch, "faults": deployment.faults, "requests": counts}

    async def _faults(self, request: Request) -> object:
        wish = await _object(request)
        added, removed = _texts(wish, "add"), _texts(wish, "remove")
        if wish.get("clear"):
            removed = self._deployment.faults
        self._deployment.remove(removed)
        self._deployment.add(added)
        return {"faults": self._deployment.faults}

    async def _release(self, request: Request) -> object:
        wish = await _object(request)
        slot = self._deployment.slots.get(str(wish.get("slot", self._deployment.to)))
        if slot is None:
            raise ValueError(f"slot must be one of {', '.join(self._deployment.slots)}")
        changes = {name: str(wish[name]) for name in ("commit", "version", "environment") if name in wish}
        slot.deploy(replace(slot.release, **changes))
        return slot.release.document()

    async def _switch(self, request: Request) -> object:
        wish = await _object(request)
        percent = wish.get("percent", 50)
        if not isinstance(percent, int):
            raise ValueError("percent must be a whole number")  # noqa: TRY004 - a wrong request
        self._deployment.switch(str(wish.get("to", "")), percent)
        return {"to": self._deployment.to, "percent": self._deployment.percent}

    async def _reset(self, request: Request) -> object:
        self._deployment.reset()
        return await self._show(request)

    async def _log(self, request: Request) -> object:
        last = request.query_params.get("last", "")
        return self._deployment.traffic.document(int(last) if last.isdecimal() else KEPT)

    async def _clear_log(self, _request: Request) -> object:
        self._deployment.traffic.clear()
        return {"total": 0}


async def _object(request: Request) -> dict[str, Any]:
    content = json.loads(await request.body())
    if not isinstance(content, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - a wrong request
    return content


def _texts(wish: dict[str, Any], name: str) -> list[str]:
    values = wish.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} must be a list of fault names")
    return values
