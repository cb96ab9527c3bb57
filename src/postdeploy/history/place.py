"""Where a history is: a file, or a PostgreSQL database by URL. A password is never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from postdeploy.errors import HistoryError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["DEFAULT_FILE", "Place", "parse_place", "without_passwords"]

DEFAULT_FILE: Final = "history.sqlite3"
"""Beside targets.yaml, where nothing else is said."""

_POSTGRES: Final = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://", re.IGNORECASE)
_FOREIGN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD: Final = re.compile(r"(://[^:/?#@]*):[^/?#]*@|([?&]password=)[^&#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """One history: exactly one of ``file`` and ``url`` is there."""

    file: Path | None = None
    url: str | None = None

    def __str__(self) -> str:
        """As it may be shown."""
        return str(self.file) if self.url is None else _PASSWORD.sub(_hide, self.url)

    @property
    def password(self) -> str | None:
        """The password in the URL, if there is one."""
        from urllib.parse import parse_qs, urlsplit

        parts = urlsplit(self.url or "")
        return parts.password or next(iter(parse_qs(parts.query).get("password", ())), None)


def parse_place(given: str, folder: Path) -> Place:
    """A path (relative to a folder), ``sqlite:PATH`` or ``postgresql://…``. Raises HistoryError for anything else."""
    text = given.strip()
    if _POSTGRES.match(text):
        return Place(url=_POSTGRES.sub("postgresql://", text, count=1))
    path = re.sub(r"^sqlite:(?://(?=/))?", "", text)
    if not path or "\0" in path or _FOREIGN.match(path):
        raise HistoryError(f"{given!r} is no place of a history: name a file, or postgresql://USER@HOST/DATABASE")
    return Place(file=folder / path)


def without_passwords(words: Iterable[str]) -> list[str]:
    """The arguments of a command as they may be shown: passwords in URLs are masked, whatever the URLs are of."""
    return [_PASSWORD.sub(_hide, word) if "://" in word else word for word in words]


def _hide(found: re.Match[str]) -> str:
    return f"{found[1]}:***@" if found[1] else f"{found[2]}***"
