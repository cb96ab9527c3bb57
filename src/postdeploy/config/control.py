"""What the control of a target and the rest of its entry say of each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postdeploy.config.node import Node
from postdeploy.config.scope import Scope
from postdeploy.domain.target import Access, AccessMode, Service

__all__ = ["check_control"]


def check_control(node: Node, values: Mapping[str, Any], scope: Scope) -> None:
    """Report a control URL that is one of the target's own, and a login that its access does not allow."""
    control = values.get("control", {})
    written = node.value["control"].value if control else {}
    if "url" in control and _origin(control["url"]) in _origins(values):
        hint = "choose one that does not fail together with the target"
        scope.report.add(written["url"].at, "'url' is on the target itself, so it tells nothing beside it", hint)
    login = control.get("login", {})
    if "post" in login:
        access = Access(values.get("access", AccessMode.READ_ONLY), values.get("allow", ()))
        if not access.permits("POST", login["post"]):
            place = written["login"].value["post"].at
            scope.report.add(
                place, "'post' is not allowed by read-only access", f"add to 'allow': \"POST {login['post']}\""
            )


def _origin(url: str) -> str:
    return Service("", url).origin


def _origins(values: Mapping[str, Any]) -> set[str]:
    return {_origin(place["url"]) for place in values.get("services", {}).values() if "url" in place}
