"""Credentials that end: a token that says when, and those of which the entry of the target says it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.secret import Secret
from postdeploy.domain.target import NEVER, Target

__all__ = ["expiring"]

_DAY: Final = 86400.0
_JOSE: Final = "eyJ"
"""How the first part of a JSON Web Token begins: an object in base64 (RFC 7519 §3.1)."""

_LONGEST: Final = 16_384
_FAR: Final = 253_402_300_800  # the year 10000, which no calendar of ours has


def expiring(target: Target, now: float) -> Iterator[ControlResult]:
    """One result for each secret of the target that has expired, which is not healthy, or will before long.

    Args:
        target: its secrets, when they end, and when to warn of it.
        now: seconds since the epoch, by the clock of this machine.
    """
    control = target.control
    for name, secret in target.secrets.items():
        ends = _told_end(control.expires[name]) if name in control.expires else _token_end(secret)
        if ends is not None and ends - now < control.notice * _DAY:
            yield _result(name, ends, now)


def _result(name: str, ends: float, now: float) -> ControlResult:
    over = ends <= now
    code = "credentials_expired" if over else "credentials_expire"
    days = math.floor((ends - now) / _DAY)
    left = "less than a day is" if days < 1 else f"{days} day{'s are' if days > 1 else ' is'}"
    words = "has expired: it ended on" if over else f"is about to expire: {left} left until"
    message = f"the credential '{name}' {words} {_told(ends)}; renew it, or say under control that it expires {NEVER}"
    return ControlResult(ControlProbe.CREDENTIALS, Moment.START, not over, now, message, code)


def _told(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _told_end(day: str) -> float | None:
    if day == NEVER:
        return None
    from datetime import UTC, datetime

    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


def _token_end(secret: Secret) -> float | None:
    """When a JSON Web Token ends (``exp``, RFC 7519 §4.1.4), in seconds since the epoch; None for anything else."""
    parts = secret.reveal().strip().rpartition(" ")[2].split(".")
    if len(parts) != 3 or not parts[0].startswith(_JOSE) or len(parts[1]) > _LONGEST:  # noqa: PLR2004  # header, claims, signature
        return None
    ends = _claims(parts[1]).get("exp")
    if isinstance(ends, bool) or not isinstance(ends, int | float):
        return None
    return float(ends) if 0 <= ends < _FAR else None


def _claims(part: str) -> dict[str, Any]:
    from base64 import urlsafe_b64decode

    try:
        claims = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
