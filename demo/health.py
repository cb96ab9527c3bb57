"""What a load balancer and a pipeline ask first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.envelope import NO_STORE
from demo.release import claimed


async def healthz(request: Request) -> Response:
    """Answer whether the process and its database work."""
    return JSONResponse({"status": "ok", "db": "ok", "release": claimed(request).commit}, 200, NO_STORE)


async def readyz(_request: Request) -> Response:
    """Answer whether traffic may come."""
    return JSONResponse({"ready": True}, 200, NO_STORE)


async def build_info(request: Request) -> Response:
    """Answer which build this is."""
    return JSONResponse(claimed(request).document(), 200, NO_STORE)
