"""Reading YAML strictly: one document, no duplicate keys, nothing that refers or constructs, positions for everything.

The events of PyYAML's parser are read in one pass; nothing is composed or constructed, so no alias can expand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from yaml.reader import Reader

from postdeploy.config.node import Node, Place
from postdeploy.config.report import Report
from postdeploy.config.yaml_tree import parse

__all__ = ["SUITE_LIMIT", "TARGETS_LIMIT", "read_yaml"]

TARGETS_LIMIT: Final = 256 * 1024
SUITE_LIMIT: Final = 8 * 1024 * 1024
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_yaml(path: Path, report: Report, limit: int, missing: str | None = None, first: str = "checks") -> Node | None:
    """The document of a file, or None after the reason was reported.

    Args:
        path: the file.
        report: what takes its problems.
        limit: of its size, in bytes.
        missing: the way out if there is no file.
        first: a key that such a file has at its top.
    """
    data = _load(path, report, limit, missing)
    text = None if data is None else _decode(data, report)
    if text is None:
        return None
    if not text.strip():
        report.add((1, 1), "the file is empty", f"begin with '{first}:'")
        return None
    root = parse(text, report)
    if root is not None and not isinstance(root.value, dict):
        report.add(root.at, "the file must hold a mapping at its top level", f"begin with a key such as '{first}:'")
        return None
    return root


def _load(path: Path, report: Report, limit: int, missing: str | None) -> bytes | None:
    try:
        if path.exists() and not path.is_file():
            report.add((0, 0), "not a file")
            return None
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        report.add((0, 0), "no such file", missing)
    except OSError as error:
        report.add((0, 0), f"cannot be read: {error.strerror}")
    else:
        if len(data) <= limit:
            return data
        report.add((0, 0), f"larger than {limit // 1024} KiB", "split it into several files")
    return None


def _decode(data: bytes, report: Report) -> str | None:
    if data.startswith(_UTF16):
        report.add((1, 1), "the file is UTF-16", "save it as UTF-8")
        return None
    try:
        text = data.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        at = place(data[: error.start].decode("utf-8", "replace"))
        report.add(at, f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None
    control = Reader.NON_PRINTABLE.search(text)
    if control is None:
        return text
    report.add(place(text[: control.start()]), f"control character U+{ord(control[0]):04X}", "remove it")
    return None


def place(before: str) -> Place:
    """The line and the column that follow a text."""
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", before)
    return len(lines), len(lines[-1]) + 1
