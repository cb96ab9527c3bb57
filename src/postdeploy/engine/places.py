"""Where a check leaves its evidence below the reports folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["below", "evidence_folder"]


def evidence_folder(reports: Path, check_id: str, attempt: int) -> Path:
    """A folder of its own for every attempt; what is not plain in the id becomes a dash, a digest keeps ids apart."""
    plain = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in check_id)
    digest = hashlib.sha256(check_id.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return reports / "evidence" / f"{plain.strip('-.')[:100]}-{digest}" / f"attempt-{attempt}"


def below(reports: Path, path: str) -> str:
    """A path as the reports name it: relative to their folder."""
    return path.removeprefix(str(reports)).lstrip("/")
