"""Text as HTML: whatever a target said is escaped here, and words of ours stand in both languages."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from html import escape
from typing import Final
from urllib.parse import quote

from postdeploy.exporters.escaping import visible
from postdeploy.exporters.wording import REASONS, WORDS

__all__ = ["both", "clock", "code", "fact", "facts", "link", "milliseconds", "place", "text", "within"]

_SHORT: Final = 200
_OURS: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]+)?Z")


def text(value: object) -> str:
    """Foreign text, also within the quotes of an attribute."""
    said = value if isinstance(value, str) else str(value)
    return _short(said) if len(said) <= _SHORT else escape(visible(said))


@lru_cache(maxsize=4096)
def _short(said: str) -> str:
    """Names and kinds stand on the page more than once."""
    return escape(visible(said))


def code(value: object) -> str:
    """Foreign text as code."""
    return f"<code>{text(value)}</code>"


@cache
def both(key: str) -> str:
    """A word of ours in English and in Korean, of which one is shown."""
    english, korean = _pair(key)
    return f'<span class="en" lang="en">{escape(english)}</span><span class="ko" lang="ko">{escape(korean)}</span>'


def _pair(key: str) -> tuple[str, str]:
    """What neither table has is shown as it is: a word that was added after us."""
    return WORDS.get(key) or REASONS.get(key) or (visible(key), visible(key))


def within(key: str) -> str:
    """Attributes that hold a word of ours for the language that is shown; the script changes it with the language."""
    english, korean = _pair(key)
    return f'aria-label="{escape(english)}" data-en="{escape(english)}" data-ko="{escape(korean)}"'


def fact(key: str, value: str) -> str:
    """A word of ours and markup, unless there is none."""
    return f"<div><dt>{both(key)}</dt><dd>{value}</dd></div>" if value else ""


def facts(*pairs: tuple[str, str]) -> str:
    """Those that are known."""
    found = "".join(fact(key, value) for key, value in pairs)
    return f'<dl class="facts">{found}</dl>' if found else ""


def link(url: str | None, name: str | None = None) -> str:
    """A link to a page of the web, shown as its URL if it has no name; any other scheme is only text."""
    if not url:
        return ""
    if not url.startswith(("https://", "http://")):
        return text(url)
    return f'<a href="{text(url)}" rel="noreferrer noopener">{text(name or url)}</a>'


def place(path: str) -> str:
    """A link to a file beside the page."""
    return quote(path, safe="/")


def clock(time: str | None) -> str:
    """An RFC 3339 time as people read it."""
    if not time:
        return ""
    if not _OURS.fullmatch(time):
        return text(time)
    return f'<time datetime="{time}">{time[:10]} {time[11:19]} UTC</time>'


def milliseconds(seconds: float) -> str:
    """As short as it can be told."""
    return f"{seconds:.1f} s" if seconds >= 10 else f"{1000 * seconds:,.0f} ms"  # noqa: PLR2004  # five digits
