"""What probes saw: data, no judgement.

Each answers ``subject(name, argument)`` for the words that may stand under ``expect`` for its kind of probe.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Final

from postdeploy.domain.charset import charset_of
from postdeploy.domain.page_events import ConsoleMessage, FailedRequest, without_refused
from postdeploy.domain.selection import MISSING
from postdeploy.domain.strict_json import UnreadableError, read_json
from postdeploy.lazy_dataclass import dataclass, field

__all__ = [
    "SUBJECTS",
    "ConsoleMessage",
    "DnsObservation",
    "FailedRequest",
    "HttpObservation",
    "Observation",
    "PageObservation",
    "TcpObservation",
    "TlsObservation",
    "UnreadableError",
    "WebsocketObservation",
    "read_json",
    "without_refused",
]

_EXCERPT: Final = 600


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What every probe reports: seconds in all and by phase, where it went, and the release that answered."""

    SUBJECTS: ClassVar[tuple[str, ...]] = ()

    place: str
    duration: float
    phases: Mapping[str, float] = field(default_factory=dict)
    release: str | None = None

    def subject(self, name: str, argument: str | None = None) -> object:
        """The value that an expectation is about, or ``MISSING``. Raises UnreadableError."""
        if name not in self.SUBJECTS:
            raise UnreadableError(f"{type(self).__name__} knows no {name!r}")
        return self._answer(name, argument)

    def _answer(self, name: str, _argument: str | None) -> object:
        return self.duration if name == "within" else getattr(self, name)

    def excerpt(self) -> str:
        """What came, in a few lines, for a person who looks at a failure."""
        return ""


@dataclass(frozen=True, kw_only=True)
class HttpObservation(Observation):
    """One HTTP answer. Header names are lower case; ``body`` is decoded from its content encoding."""

    SUBJECTS = ("status", "json", "body", "header", "within", "url", "redirects", "http_version")

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    http_version: str = "1.1"
    redirects: int = 0
    address: str = ""

    @cached_property
    def document(self) -> object:
        """The body as JSON. Raises UnreadableError."""
        if not self.body:
            raise UnreadableError("not JSON: the body is empty")
        return read_json(self.body)

    @cached_property
    def text(self) -> str:
        """The body as text, with what does not fit its character set escaped. Raises UnreadableError."""
        kind = self.header("content-type")
        return self.body.decode(charset_of(kind) if isinstance(kind, str) else "utf-8", "backslashreplace")

    @property
    def is_redirect(self) -> bool:
        """Whether the answer sends us elsewhere (RFC 9110 §15.4)."""
        return self.status in {301, 302, 303, 307, 308} and self.header("location") is not MISSING

    def header(self, name: str) -> object:
        """The value of a header, repeated ones joined by a comma (RFC 9110 §5.3), or ``MISSING``."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else MISSING

    def _answer(self, name: str, argument: str | None) -> object:
        if name == "json":
            return self.document
        if name == "body":
            return self.text
        if name == "header":
            return self.header(argument or "")
        return super()._answer(name, argument)

    def excerpt(self) -> str:
        """The status line, the content type and the beginning of the body."""
        kind = self.header("content-type")
        head = f"HTTP/{self.http_version} {self.status}" + ("" if kind is MISSING else f"  {kind}")
        body = _cut(self.body.decode("utf-8", "backslashreplace"), _EXCERPT).strip()
        return f"{head}\n{body}" if body else head


@dataclass(frozen=True, kw_only=True)
class TlsObservation(Observation):
    """One TLS handshake.

    ``trusted`` covers chain, dates and host name; ``trust_error`` says what was wrong; ``expires`` is when the first
    certificate of the chain does, in seconds since the epoch.
    """

    SUBJECTS = ("days_left", "trusted", "version", "cipher", "issuer", "subject_name", "names", "within")

    days_left: float
    trusted: bool
    trust_error: str | None
    version: str
    cipher: str
    issuer: str
    subject_name: str
    names: tuple[str, ...]
    expires: float | None = None

    def excerpt(self) -> str:
        """The certificate in one line and what is wrong with it."""
        head = f"{self.version}  {self.subject_name}  issued by {self.issuer}, {self.days_left:.1f} days left"
        return f"{head}\nnot trusted: {self.trust_error}" if self.trust_error else head


@dataclass(frozen=True, kw_only=True)
class DnsObservation(Observation):
    """What a name resolved to."""

    SUBJECTS = ("addresses", "within")

    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TcpObservation(Observation):
    """An established connection and the first bytes that the other side sent by itself."""

    SUBJECTS = ("connected", "banner", "within")

    connected: bool = True
    banner: str = ""


@dataclass(frozen=True, kw_only=True)
class WebsocketObservation(Observation):
    """The messages that came over a WebSocket, in order, as texts."""

    SUBJECTS = ("connected", "json", "message", "messages", "within")

    connected: bool = True
    messages: tuple[str, ...] = ()

    def _answer(self, name: str, argument: str | None) -> object:
        if name in {"message", "json"}:
            last = self.messages[-1] if self.messages else MISSING
            return read_json(last) if name == "json" and isinstance(last, str) else last
        return super()._answer(name, argument)

    def excerpt(self) -> str:
        """The messages, a line each."""
        return _cut("\n".join(self.messages), _EXCERPT)


@dataclass(frozen=True, kw_only=True)
class PageObservation(Observation):
    """A page after it loaded: what its expectations ask for, its console errors and its failed requests.

    Args:
        seen: for each selector that was looked for, whether it was visible.
        texts: for each selector whose text was asked for, its text.
        evidence: paths of screenshot, trace and logs, relative to the reports folder.
    """

    SUBJECTS = ("status", "title", "url", "visible", "hidden", "text", "console", "requests", "within")

    status: int
    title: str
    url: str
    body_text: str = ""
    seen: Mapping[str, bool] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    console: tuple[ConsoleMessage, ...] = ()
    requests: tuple[FailedRequest, ...] = ()
    evidence: tuple[str, ...] = ()

    def _answer(self, name: str, argument: str | None) -> object:
        if name in {"visible", "hidden"}:
            return self.seen.get(argument or "", MISSING)
        if name == "text":
            return self.texts.get(argument, MISSING) if argument else self.body_text
        if name == "console":
            return tuple(map(str, without_refused(self.console, self.requests)))
        if name == "requests":
            return tuple(str(request) for request in self.requests if not request.refused)
        return super()._answer(name, argument)

    @property
    def refusals(self) -> tuple[FailedRequest, ...]:
        """The requests of the page that we did not let leave this machine."""
        return tuple(request for request in self.requests if request.refused)

    def excerpt(self) -> str:
        """Title, address, console errors and failed requests."""
        lines = [f"HTTP {self.status}  {self.title!r}  {self.url}"]
        lines += [f"console: {message}" for message in self.console]
        lines += [f"request: {request}" for request in self.requests]
        return _cut("\n".join(lines), 2 * _EXCERPT)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "http": HttpObservation.SUBJECTS,
    "tls": TlsObservation.SUBJECTS,
    "dns": DnsObservation.SUBJECTS,
    "tcp": TcpObservation.SUBJECTS,
    "websocket": WebsocketObservation.SUBJECTS,
    "page": PageObservation.SUBJECTS,
}
"""The words that may stand under ``expect``, by kind of probe."""
