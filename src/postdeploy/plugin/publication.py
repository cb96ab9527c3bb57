"""What a run hands out beside its verdict, after the seal: reports, Allure's folder, spans and metrics.

All of it is made of the verdict as it stands on disk, and none of it can change the verdict.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from postdeploy.errors import DocumentError
from postdeploy.exporters import Sieve
from postdeploy.plugin.settings import Settings
from postdeploy.report_process import write_by_two
from postdeploy.reports import Report, evidence_reader, send_otlp

__all__ = ["publish"]


def publish(
    verdict: Path, read: Callable[[], Mapping[str, Any]], settings: Settings, sieve: Sieve | None = None
) -> Iterator[Report]:
    """Everything that was asked for, each with where it is or why it is not there; all of it passes the sieve.

    Args:
        verdict: its file.
        read: what is in the file. Raises DocumentError.
        settings: what was asked for, and where it goes.
        sieve: what each file passes.
    """
    try:
        document = read()
    except DocumentError as error:
        yield from (Report(name, str(verdict), str(error)) for name in settings.formats)
        return
    yield from write_by_two(document, settings.formats, settings.reports, settings.reports, sieve)
    if "otlp" in settings.formats:
        yield from send_otlp(settings.reports, settings.otlp_endpoint, os.environ)
    if settings.allure_folder:
        yield _complete_allure(document, settings.allure_folder, settings.reports, sieve)


def _complete_allure(document: Mapping[str, Any], folder: Path, reports: Path, sieve: Sieve | None) -> Report:
    from postdeploy.allure_folder import complete_folder

    try:
        complete_folder(document, folder, evidence_reader(reports), sieve)
    except Exception as error:  # noqa: BLE001  # a report can never change a verdict
        return Report("allure", str(folder), f"{type(error).__name__}: {error}", act="completed")
    return Report("allure", str(folder))
