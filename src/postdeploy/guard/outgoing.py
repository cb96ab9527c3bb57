"""The one decision about a request that wants to leave this machine."""

from __future__ import annotations

from postdeploy.domain.target import SAFE_METHODS, AccessMode, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.address import is_ambiguous, locate

__all__ = ["refusal", "require_permission"]


def refusal(target: Target, method: str, url: str) -> GuardRefusalError | None:
    """Why a request may not be sent to the target, or None if it may; its URL is judged in normal form."""
    location = locate(target, url)
    if location is None:
        return GuardRefusalError(
            f"{method} {url} is not on a service of target '{target.name}'",
            allow=f"add its origin to 'services' of '{target.name}' in targets.yaml",
        )
    path = location.path.split("?", 1)[0]
    if target.access.permits(method, location) and not (_by_exception(target, method) and is_ambiguous(url)):
        return None
    return GuardRefusalError(
        f"target '{target.name}' is {AccessMode.READ_ONLY}: {method} {location.service}:{path} was not sent",
        allow=f'allow: ["{method} {location.service}:{path}"]',
    )


def _by_exception(target: Target, method: str) -> bool:
    """Whether a request needs a rule: then the path that the rule names must be the only way to read it."""
    return target.access.mode is AccessMode.READ_ONLY and method.upper() not in SAFE_METHODS


def require_permission(target: Target, method: str, url: str) -> None:
    """Raise GuardRefusalError unless the request may be sent."""
    error = refusal(target, method, url)
    if error is not None:
        raise error
