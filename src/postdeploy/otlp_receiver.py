"""Sending spans and metrics to a receiver of OTLP by HTTP, after the seal: bounded in time, and at worst a warning.

Variables are those of the specification: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import gzip
import io
import json
import math
from collections.abc import Mapping
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

from postdeploy import __version__
from postdeploy.exporters.otlp import METRICS, TRACES

__all__ = ["Receiver"]

_SIGNALS: Final = {"traces": TRACES, "metrics": METRICS}
_TIMEOUT: Final = 5.0
_LONGEST: Final = 30.0
_ANSWER: Final = 64 * 1024
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"


class _NotTakenError(Exception):
    """Why a receiver has not got what it was sent; says nothing of headers, which are secrets."""


class Receiver:
    """Where signals go: URLs by signal, headers (secrets, hence no fact that is shown), seconds for each request."""

    def __init__(self, urls: Mapping[str, str], headers: Mapping[str, str], timeout: float) -> None:
        self.urls = urls
        self.headers = headers
        self.timeout = timeout

    @classmethod
    def of(cls, endpoint: str | None, environment: Mapping[str, str]) -> Self | None:
        """As the command line or the environment names it; None if neither does. Raises ValueError."""
        base = (endpoint or environment.get(_ENDPOINT) or "").rstrip("/")
        urls = {}
        for signal in _SIGNALS:
            own = None if endpoint else environment.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
            if own or base:
                urls[signal] = _url(own or f"{base}/v1/{signal}")
        if not urls:
            return None
        headers = _headers(environment.get("OTEL_EXPORTER_OTLP_HEADERS", ""))
        return cls(urls, headers, _seconds(environment.get("OTEL_EXPORTER_OTLP_TIMEOUT")))

    @property
    def name(self) -> str:
        """As people are told of it: without what may be a secret."""
        return ", ".join(dict.fromkeys(_shown(url) for url in self.urls.values()))

    def send(self, files: Mapping[str, bytes]) -> str | None:
        """Send the files of the otlp format; returns why that failed, if it did. The first failure ends it."""
        try:
            for signal, url in self.urls.items():
                self._send(url, files[_SIGNALS[signal]])
        except _NotTakenError as error:
            return str(error)
        return None

    def _send(self, url: str, content: bytes) -> None:
        import pycurl

        answer = io.BytesIO()
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Expect": "", **self.headers}
        curl = pycurl.Curl()
        try:
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            curl.setopt(pycurl.NOSIGNAL, 1)
            curl.setopt(pycurl.TIMEOUT_MS, round(1000 * self.timeout))
            curl.setopt(pycurl.USERAGENT, f"pytest-postdeploy/{__version__}")
            curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in headers.items()])
            curl.setopt(pycurl.POSTFIELDS, gzip.compress(content, 1))
            curl.setopt(pycurl.WRITEFUNCTION, lambda part: _keep(answer, part))
            curl.perform()
            status = curl.getinfo(pycurl.RESPONSE_CODE)
        except pycurl.error as error:
            raise _NotTakenError(f"{_shown(url)}: {error.args[1] or 'the request failed'}") from None
        finally:
            curl.close()
        _require_taken(_shown(url), status, answer.getvalue())


def _keep(answer: io.BytesIO, part: bytes) -> int:
    """Returns how much was taken: less than came ends the transfer."""
    return answer.write(part) if answer.tell() + len(part) <= _ANSWER else 0


def _require_taken(url: str, status: int, answer: bytes) -> None:
    if not 200 <= status < 300:  # noqa: PLR2004  # RFC 9110 §15.3
        raise _NotTakenError(f"{url}: HTTP {status}")
    partial = _partial(answer)
    rejected = {name: count for name, count in partial.items() if name.startswith("rejected") and str(count) != "0"}
    if rejected:
        what = ", ".join(f"{name} {count}" for name, count in rejected.items())
        raise _NotTakenError(f"{url}: {what}: {ascii(partial.get('errorMessage', ''))[:200]}")


def _partial(answer: bytes) -> Mapping[str, Any]:
    """What a receiver says of a part that it did not take, if it says so as we asked: in JSON."""
    try:
        partial = json.loads(answer).get("partialSuccess")
    except (ValueError, AttributeError, RecursionError):
        return {}
    return partial if isinstance(partial, dict) else {}


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{_shown(text)!r} is not a URL of http or https")
    return text


def _shown(url: str) -> str:
    """Scheme, host and path: users and queries may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _headers(text: str) -> dict[str, str]:
    """``name=value`` pairs, values percent-encoded, separated by commas; a line feed would be another header."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    headers = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    return {name: value for name, value in headers.items() if value.isprintable() and name.isprintable()}


def _seconds(text: str | None) -> float:
    """Milliseconds, as the specification has them; what is no sensible number is the default."""
    try:
        seconds = float(text or "") / 1000
    except ValueError:
        return _TIMEOUT
    return min(seconds, _LONGEST) if math.isfinite(seconds) and seconds > 0 else _TIMEOUT
