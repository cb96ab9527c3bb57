"""The one decision about a request that wants to leave this machine."""

from __future__ import annotations

from postdeploy.domain.access import Access, DenyRule
from postdeploy.domain.target import SAFE_METHODS, AccessMode, Location, Target
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.address import is_ambiguous, locate
from postdeploy.guard.hosts import Hosts, endpoint_of

__all__ = ["page_refusal", "refusal", "require_permission"]


def refusal(target: Target, method: str, url: str, *, body: bool = False) -> GuardRefusalError | None:
    """Why a request may not be sent to the target, or None if it may; its URL is judged in normal form.

    ``body``: whether it carries one, which makes it a write by any method.
    """
    location = locate(target, url)
    if location is None:
        return GuardRefusalError(
            f"{method} {url} is not on a service of target '{target.name}'",
            allow=f"add its origin to 'services' of '{target.name}' in targets.yaml",
        )
    denial = target.access.denial(location)
    if denial is not None:
        return _denied(target, method, location, denial)
    permitted = target.access.permits(method, location, body=body)
    if permitted and not (_by_exception(target.access, method) and is_ambiguous(url)):
        return None
    return _read_only(target, method, location, body=body)


def page_refusal(target: Target, hosts: Hosts, method: str, url: str) -> GuardRefusalError | None:
    """Why a page may not send a request, or None if it may: read from its hosts, write only what the target permits."""
    endpoint = endpoint_of(url)
    if endpoint is None:
        return None  # such as data: and blob:, which never leave the browser
    if not hosts.permit(*endpoint):
        name, port = endpoint
        return GuardRefusalError(
            f"{method} {url} leads to {name}:{port}, which is no host of target '{target.name}'",
            allow=f'third_party: ["{name}"]' if port in {80, 443} else f'third_party: ["{name}:{port}"]',
        )
    location = locate(target, url.replace("ws", "http", 1) if url.startswith("ws") else url)
    denial = target.access.denial(location) if location else None
    if location is not None and denial is not None:
        return _denied(target, method, location, denial)
    return None if target.access.writable or method in SAFE_METHODS else refusal(target, method, url)


def require_permission(target: Target, method: str, url: str, *, body: bool = False) -> None:
    """Raise GuardRefusalError unless the request may be sent."""
    error = refusal(target, method, url, body=body)
    if error is not None:
        raise error


def _denied(target: Target, method: str, location: Location, rule: DenyRule) -> GuardRefusalError:
    return GuardRefusalError(
        f"target '{target.name}' denies {rule}: {method} {location} was not sent",
        allow=f"remove '{rule}' from 'deny' of '{target.name}' in targets.yaml",
    )


def _read_only(target: Target, method: str, location: Location, *, body: bool) -> GuardRefusalError:
    path = location.path.split("?", 1)[0]
    what = f"{method} {location.service}:{path}"
    with_body = " with a body" if body and method.upper() in SAFE_METHODS else ""
    if target.access.sealed and (target.access.mode is AccessMode.READ_WRITE or target.access.allow):
        return GuardRefusalError(
            f"target '{target.name}' is protected: {what}{with_body} was not sent",
            allow=f"--allow-writes={target.name} on the command line",
        )
    return GuardRefusalError(
        f"target '{target.name}' is {AccessMode.READ_ONLY}: {what}{with_body} was not sent",
        allow="access: read-write" if with_body else f'allow: ["{what}"]',
    )


def _by_exception(access: Access, method: str) -> bool:
    """Whether a request needs a rule: then the path that the rule names must be the only way to read it."""
    return not access.writable and method.upper() not in SAFE_METHODS
