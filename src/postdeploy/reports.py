"""Reports beside the verdict: each format is written by itself, and one that breaks takes nothing else with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from postdeploy.documents import read_regular, write_atomically
from postdeploy.exporters import FORMATS, Read, render
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Report", "parse_formats", "planned", "write_reports"]


@dataclass(frozen=True, slots=True)
class Report:
    """One format: where it was written, or why it was not."""

    name: str
    path: Path
    problem: str | None = None


def parse_formats(given: Iterable[str]) -> tuple[str, ...]:
    """Names of formats, each once, from texts such as ``html,junit``; ``all`` is all of them. Raises ValueError."""
    names: dict[str, None] = {}
    for name in (part.strip() for text in given for part in text.split(",")):
        if name == "all":
            names |= dict.fromkeys(FORMATS)
        elif name in FORMATS:
            names[name] = None
        else:
            import difflib

            near = difflib.get_close_matches(name, (*FORMATS, "all"), 1)
            hint = f"did you mean '{near[0]}'?" if near else f"the formats are {', '.join(FORMATS)} and all"
            raise ValueError(f"unknown format '{name}' ({hint})")
    return tuple(names)


def planned(formats: Iterable[str]) -> dict[str, str]:
    """The files of formats, as the verdict names them."""
    return {name: FORMATS[name] for name in formats}


def write_reports(
    document: Mapping[str, Any], formats: Iterable[str], evidence: Path, folder: Path
) -> Iterator[Report]:
    """Render and write; ``evidence`` is the folder that the document's paths are below."""
    read = _reader(evidence)
    for name in formats:
        path = folder / FORMATS[name]
        try:
            for file, content in render(name, document, read).items():
                write_atomically(folder / file, content)
        except Exception as error:  # noqa: BLE001  # a report can never change a verdict
            yield Report(name, path, f"{type(error).__name__}: {error}")
        else:
            yield Report(name, path)


def _reader(folder: Path) -> Read:
    """Reads what is below the folder, and nothing that only seems to be."""
    root = os.path.realpath(folder)

    def read(path: str) -> bytes | None:
        if ".." in PurePosixPath(path).parts or os.path.isabs(path):  # noqa: PTH117  # the text, not a file
            return None
        place = os.path.realpath(folder / path)
        if os.path.commonpath((root, place)) != root:
            return None
        try:
            return read_regular(folder / path)
        except OSError:
            return None

    return read
