"""Conversations through the API's own client: what one YAML file would say less well than Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx2

    from postdeploy.domain.redaction import Secret


@pytest.fixture
def token(secrets: Mapping[str, Secret]) -> dict[str, str]:
    """The header that opens protected routes."""
    return {"Authorization": f"Bearer {secrets['api_token'].reveal()}"}


@pytest.mark.check(owner="api")
def test_pages_of_conversations_agree(api: httpx2.Client, token: dict[str, str]) -> None:
    """The first page is not longer than asked for, and its total counts at least what it holds."""
    response = api.get("/conversations", params={"limit": 2}, headers=token)
    assert response.status_code == 200
    document = response.json()
    assert len(document["data"]) <= 2
    assert document["page"]["total"] >= len(document["data"])


@pytest.mark.writes
@pytest.mark.check(owner="api", severity="major", repeatable=True)
def test_messages_keep_their_order(api: httpx2.Client, token: dict[str, str]) -> None:
    """Messages come back in the order in which they were sent."""
    conversation = api.post("/conversations", json={"theme": "discord"}, headers=token).json()["data"]["id"]
    try:
        for text in ("하나", "둘", "셋"):
            sent = api.post(
                f"/conversations/{conversation}/messages", json={"text": text, "author": "me"}, headers=token
            )
            assert sent.status_code == 201
        history = api.get(f"/conversations/{conversation}/messages", headers=token).json()["data"]
        assert [message["text"] for message in history] == ["하나", "둘", "셋"]
    finally:
        api.delete(f"/conversations/{conversation}", headers=token)
