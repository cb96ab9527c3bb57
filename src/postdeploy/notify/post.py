"""One HTTP request to a receiver, with an end to everything; what is said of it never holds its address."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import pycurl

from postdeploy.errors import NotificationError
from postdeploy.guard.authorities import authorities

__all__ = ["ATTEMPTS", "Post", "deliver"]

ATTEMPTS: Final = 2
"""What is worth repeating (nobody answered, 429, 5xx) is repeated once."""

_PATIENCE: Final = 8.0
_PAUSE: Final = 1.0
_HEARD: Final = 4096
_AGAIN: Final = 429
_BROKEN: Final = 500
_FINE: Final = range(200, 300)


class Post(NamedTuple):
    """What is sent: ``url`` in the clear, the body as JSON; without one it is only asked for."""

    url: str
    body: bytes | None
    headers: Mapping[str, str]


class _Answer(NamedTuple):
    status: int
    text: str


def deliver(post: Post, sleep: Callable[[float], None] = time.sleep, patience: float = _PATIENCE) -> None:
    """Send it, and again if that may help; ``patience`` are the seconds of one attempt. Raises NotificationError."""
    for attempt in range(1, ATTEMPTS + 1):
        last = attempt == ATTEMPTS
        try:
            answer = _ask(post, patience)
        except pycurl.error as error:
            if last:
                raise NotificationError(_unheard(error, patience)) from None
        else:
            if answer.status in _FINE:
                return
            if last or not _is_worth_repeating(answer.status):
                raise NotificationError(f"answered {answer.status}: {answer.text}".rstrip(": "))
        sleep(_PAUSE)


def _is_worth_repeating(status: int) -> bool:
    return status == _AGAIN or status >= _BROKEN


def _unheard(error: pycurl.error, patience: float) -> str:
    """Libcurl's messages name the host, and for some services that is already telling; its number says what it was."""
    names = {
        pycurl.E_COULDNT_RESOLVE_HOST: "its host name was not found",
        pycurl.E_COULDNT_CONNECT: "nobody listens there",
        pycurl.E_OPERATION_TIMEDOUT: f"no answer within {patience:g} s",
        pycurl.E_PEER_FAILED_VERIFICATION: "its certificate is not trusted",
    }
    return names.get(error.args[0], f"no answer (libcurl's error {error.args[0]})")


def _ask(post: Post, patience: float) -> _Answer:
    heard = bytearray()
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.URL, post.url)
        if post.body is not None:
            curl.setopt(pycurl.POSTFIELDS, post.body)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in post.headers.items()])
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.TIMEOUT_MS, round(patience * 1000))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, lambda chunk: _hear(heard, chunk))
        trusted = authorities()
        if trusted:
            curl.setopt(pycurl.CAINFO, trusted)
        _perform(curl, heard)
        return _Answer(curl.getinfo(pycurl.RESPONSE_CODE), heard.decode("utf-8", "replace")[:200])
    finally:
        curl.close()


def _hear(heard: bytearray, chunk: bytes) -> int:
    """As much as anybody needs; of a longer answer the rest is not waited for."""
    heard += chunk
    return -1 if len(heard) > _HEARD else len(chunk)


def _perform(curl: pycurl.Curl, heard: bytearray) -> None:
    try:
        curl.perform()
    except pycurl.error as error:
        if error.args[0] != pycurl.E_WRITE_ERROR or len(heard) <= _HEARD:
            raise
