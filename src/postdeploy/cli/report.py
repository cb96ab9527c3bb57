"""``postdeploy report``: a verdict as a page for people, or in a format that another tool reads."""

from __future__ import annotations

import argparse
import sys
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "report", help="render a verdict: html, markdown, junit, ctrf, prometheus, annotations"
    )
    parser.add_argument("--verdict", default="reports/verdict.json", metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--format", action="append", metavar="NAMES", help="formats, separated by commas, or all (default: html)"
    )
    parser.add_argument("--output", metavar="DIR", help="where to write (default: beside the verdict)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.documents import read_document
    from postdeploy.errors import DocumentError
    from postdeploy.reports import parse_formats, write_reports

    verdict = Path(arguments.verdict)
    try:
        formats = parse_formats(arguments.format or ["html"])
        document = read_document(verdict)
    except (ValueError, DocumentError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 4
    output = Path(arguments.output) if arguments.output else verdict.parent
    status = 0
    for report in write_reports(document, formats, verdict.parent, output):
        if report.problem is None:
            print(report.path)
        else:
            print(f"report: {report.name} could not be written: {report.problem}", file=sys.stderr)
            status = 1
    return status
