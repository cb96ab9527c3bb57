"""Names of a run's spans: they follow from run, check and attempt, so that whoever reports knows what was sent.

https://www.w3.org/TR/trace-context/ (level 1)
"""

from __future__ import annotations

import hashlib

__all__ = ["check_span", "run_span", "span_of", "trace_of", "traceparent"]


def trace_of(run: str) -> str:
    """The trace of a run: 32 hexadecimal digits."""
    return _digits(run, 32)


def run_span(run: str) -> str:
    """The span that holds all others: 16 hexadecimal digits."""
    return _digits(f"{run}\0", 16)


def check_span(run: str, check: str) -> str:
    """The span that holds the attempts of a check: 16 hexadecimal digits."""
    return _digits(f"{run}\0{check}", 16)


def span_of(run: str, check: str, attempt: int) -> str:
    """The span of an attempt, numbered from 1: 16 hexadecimal digits. What the target does for it is below."""
    return _digits(f"{run}\0{check}\0{attempt}", 16)


def traceparent(trace: str, span: str) -> str:
    """The header's value; the last flag asks the target to record what it does."""
    return f"00-{trace}-{span}-01"


def _digits(text: str, count: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:count]
