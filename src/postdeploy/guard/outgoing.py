"""The one decision about a request that wants to leave this machine."""

from __future__ import annotations

from postdeploy.domain.target import AccessMode, Target
from postdeploy.errors import GuardRefusalError

__all__ = ["refusal", "require_permission"]


def refusal(target: Target, method: str, url: str) -> GuardRefusalError | None:
    """Why a request may not be sent to the target, or None if it may."""
    location = target.locate(url)
    if location is None:
        return GuardRefusalError(
            f"{method} {url} is not on a service of target '{target.name}'",
            allow=f"add its origin to 'services' of '{target.name}' in targets.yaml",
        )
    if target.access.permits(method, location):
        return None
    path = location.path.split("?", 1)[0]
    return GuardRefusalError(
        f"target '{target.name}' is {AccessMode.READ_ONLY}: {method} {location.service}:{path} was not sent",
        allow=f'allow: ["{method} {location.service}:{path}"]',
    )


def require_permission(target: Target, method: str, url: str) -> None:
    """Raise GuardRefusalError unless the request may be sent."""
    error = refusal(target, method, url)
    if error is not None:
        raise error
