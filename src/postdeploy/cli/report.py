"""``postdeploy report``: a verdict as a page for people, or in a format that another tool reads."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from postdeploy.reports import Report

__all__ = ["add", "reports_of"]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="render a verdict as a page, or in a format that another tool reads")
    parser.add_argument("--verdict", default="reports/verdict.json", metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--format", action="append", metavar="NAMES", help="formats, separated by commas, or all (default: html)"
    )
    parser.add_argument("--output", metavar="DIR", help="where to write (default: beside the verdict)")
    parser.add_argument("--otlp-endpoint", metavar="URL", help="send the otlp report to this receiver as well")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from postdeploy.documents import read_document
    from postdeploy.errors import DocumentError
    from postdeploy.reports import parse_formats

    verdict = Path(arguments.verdict)
    try:
        formats = parse_formats([*(arguments.format or ["html"]), *["otlp"] * bool(arguments.otlp_endpoint)])
        document = read_document(verdict)
    except (ValueError, DocumentError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 4
    output = Path(arguments.output) if arguments.output else verdict.parent
    status = 0
    for report in reports_of(document, formats, verdict.parent, output, arguments.otlp_endpoint):
        if report.problem is None:
            print(report.path)
        else:
            print(f"report: {report.name} could not be {report.act}: {report.problem}", file=sys.stderr)
            status = 1
    return status


def reports_of(
    document: Mapping[str, Any], formats: tuple[str, ...], evidence: Path, output: Path, endpoint: str | None
) -> Iterator[Report]:
    """Write each format, and send what is to be sent; what goes wrong is told in what is yielded."""
    from postdeploy.reports import send_otlp, write_reports

    yield from write_reports(document, formats, evidence, output)
    if "otlp" in formats:
        yield from send_otlp(output, endpoint, os.environ)
