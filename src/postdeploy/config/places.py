"""Where things are: ``service:/path``, and the URLs of services."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from postdeploy.config.node import Node, seen, told
from postdeploy.config.report import Wrong
from postdeploy.config.scalars import hidden
from postdeploy.config.scope import Scope
from postdeploy.config.shape import Type
from postdeploy.config.values import read_text
from postdeploy.config.wording import way_out
from postdeploy.domain.target import Location

__all__ = ["LOCATION", "LOCATION_PATTERN", "SERVICE", "check_path", "know_service", "read_location", "read_url"]

LOCATION_PATTERN: Final = "^[a-z][a-z0-9_]*:/.*$"
_LOCATION: Final = re.compile(r"([a-z][a-z0-9_]*):(/.*)", re.DOTALL)
_SERVICE_ALONE: Final = re.compile("[a-z][a-z0-9_]*:?")
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?=[/?]|$)", re.IGNORECASE)
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]")
_PORTS: Final = 65535
_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))


def read_location(node: Node, scope: Scope) -> Location:
    """A place on a known service."""
    text = read_text(node)
    match = None if "://" in text.partition("?")[0] else _LOCATION.fullmatch(text)
    if match is None:
        hint = _misplaced(text) if text == node.text else None
        raise Wrong(f"takes a place such as 'api:/healthz', not {seen(node)}", hint)
    know_service(match[1], node, scope)
    return Location(match[1], check_path(match[2]))


def _misplaced(text: str) -> str | None:
    if "://" in text:
        return "name a service of the target and a path, not a URL"
    if _SERVICE_ALONE.fullmatch(text):
        return f"did you mean '{text.rstrip(':')}:/'?"
    service, colon, path = text.partition(":")
    if colon and _SERVICE_ALONE.fullmatch(service):
        return f"the path begins with '/': '{service}:/{path}'"
    return "name the service first, as in 'web:/path'" if text.startswith("/") else None


def know_service(name: str, node: Node, scope: Scope) -> None:
    """Raise Wrong for a service, named in this node, that the target does not have."""
    if scope.services is not None and name not in scope.services:
        shown = told(node, name)
        raise Wrong(
            f"names the service '{shown}', which target '{scope.target}' does not have", way_out(name, scope.services)
        )


def check_path(path: str) -> str:
    """The path as it is sent: ASCII. Raises Wrong for what no path of a request holds."""
    character = hidden(path)
    if character is not None:
        raise Wrong(f"holds the invisible character {character}", "remove it")
    bad = next((each for each in (" ", "\\", "#") if each in path), None)
    if bad is not None:
        raise Wrong(f"holds {bad!r} in its path", f"write {quote(bad)}")
    if _DOTS.search(path):
        raise Wrong("holds '.' or '..' as a part of its path", "write the path that is meant")
    return path if path.isascii() else quote(path, safe=_PRINTABLE)


def _read_service(node: Node, scope: Scope) -> str:
    name = read_text(node)
    if ":" in name or "/" in name:
        raise Wrong(f"takes the name of a service, not {seen(node)}", f"did you mean '{name.partition(':')[0]}'?")
    know_service(name, node, scope)
    return name


LOCATION: Final = Type(read_location, {"type": "string", "pattern": LOCATION_PATTERN})
SERVICE: Final = Type(_read_service, {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})


def read_url(node: Node, _scope: Scope | None = None) -> str:
    """The URL of a service, without a trailing slash. Messages never show it, for it may hold a secret."""
    text = read_text(node)
    character = hidden(text)
    if character is not None:
        raise Wrong(f"holds the invisible character {character}", "remove it")
    if not text.startswith(("http://", "https://")):
        raise Wrong("must begin with http:// or https://")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise Wrong("is not a URL", "write it like https://staging.example.com/api") from None
    _check_authority(parts.netloc)
    if "?" in text or "#" in text:
        raise Wrong("holds a query or a fragment", "end the URL after its path")
    return text.split("://", 1)[0] + "://" + parts.netloc.lower() + check_path(parts.path).rstrip("/")


def _check_authority(authority: str) -> None:
    if "@" in authority:
        raise Wrong("holds a user name or a password", "put it in 'secrets' and send it with 'auth'")
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        host, colon, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if not host:
        raise Wrong("names no host", "write it like https://staging.example.com")
    if not _HOST.fullmatch(host):
        raise Wrong("names a host that cannot be", "write it in ASCII letters, digits, '.' and '-'")
    if colon and not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= _PORTS):
        raise Wrong(f"has a port that is not a number from 1 to {_PORTS}")
