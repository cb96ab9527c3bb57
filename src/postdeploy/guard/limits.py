"""How much of an answer is taken, whichever client asked: what exceeds it is refused, and never held in memory."""

from __future__ import annotations

from typing import Final

__all__ = ["BODY_LIMIT", "ENCODINGS_LIMIT", "HEADER_LIMIT", "INTERIM_LIMIT", "LINES_LIMIT", "REDIRECT_LIMIT"]

BODY_LIMIT: Final = 5 * 1024 * 1024
"""Bytes of a body, decoded or not."""

HEADER_LIMIT: Final = 256 * 1024
"""Bytes of headers in all, interim answers and trailers included."""

LINES_LIMIT: Final = 256
"""Lines of headers in all."""

INTERIM_LIMIT: Final = 20
"""Interim answers (RFC 9110 §15.2) before the answer."""

ENCODINGS_LIMIT: Final = 3
"""How often a body may be encoded."""

REDIRECT_LIMIT: Final = 5
"""Redirects that are followed."""
