"""How operators recognise synthetic traffic: a User-Agent, a header with run and check, and a trace context."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from urllib.parse import quote

from postdeploy import __version__

__all__ = ["SYNTHETIC_HEADER", "identity_headers", "user_agent"]

SYNTHETIC_HEADER = "X-Synthetic-Test"


def user_agent() -> str:
    """The User-Agent of every request."""
    return f"pytest-postdeploy/{__version__}"


def identity_headers(run_id: str, check_id: str) -> dict[str, str]:
    """Headers of every request of a check; the trace context follows W3C Trace Context level 1."""
    trace, run = _of_run(run_id)
    span = hashlib.sha256(f"{run_id}\0{check_id}".encode()).hexdigest()[:16]
    return {
        "User-Agent": user_agent(),
        SYNTHETIC_HEADER: f"run={run};check={quote(check_id, safe='/:.')}",
        "traceparent": f"00-{trace}-{span}-01",
    }


@lru_cache(maxsize=4)
def _of_run(run_id: str) -> tuple[str, str]:
    """Trace id and quoted name of a run: the same for each of its requests."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:32], quote(run_id, safe="")
