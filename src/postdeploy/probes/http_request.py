"""An HTTP request as it goes out, and the one that follows a redirect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from postdeploy.domain.check import HttpProbe
from postdeploy.domain.observation import HttpObservation
from postdeploy.errors import ProbeError
from postdeploy.guard.redirects import Hop, following
from postdeploy.lazy_dataclass import dataclass, field, replace

__all__ = ["HttpRequest", "request_of"]

_PRINTABLE: Final = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request: absolute URL, every header, the body's bytes.

    Args:
        method: in capitals.
        url: what is not ASCII in it is percent-encoded when it is sent.
        headers: by name, as they are written.
        body: None sends none.
        timeout: seconds for the whole exchange.
        fresh: over a connection of its own, which is closed afterwards.
        place: where it goes, as people write it.
        release_header: the header of the answer that names the release, lower case.
        redirects: how many were followed to get here.
        spent: seconds that the exchanges before a redirect took.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout: float = 10.0
    fresh: bool = False
    place: str = ""
    release_header: str | None = None
    redirects: int = 0
    spent: float = 0.0

    @property
    def plain(self) -> bool:
        """Whether it is the ordinary case: GET without a body, over any connection."""
        return self.method == "GET" and self.body is None and not self.fresh

    def address(self) -> str:
        """The URL in ASCII."""
        if self.url.isascii() and self.url.isprintable() and " " not in self.url:
            return self.url
        return quote(self.url, safe=_PRINTABLE, encoding="utf-8", errors="backslashreplace")

    def header_lines(self) -> Iterator[bytes]:
        """What libcurl is told to send, and not to send. Raises ProbeError for what would be more than one line."""
        names = {name.lower() for name in self.headers}
        yield b"Expect:"
        if "accept-encoding" not in names:
            yield b"Accept-Encoding: gzip, deflate"
        if "content-type" not in names:
            yield b"Content-Type:" if self.body is None else b"Content-Type: text/plain; charset=utf-8"
        for name, value in self.headers.items():
            line = f"{name}: {value}" if value else f"{name};"
            if "\r" in line or "\n" in line or "\0" in line:
                raise ProbeError("invalid_request", f"header {name!r} would hold a line break", target_fault=False)
            yield line.encode("utf-8", "backslashreplace")

    def redirected(self, observation: HttpObservation) -> HttpRequest:
        """The request that follows a redirect. Raises ProbeError where it leads to no address.

        Another origin gets neither credentials nor a body (GuardRefusalError where the method would keep one), and what
        took time so far counts against the time that is left.
        """
        location = next((value for name, value in observation.headers if name == "location"), "")
        try:
            hop = following(
                Hop(self.method, self.url, self.headers, self.body is not None),
                observation.status,
                location or self.url,
            )
        except ValueError as error:
            raise ProbeError(
                "protocol_redirects", f"the redirect leads to no address ({error})", phases=dict(observation.phases)
            ) from error
        if hop is None:
            raise ProbeError("protocol_redirects", "the answer is no redirect", phases=dict(observation.phases))
        return replace(
            self,
            method=hop.method,
            url=hop.url,
            body=self.body if hop.body else None,
            headers=hop.headers,
            timeout=max(0.001, self.timeout - (observation.duration - self.spent)),
            redirects=self.redirects + 1,
            spent=observation.duration,
        )


def request_of(
    probe: HttpProbe, url: str, *, headers: Mapping[str, str], timeout: float, release_header: str | None = None
) -> HttpRequest:
    """The request that a probe asks for; its own headers win over ``headers``."""
    own = {name.lower() for name in probe.headers}
    kept = {name: value for name, value in headers.items() if name.lower() not in own} if own else headers
    merged = {**kept, **probe.headers}
    if probe.has_json and "content-type" not in own:
        merged["Content-Type"] = "application/json"
    if probe.auth and "authorization" not in own:
        merged["Authorization"] = probe.auth
    return HttpRequest(
        probe.method, url, merged, _body(probe), timeout, place=str(probe.location), release_header=release_header
    )


def _body(probe: HttpProbe) -> bytes | None:
    if not probe.has_json:
        return None if probe.body is None else probe.body.encode("utf-8", "backslashreplace")
    try:
        return json.dumps(probe.json, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can say it in ASCII only
        return json.dumps(probe.json).encode()
