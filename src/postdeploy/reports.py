"""Reports beside the verdict: each format is written by itself, and one that breaks takes nothing else with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

from postdeploy.documents import read_regular, refuse_link, write_atomically
from postdeploy.exporters import FORMATS, Evidence, Files, Read, Sieve, render
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Report", "evidence_reader", "parse_formats", "planned", "send_otlp", "write_reports"]


@dataclass(frozen=True, slots=True)
class Report:
    """One format: where it was written (or sent, as ``act`` says), or why it was not."""

    name: str
    path: str
    problem: str | None = None
    act: str = "written"

    @property
    def line(self) -> str:
        """As people are told of it."""
        if self.problem is None:
            return f"{self.name}: {self.path}"
        return f"the {self.name} report could not be {self.act}: {self.problem}"


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
    """The files and folders of formats, as the verdict names them."""
    return {name: FORMATS[name] for name in formats}


def write_reports(
    document: Mapping[str, Any], formats: Iterable[str], evidence: Path, folder: Path, sieve: Sieve | None = None
) -> Iterator[Report]:
    """Render and write, the one way out for every format.

    Args:
        document: a verdict.
        formats: their names.
        evidence: the folder that the document's paths are below; what is read there has been masked already.
        folder: where to write.
        sieve: what each file passes; where it refuses one, an older report of this name goes, too. None: all may pass.
    """
    read = evidence_reader(evidence)
    for name in formats:
        path = folder / FORMATS[name]
        try:
            files = _sieved(render(name, document, read), path, sieve)
            if FORMATS[name].endswith("/"):
                _replace_folder(path, {file.removeprefix(FORMATS[name]): files[file] for file in files}, read)
            else:
                write_atomically(path, cast("bytes", files[FORMATS[name]]), durable=False)
        except Exception as error:  # noqa: BLE001  # a report can never change a verdict
            yield Report(name, str(path), f"{type(error).__name__}: {error}")
        else:
            yield Report(name, str(path))


def _sieved(files: Files, path: Path, sieve: Sieve | None) -> Files:
    """The files of one format, all of them or none."""
    if sieve is None:
        return files
    try:
        return {**files, **sieve({name: part for name, part in files.items() if not isinstance(part, Evidence)})}
    except Exception:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        raise


def send_otlp(folder: Path, endpoint: str | None, environment: Mapping[str, str]) -> Iterator[Report]:
    """Send the otlp report of a folder to the receiver that was named, if one was."""
    from postdeploy.otlp_receiver import Receiver

    try:
        receiver = Receiver.of(endpoint, environment)
        if receiver is None:
            return
        place = folder / FORMATS["otlp"]
        problem = receiver.send({path.name: path.read_bytes() for path in place.iterdir()})
        yield Report("otlp", f"sent to {receiver.name}", problem, act="sent")
    except Exception as error:  # noqa: BLE001  # a report can never change a verdict
        yield Report("otlp", str(endpoint), f"{type(error).__name__}: {error}", act="sent")


def _replace_folder(path: Path, files: Files, read: Read) -> None:
    """The folder is the whole new one or, if that cannot be written, the old one. Raises OSError, JournalError."""
    refuse_link(path)
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    try:
        for name, content in files.items():
            found = read(content.path) if isinstance(content, Evidence) else content
            if found is not None:
                _write_new(f"{staged}/{name}", found)
        if path.exists():
            shutil.rmtree(path)
        staged.rename(path)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write_new(path: str, content: bytes) -> None:
    """Without a file object, for there are thousands."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        while content:
            content = content[os.write(number, content) :]
    finally:
        os.close(number)


def evidence_reader(folder: Path) -> Read:
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
