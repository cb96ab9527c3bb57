"""The protected routes: conversations and their messages."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from demo.envelope import ApiError, success
from demo.fields import read_object
from demo.paging import page_of
from demo.sessions import Sessions
from demo.store import AUTHORS, THEMES, Conversation, FullError, Message, Store, TakenError

_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,39}")
_ID_IN_WORDS = "3 to 40 of a-z, 0-9 and -"


class Conversations:
    """The endpoints over one store; each asks for a token first."""

    def __init__(self, store: Store, sessions: Sessions) -> None:
        self._store = store
        self._sessions = sessions

    async def list(self, request: Request) -> Response:
        """Answer GET /conversations."""
        self._sessions.require(request)
        return page_of(request, [one.document() for one in self._store.all()])

    async def create(self, request: Request) -> Response:
        """Answer POST /conversations."""
        self._sessions.require(request)
        conversation = await _read_conversation(request)
        try:
            self._store.add(conversation)
        except TakenError:
            raise ApiError(409, "CONFLICT", "a conversation of this id exists") from None
        location = {"location": f"/api/v1/conversations/{conversation.id}"}
        return success(conversation.document(), 201, headers=location)

    async def get(self, request: Request) -> Response:
        """Answer GET /conversations/{id}."""
        return success(self._find(request).document())

    async def delete(self, request: Request) -> Response:
        """Answer DELETE /conversations/{id}."""
        conversation = self._find(request)
        self._store.remove(conversation.id)
        return success({"id": conversation.id, "deleted": True})

    async def messages(self, request: Request) -> Response:
        """Answer GET /conversations/{id}/messages: the history, oldest first."""
        return page_of(request, [message.document() for message in self._find(request).messages])

    async def say(self, request: Request) -> Response:
        """Answer POST /conversations/{id}/messages."""
        conversation = self._find(request)
        fields = await read_object(request)
        message = Message(fields.choice("author", AUTHORS, "me"), fields.text("text", longest=2000))
        fields.check()
        try:
            conversation.say(message)
        except FullError:
            raise ApiError(409, "CONVERSATION_FULL", "the conversation takes no more messages") from None
        return success(message.document(), 201)

    def _find(self, request: Request) -> Conversation:
        self._sessions.require(request)
        conversation = self._store.get(request.path_params["id"])
        if conversation is None:
            raise ApiError(404, "CONVERSATION_NOT_FOUND", "no conversation has this id")
        return conversation


async def _read_conversation(request: Request) -> Conversation:
    fields = await read_object(request)
    conversation = Conversation(
        theme=fields.choice("theme", THEMES),
        title=fields.text("title", longest=100, default=""),
        participant=fields.text("participant", longest=40, default="민지"),
    )
    own_id = fields.matching("id", _ID, _ID_IN_WORDS)
    fields.check()
    conversation.id = own_id or conversation.id
    return conversation
