"""Conversations in memory, with an upper bound on everything."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from demo.release import utc_now

THEMES = ("kakao", "discord", "telegram", "instagram")
AUTHORS = ("me", "them")
MOST_CONVERSATIONS = 1000
MOST_MESSAGES = 500


class FullError(Exception):
    """A conversation has no room for another message."""


class TakenError(Exception):
    """A conversation of this id exists."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of a conversation."""

    author: str
    text: str
    at: str = field(default_factory=utc_now)
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def document(self) -> dict[str, str]:
        """Return the message as the API shows it."""
        return {"id": self.id, "author": self.author, "text": self.text, "at": self.at}


@dataclass(slots=True)
class Conversation:
    """A mock chat in one theme."""

    theme: str
    title: str
    participant: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    created_at: str = field(default_factory=utc_now)
    messages: list[Message] = field(default_factory=list)

    def document(self) -> dict[str, str | int]:
        """Return the conversation as the API shows it."""
        return {
            "id": self.id,
            "theme": self.theme,
            "title": self.title,
            "participant": self.participant,
            "created_at": self.created_at,
            "message_count": len(self.messages),
        }

    def say(self, message: Message) -> None:
        """Append a message, or raise FullError."""
        if len(self.messages) >= MOST_MESSAGES:
            raise FullError
        self.messages.append(message)


class Store:
    """All conversations; the oldest make room when there are too many."""

    def __init__(self) -> None:
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()

    def add(self, conversation: Conversation) -> None:
        """Keep a conversation, or raise TakenError."""
        if conversation.id in self._conversations:
            raise TakenError
        self._conversations[conversation.id] = conversation
        if len(self._conversations) > MOST_CONVERSATIONS:
            self._conversations.popitem(last=False)

    def get(self, conversation_id: str) -> Conversation | None:
        """Return the conversation of this id."""
        return self._conversations.get(conversation_id)

    def remove(self, conversation_id: str) -> bool:
        """Forget a conversation and say whether it was there."""
        return self._conversations.pop(conversation_id, None) is not None

    def all(self) -> list[Conversation]:
        """Return the conversations, newest first."""
        return list(reversed(self._conversations.values()))

    def clear(self) -> None:
        """Forget everything."""
        self._conversations.clear()
