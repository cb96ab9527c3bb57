"""The termination message of a container: what Kubernetes keeps of it when the pod is gone.

Limit: 4,096 bytes (kubernetes.io, "Determine the Reason for Pod Failure"). It is written before the run, too, for a
run that is killed can say nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Final

__all__ = ["tell_termination", "write_message"]

_LIMIT: Final = 4096
_CAUSES: Final = 10


def write_message(path: str, text: str) -> None:
    """Replace what the file says: in place, as it is mounted by itself. What goes wrong is told on standard error."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK
    content = text.encode("utf-8", "backslashreplace")[:_LIMIT].decode("utf-8", "ignore").encode()
    try:
        with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
            file.write(content)
    except OSError as error:
        print(f"postdeploy: the termination message was not written: {path}: {error.strerror}", file=sys.stderr)


def tell_termination(path: str, arguments: argparse.Namespace, run_id: str, reports: str, status: int) -> None:
    """Write what the run came to; whatever goes wrong changes no exit status."""
    try:
        text = "\n".join(_lines(arguments, run_id, reports, status))
    except Exception as error:  # noqa: BLE001  # the message is about the verdict, and no part of it
        text = f"INCONCLUSIVE: hold: the verdict could not be told: {type(error).__name__}"
    write_message(path, text + "\n")


def _lines(arguments: argparse.Namespace, run_id: str, reports: str, status: int) -> Iterator[str]:
    from postdeploy.cli.run_standing import standing_of_run
    from postdeploy.exporters.escaping import visible

    now = standing_of_run(arguments, run_id, reports, status)
    release = f" at {arguments.release}" if arguments.release else ""
    line = f"{now.verdict.upper()}: {now.action}: {arguments.target}{release}: {now.reason}: {now.summary}"
    document = now.believed.document if now.believed else {}
    causes = (f"cause: {cause['summary']}" for cause in document.get("causes", [])[:_CAUSES])
    for text in (line, f"run: {run_id}", *causes):
        yield " ".join(visible(text).split())[:1000]
