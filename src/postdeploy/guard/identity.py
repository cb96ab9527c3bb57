"""How operators recognise synthetic traffic: a User-Agent, a header with run and check, and a trace context."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from postdeploy import __version__
from postdeploy.domain.trace import span_of, trace_of, traceparent

__all__ = ["SYNTHETIC_HEADER", "identity_headers", "user_agent"]

SYNTHETIC_HEADER = "X-Synthetic-Test"

_RESERVED: Final = re.compile(r"[^A-Za-z0-9_.~/:-]")
"""What is escaped in the name of a check: found at once, for most names have little of it."""


_USER_AGENT: Final = f"pytest-postdeploy/{__version__}"


def user_agent() -> str:
    """The User-Agent of every request."""
    return _USER_AGENT


def identity_headers(run_id: str, check_id: str, attempt: int = 1) -> dict[str, str]:
    """Headers of every request of an attempt at a check; the trace context follows W3C Trace Context level 1."""
    trace, run = _of_run(run_id)
    return {
        "User-Agent": user_agent(),
        SYNTHETIC_HEADER: f"run={run};check={_RESERVED.sub(_escaped, check_id)}",
        "traceparent": traceparent(trace, span_of(run_id, check_id, attempt)),
    }


@lru_cache(maxsize=4)
def _of_run(run_id: str) -> tuple[str, str]:
    """Trace id and quoted name of a run: the same for each of its requests."""
    return trace_of(run_id), quote(run_id, safe="")


def _escaped(match: re.Match[str]) -> str:
    return _escape(match[0])


@lru_cache(maxsize=256)
def _escape(letter: str) -> str:
    return quote(letter, safe="")
