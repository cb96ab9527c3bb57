"""The reports folder before a run: what earlier runs wrote there is removed, and nothing else, wherever links point."""

# ruff: noqa: PTH103, PTH118  # descriptors of folders, which pathlib does not know

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from postdeploy.documents import VERDICT_FILE, why
from postdeploy.errors import JournalError
from postdeploy.exporters import FOLDERS, FORMATS
from postdeploy.journal import ENVELOPE_FILE, EVIDENCE_FILE

__all__ = ["clear_reports", "run_files"]

_FILES: Final = (VERDICT_FILE, ENVELOPE_FILE, EVIDENCE_FILE, "server.log", *FORMATS.values())
_FOLDERS: Final = ("evidence", *FOLDERS)
_TEMPORARY: Final = re.compile(r"\..+\.(?:plan\..+|ready)\.json|\.(?:verdict\.json|verdict\.dsse\.json)\.\d+")
"""What processes of one run tell each other, and files that were about to take the place of another."""

_STAGED: Final = re.compile(rf"\.(?:{'|'.join(map(re.escape, FOLDERS))})\.\d+")
"""Folders that were about to take the place of another."""


def run_files(folder: Path) -> list[Path]:
    """What runs write into this folder for others to read: files, and folders of such."""
    return [folder / name for name in dict.fromkeys(name.removesuffix("/") for name in (*_FILES, *_FOLDERS))]


def clear_reports(folder: str) -> int:
    """Remove what runs write into this folder; returns how many entries that were. Raises JournalError.

    It works on the folder's descriptor and follows no link: one that has the name of a report is itself removed.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise JournalError(f"{folder}: not a folder that can be cleared: {why(error)}") from error
    try:
        return sum(_remove(entry.name, handle, entry.is_dir(follow_symlinks=False)) for entry in _ours(handle))
    except OSError as error:
        raise JournalError(f"{os.path.join(folder, str(error.filename))}: cannot be removed: {why(error)}") from error
    finally:
        os.close(handle)


def _ours(handle: int) -> list[os.DirEntry[str]]:
    with os.scandir(handle) as entries:
        return [entry for entry in entries if _is_ours(entry)]


def _is_ours(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return entry.name in _FOLDERS or _STAGED.fullmatch(entry.name) is not None
    return entry.name in {*_FILES, *_FOLDERS} or _TEMPORARY.fullmatch(entry.name) is not None


def _remove(name: str, handle: int, folder: bool) -> bool:
    if folder:
        shutil.rmtree(name, dir_fd=handle)
    else:
        os.unlink(name, dir_fd=handle)
    return True
