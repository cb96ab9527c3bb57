"""Which failures are one: thirty symptoms of a dead service are one cause."""

from __future__ import annotations

from collections.abc import Mapping

from postdeploy.domain.evidence import Evidence, PlannedCheck
from postdeploy.domain.health import MAINTENANCE
from postdeploy.domain.result import Attempt, CheckResult, Outcome
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Cause", "find_causes"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong, with the checks that show it; the first one found is ``c1``."""

    id: str
    summary: str
    checks: tuple[str, ...]
    service: str | None = None


@dataclass(frozen=True, slots=True)
class _Signature:
    key: tuple[str, ...]
    summary: str
    service: str | None = None


_BRIEF = 200
"""Characters of a cause's summary."""

_NAMES_PLACES = frozenset({"console", "requests"})
"""Subjects of a page whose values name URLs: seen by a declared page and by a test, whose services are not known, they
are one."""


def find_causes(evidence: Evidence) -> tuple[Cause, ...]:
    """The causes of every failed or blocked check, those with most symptoms first."""
    groups: dict[tuple[str, ...], tuple[_Signature, list[str]]] = {}
    for check in evidence.plan:
        result = evidence.result(check)
        if result.outcome in {Outcome.FAILED, Outcome.BLOCKED}:
            signature = _signature(check, result, evidence)
            groups.setdefault(signature.key, (signature, []))[1].append(check.id)
    ordered = sorted(groups.values(), key=lambda group: (group[0].service is None, -len(group[1])))
    return tuple(
        Cause(f"c{number}", signature.summary, tuple(checks), signature.service)
        for number, (signature, checks) in enumerate(ordered, start=1)
    )


def _signature(check: PlannedCheck, result: CheckResult, evidence: Evidence) -> _Signature:
    if result.outcome is Outcome.BLOCKED:
        return _service(result.blocked_by or "?", result.reason or "unreachable")
    attempt = result.last
    if attempt and attempt.fault:
        name = _service_of(attempt.fault.url, evidence.target)
        state = evidence.services.get(name or "")
        if name and state and not state.live:
            return _service(name, state.message or "unreachable")
        if name:
            return _Signature(
                ("fault", name, attempt.fault.code), f"service {name}: {_words(attempt.fault.code)}", name
            )
    return _own(check, attempt)


def _service(name: str, message: str) -> _Signature:
    return _Signature(("service", name), f"service {name}: {message}", name)


def _own(check: PlannedCheck, attempt: Attempt | None) -> _Signature:
    if attempt and attempt.findings:
        finding = attempt.findings[0]
        service = check.services[0] if len(check.services) == 1 and finding.subject not in _NAMES_PLACES else ""
        text = finding.observed if finding.code == "assertion" else str(finding)
        return _Signature((service, finding.subject, finding.expected, finding.observed), _brief(text))
    text = (attempt.error if attempt else None) or "failed"
    return _Signature(("check", check.id), _brief(text))


def _brief(text: str) -> str:
    lines = text.strip().splitlines() or [""]
    return lines[0] if len(lines[0]) <= _BRIEF else f"{lines[0][:_BRIEF]}…"


def _words(code: str) -> str:
    if code == MAINTENANCE:
        return "is in maintenance"
    return f"answers HTTP {code.removeprefix('http_')}" if code.startswith("http_") else code.replace("_", " ")


def _service_of(url: str, target: Mapping[str, object]) -> str | None:
    services = target.get("services")
    if not isinstance(services, Mapping):
        return None
    inside = [(len(base), str(name)) for name, base in services.items() if _below(url, base)]
    return max(inside)[1] if inside else None


def _below(url: str, base: str) -> bool:
    """Whether a URL lies below a base: ``http://host:8080`` does not lie below ``http://host:80``."""
    return url.startswith(base) and url[len(base) : len(base) + 1] in {"", "/", "?", "#"}
