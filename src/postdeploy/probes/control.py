"""Control probes: is this machine able to tell anything at all? They ask what is no part of the target."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.observation import HttpObservation
from postdeploy.domain.target import Control, Service
from postdeploy.errors import ProbeError
from postdeploy.lazy_dataclass import dataclass, field
from postdeploy.probes.connection import Timeline, resolve
from postdeploy.probes.http_once import fetch_once
from postdeploy.probes.http_request import HttpRequest
from postdeploy.probes.route import default_route

__all__ = ["Question", "has_anything_to_ask", "observe_control"]

_DATES: Final = frozenset({"certificate_expired", "certificate_not_yet_valid"})
_UNKNOWN_NAME: Final = "dns_not_found"


@dataclass(frozen=True, slots=True)
class Question:
    """What a round of control probes is about.

    Args:
        control: how the target lets the runner be told from itself.
        services: of the target, by name.
        moment: before the run, or because something had gone wrong.
        code: what had gone wrong.
        url: where.
        headers: that identify the request to the control URL.
        wall: seconds since the epoch.
    """

    control: Control
    services: Mapping[str, Service]
    moment: Moment
    code: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    wall: Callable[[], float] = time.time

    def result(
        self, probe: ControlProbe, message: str, code: str | None = None, skew: float | None = None
    ) -> ControlResult:
        """Healthy, unless there is a code."""
        return ControlResult(probe, self.moment, code is None, self.wall(), message, code, skew)


def has_anything_to_ask(control: Control, services: Mapping[str, Service]) -> bool:
    """Whether control probes can say anything: not where there is none configured and the target is this machine."""
    return bool(control.url or control.name or any(not _is_here(service.host) for service in services.values()))


def observe_control(question: Question) -> Iterator[ControlResult]:
    """Each probe in turn, as far as there is something to ask; at most some seconds, and never an error."""
    yield from _route(question)
    yield from _resolver(question)
    yield from _url(question)


def _route(question: Question) -> Iterator[ControlResult]:
    hosts = [service.host for service in question.services.values()]
    if question.control.url:
        hosts.append(_host(question.control.url))
    found = None if all(map(_is_here, hosts)) else default_route()
    if found is not None:
        message = "this machine has a default route" if found else "this machine has no default route"
        yield question.result(ControlProbe.ROUTE, message, None if found else "no_default_route")


def _resolver(question: Question) -> Iterator[ControlResult]:
    name, known = _name(question)
    if not name:
        return
    timeline = Timeline(name, question.control.timeout, time.monotonic)
    try:
        with timeline.phase("dns"):
            resolve(name, 443, timeline.left())
    except ProbeError as error:
        if known or error.code != _UNKNOWN_NAME:
            yield question.result(ControlProbe.RESOLVER, error.message, error.code)
            return
    yield question.result(ControlProbe.RESOLVER, f"the resolver answers for {name}")


def _name(question: Question) -> tuple[str, bool]:
    """The name to look up, and whether it is known to exist; the name of a service only shows that somebody answers."""
    control = question.control
    known = control.name or (_host(control.url) if control.url else "")
    if known and _needs_resolver(known):
        return known, True
    hosts = [_host(question.url), *(service.host for service in question.services.values())]
    return next(filter(_needs_resolver, hosts), ""), False


def _url(question: Question) -> Iterator[ControlResult]:
    url = question.control.url
    if not url:
        if question.code in _DATES:
            yield from _clock(question, _date_of(question, question.url), "the target")
        return
    try:
        answer = fetch_once(_request(question, url))
    except ProbeError as error:
        yield from _unanswered(question, url, error)
        return
    if 200 <= answer.status < 300:  # noqa: PLR2004  # 2xx, RFC 9110 §15.3
        yield question.result(ControlProbe.URL, f"the control URL {url} answers")
    else:
        yield question.result(
            ControlProbe.URL, f"the control URL {url} answers HTTP {answer.status}", f"http_{answer.status}"
        )
    yield from _clock(question, _date(answer), "the control URL")


def _unanswered(question: Question, url: str, error: ProbeError) -> Iterator[ControlResult]:
    """A certificate that is not valid now may be that of a good server, seen by a wrong clock."""
    date = _date_of(question, url) if error.code in _DATES else None
    clock = list(_clock(question, date, "the control URL"))
    if any(not each.healthy for each in clock):
        yield question.result(ControlProbe.URL, f"the control URL {url} answers")
    else:
        yield question.result(ControlProbe.URL, f"the control URL {url} does not: {error.message}", error.code)
    yield from clock


def _clock(question: Question, date: float | None, source: str) -> Iterator[ControlResult]:
    if date is None:
        return
    skew = question.wall() - date
    where = f"the clock of this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {source}"
    wrong = abs(skew) > question.control.skew
    yield question.result(ControlProbe.CLOCK, where, "clock_skew" if wrong else None, skew)


def _date_of(question: Question, url: str) -> float | None:
    """What the other side takes for now, whoever it is; nothing that was sent with the question is secret."""
    try:
        return _date(fetch_once(_request(question, url), trusting=True))
    except ProbeError:
        return None


def _date(answer: HttpObservation) -> float | None:
    """When an answer was sent: its Date (RFC 9110 §6.6.1), and how long a cache had it (RFC 9111 §5.1)."""
    headers = dict(answer.headers)
    try:
        moment = parsedate_to_datetime(headers["date"])
        age = headers.get("age", "0")
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() + (float(age) if age.isdecimal() else 0.0)
    except (KeyError, ValueError, OverflowError):
        return None


def _request(question: Question, url: str) -> HttpRequest:
    headers = {**question.headers, "Cache-Control": "no-cache"}
    return HttpRequest("GET", url, headers, timeout=question.control.timeout, fresh=True, place=url)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _needs_resolver(host: str) -> bool:
    return bool(host) and host != "localhost" and _address(host) is None


def _is_here(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
