"""The public list of people to chat with."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from demo.envelope import ApiError, success
from demo.paging import page_of

AGENTS: tuple[dict[str, str], ...] = (
    {"id": "minji", "name": "민지", "role": "친구", "theme": "kakao", "color": "#f2a65a"},
    {"id": "jihoon", "name": "지훈", "role": "개발자", "theme": "discord", "color": "#5b7cfa"},
    {"id": "sora", "name": "소라", "role": "여행 작가", "theme": "telegram", "color": "#3fa796"},
    {"id": "haneul", "name": "하늘", "role": "사진가", "theme": "instagram", "color": "#d6588b"},
    {"id": "barista", "name": "바리스타 윤", "role": "단골 카페", "theme": "kakao", "color": "#8d6748"},
)


async def list_agents(request: Request) -> Response:
    """Answer GET /agents."""
    return page_of(request, AGENTS)


async def get_agent(request: Request) -> Response:
    """Answer GET /agents/{id}."""
    for agent in AGENTS:
        if agent["id"] == request.path_params["id"]:
            return success(agent)
    raise ApiError(404, "AGENT_NOT_FOUND", "no agent has this id")
