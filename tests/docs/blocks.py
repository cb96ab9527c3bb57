"""The pages of the documentation, taken apart: fenced blocks, commands, tables, links."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

__all__ = ["DOCS", "PAGES", "ROOT", "Block", "blocks", "column", "commands", "read", "section", "suite_of"]

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = sorted(DOCS.rglob("*.md"))

_FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(
    r"\b(postdeploy (?:init|verify|gate(?: begin| check)?|serve|notify|report|plan|validate|keygen)|pytest|"
    r"python -m demo)"
    r"\b((?: [^`#|&;]*)?)"
)
_PROBES: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "tls", "dns", "tcp", "websocket", "page"})


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where it stands, its language, its text."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """As it shows in the name of a test."""
        return f"{self.page.relative_to(DOCS)}:{self.line}"

    @property
    def slug(self) -> str:
        """A name for a file that is made of it."""
        return f"{self.page.stem.replace('-', '_')}_{self.line}"

    @property
    def value(self) -> Any:
        """What a YAML block says."""
        return yaml.safe_load(self.text)


def read(page: str) -> str:
    """The text of a page, by its path below ``docs``."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """All blocks in these languages."""
    return [block for page in PAGES for block in _blocks(page) if block.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])


def commands() -> list[tuple[str, str, str]]:
    """Every command of ours in a block or in the text: its place, the program, and its arguments."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", "")
        for number, line in enumerate(text.splitlines(), start=1):
            place = f"{page.relative_to(DOCS)}:{number}"
            found += [(place, match[1], match[2]) for match in _COMMAND.finditer(line) if "--" in match[2]]
    return found


def suite_of(block: Block) -> str | None:
    """A YAML block as the text of a suite: as it is, or what one check or one step needs around it."""
    keys = block.value.keys()
    if "checks" in keys:
        return block.text
    if keys & _PROBES:
        return "checks:\n  - name: an example\n" + textwrap.indent(block.text, "    ")
    return None


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one of the same or a higher level."""
    text = read(page)
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert start, f"{page} has no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def column(text: str) -> list[str]:
    """The words in code that the first column of every table in a text names, in order."""
    rows = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
