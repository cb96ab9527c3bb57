"""What each receiver was told last: a small file, so that nobody hears the same twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from postdeploy.documents import read_document, write_document
from postdeploy.errors import DocumentError
from postdeploy.lazy_dataclass import dataclass, field
from postdeploy.standing import Standing

__all__ = ["Told", "place_of", "standing_word"]

_SCHEMA: Final = "postdeploy/told/1"


def place_of(reports: Path) -> Path:
    """The file beside a reports folder, where clearing the folder leaves it alone."""
    whole = reports.absolute()
    return whole.with_name(f"{whole.name}.told.json") if whole.name else whole / "told.json"


def standing_word(standing: Standing) -> str:
    """What makes two standings the same news: a pass is a pass, anything else is about its release."""
    word = f"{standing.verdict}/{standing.action}"
    return word if standing.action == "promote" else f"{word} of {standing.demand.release or 'whatever is live'}"


@dataclass(slots=True)
class Told:
    """What was told last about one target, by the names of receivers."""

    path: Path
    target: str
    words: dict[str, str] = field(default_factory=dict)
    _others: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, target: str) -> Told:
        """What the file says; nothing if it is not there. Raises DocumentError if it is something else."""
        if not path.exists():
            return cls(path, target)
        document = read_document(path)
        told = document.get("told")
        if document.get("schema") != _SCHEMA or not isinstance(told, dict):
            raise DocumentError(f"{path}: does not say what was told")
        words = told.get(target, {})
        return cls(path, target, _texts(words), {name: value for name, value in told.items() if name != target})

    def write(self) -> None:
        """Keep it. Raises JournalError."""
        told = {**self._others, self.target: self.words}
        write_document(self.path, {"schema": _SCHEMA, "told": told})


def _texts(words: Any) -> dict[str, str]:
    found: Mapping[Any, Any] = words if isinstance(words, Mapping) else {}
    return {name: word for name, word in found.items() if isinstance(name, str) and isinstance(word, str)}
