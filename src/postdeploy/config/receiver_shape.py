"""``notify`` of a target: who is told when its verdict changes. No message shows a value: it may be a credential."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from postdeploy.config.node import Node, seen
from postdeploy.config.report import Wrong
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Field, Schema, Shape, Type, mapping_of, one_or_list, table
from postdeploy.config.values import LINE, NAME_PATTERN, choice, name_check, read_line
from postdeploy.config.wording import listed

__all__ = ["HOOK", "NOTIFY", "RECEIVER"]

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_SERVER: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]+\])(?::([0-9]{1,5}))?")
_ROUTING_KEY: Final = re.compile("[A-Za-z0-9]{32}")
_TEXT: Final = {"type": "string", "minLength": 1}
_LARGEST_PORT: Final = 65535


def _read_hook(node: Node, _scope: Scope) -> str:
    """A URL to post to, with its query, which for many services is the credential."""
    url = read_line(node)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Wrong("is not a URL") from None
    if not host or not url.isascii() or " " in url or parts.scheme not in {"http", "https"}:
        raise Wrong("is not a URL that begins with https://")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise Wrong("is sent over http, where others can read it", "write https://")
    return url


def _read_key(node: Node, _scope: Scope) -> str:
    key = read_line(node).strip()
    if not _ROUTING_KEY.fullmatch(key):
        raise Wrong("is no routing key of PagerDuty", "32 letters and digits, of an Events API v2 integration")
    return key


def _read_address(node: Node, _scope: Scope) -> str:
    address = read_line(node)
    if not _ADDRESS.fullmatch(address):
        raise Wrong(f"takes an address such as team@example.com, not {seen(node)}")
    return address


def _read_server(node: Node, _scope: Scope) -> tuple[str, int | None]:
    match = _SERVER.fullmatch(read_line(node))
    if match is None or int(match[2] or 1) not in range(1, _LARGEST_PORT + 1):
        raise Wrong(f"takes a host, perhaps with a port, not {seen(node)}", "such as smtp.example.com:587")
    return match[1].strip("[]"), int(match[2]) if match[2] else None


HOOK: Final = Type(_read_hook, {"type": "string", "pattern": r"^(https?://|\$\{)"})
_KEY: Final = Type(_read_key, _TEXT)
_ADDRESSEE: Final = Type(_read_address, _TEXT)
_PAGERDUTY: Final = Shape(
    {
        "key": Field(_KEY, "The routing key of an Events API v2 integration.", required=True),
        "url": Field(HOOK, "Where events go. Default: https://events.pagerduty.com/v2/enqueue."),
    }
)
_WEBHOOK: Final = Shape(
    {
        "url": Field(HOOK, "Where to post.", required=True),
        "sign_with": Field(LINE, "What posts are signed with, as the Standard Webhooks specification says."),
    }
)
_EMAIL: Final = Shape(
    {
        "to": Field(one_or_list(_ADDRESSEE), "An address, or several.", required=True),
        "from": Field(_ADDRESSEE, "The address that it comes from.", required=True),
        "server": Field(Type(_read_server, _TEXT), "The SMTP server: a host, perhaps with a port.", required=True),
        "security": Field(choice(("starttls", "tls", "none")), "How the connection is protected. Default: starttls."),
        "user": Field(LINE, "The name to log in with."),
        "password": Field(LINE, "The password to log in with."),
    }
)


def _short(shape: Shape, key: str) -> Type:
    """A mapping, or its one required value alone."""
    alone = shape.fields[key].type

    def read(node: Node, scope: Scope) -> dict[str, Any]:
        return shape.read(node, scope) if isinstance(node.value, dict) else {key: alone.read(node, scope)}

    return Type(read, {"anyOf": [alone.schema, shape.schema]})


_KINDS: Final = Shape(
    {
        "slack": Field(HOOK, "The URL of an incoming webhook of Slack."),
        "teams": Field(HOOK, "The URL of a workflow of Microsoft Teams that posts to a channel or a chat."),
        "discord": Field(HOOK, "The URL of a webhook of Discord."),
        "pagerduty": Field(_short(_PAGERDUTY, "key"), "The routing key of PagerDuty's Events API v2."),
        "webhook": Field(_short(_WEBHOOK, "url"), "A URL of your own, which gets JSON."),
        "email": Field(_EMAIL.type, "Addresses, and the server that takes mail for them."),
    }
)


def _read_receiver(node: Node, scope: Scope) -> dict[str, Any]:
    kinds = table(node)
    if len(kinds) != 1:
        raise Wrong(f"takes one of {listed(tuple(_KINDS.fields))}, not {len(kinds)} keys")
    return _KINDS.read(node, scope)


_SCHEMA: Final[Schema] = {**_KINDS.schema, "minProperties": 1, "maxProperties": 1}
RECEIVER: Final = Type(_read_receiver, _SCHEMA)
"""One receiver: its kind, and what that needs."""

NOTIFY: Final = mapping_of(RECEIVER, name_check("receiver"), NAME_PATTERN)
"""Receivers by name."""
