"""What pages write to their consoles and what they throw, in the words of Playwright's events."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from postdeploy.browser.devtools.connection import Facts
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Message", "WebError", "console_call", "log_entry", "uncaught"]


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the console."""

    type: str
    text: str
    location: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WebError:
    """An exception that nobody caught; ``error`` has a name and a message."""

    error: Any
    location: Mapping[str, Any]


def console_call(facts: Facts) -> Message:
    """The message of ``Runtime.consoleAPICalled``."""
    return Message(facts["type"], " ".join(map(_shown, facts["args"])), _place(facts.get("stackTrace")))


def log_entry(facts: Facts) -> Message | None:
    """The message of ``Log.entryAdded``; None where it is a worker's, which tells it itself."""
    entry = facts["entry"]
    if entry["source"] == "worker":
        return None
    location = {"url": entry.get("url", ""), "line": entry.get("lineNumber", 0), "column": 0}
    return Message(entry["level"], entry["text"], location)


def uncaught(facts: Facts) -> WebError:
    """The error of ``Runtime.exceptionThrown``."""
    details = facts["exceptionDetails"]
    whole = _thrown(details).split("\n    at", 1)[0]
    name, colon, message = whole.partition(":")
    named = next((item.get("value") for item in _properties(details.get("exception")) if item["name"] == "name"), None)
    error = SimpleNamespace(name=named or (name if colon else ""), message=message[1:] if colon else whole)
    return WebError(error, _place(details.get("stackTrace")))


def _thrown(details: Facts) -> str:
    thrown = details.get("exception")
    if thrown is None:
        return str(details["text"])
    return str(thrown.get("description") or _text(thrown.get("value")))


def _place(stack: Facts | None) -> dict[str, Any]:
    if not stack or not stack["callFrames"]:
        return {"url": "", "line": 0, "column": 0}
    frame = stack["callFrames"][0]
    return {"url": frame["url"], "line": frame["lineNumber"], "column": frame["columnNumber"]}


def _properties(thing: Facts | None) -> list[Facts]:
    preview = (thing or {}).get("preview") or {}
    return list(preview.get("properties", ()))


def _shown(thing: Facts) -> str:
    """A value as a console shows it."""
    if "value" in thing:
        return _text(thing["value"])
    if "unserializableValue" in thing:
        return str(thing["unserializableValue"])
    properties = _properties(thing)
    if thing.get("subtype") == "array" and "preview" in thing:
        return f"[{', '.join(str(item.get('value', '')) for item in properties)}]"
    if thing.get("description") == "Object" and "preview" in thing:
        return "{" + ", ".join(f"{item['name']}: {item.get('value', '')}" for item in properties) + "}"
    return str(thing.get("description", thing["type"]))


def _text(value: object) -> str:
    """A value of JSON as JavaScript writes it."""
    words = {True: "true", False: "false", None: "null"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
