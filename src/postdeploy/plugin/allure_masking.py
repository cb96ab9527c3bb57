"""Allure's results are written while a test ends, and in every worker: they are masked before and right after."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from postdeploy.domain.redaction import Redactor
from postdeploy.guard.artifacts import scrub_file

__all__ = ["mask_allure"]


def mask_allure(config: pytest.Config, redactor: Redactor) -> None:
    """Mask what Allure writes in this process, if it writes at all."""
    given: str | None = getattr(config.option, "allure_report_dir", None)
    if not given:
        return
    folder = Path(given)
    import allure_commons

    class MaskedAllure:
        """Comes before the writer of results, which are objects, and after the one of attachments, which are files."""

        @allure_commons.hookimpl(tryfirst=True)
        def report_result(self, result: Any) -> None:
            """Mask a result."""
            _mask_object(result, redactor)

        @allure_commons.hookimpl(tryfirst=True)
        def report_container(self, container: Any) -> None:
            """Mask a group of fixtures."""
            _mask_object(container, redactor)

        @allure_commons.hookimpl(trylast=True)
        def report_attached_file(self, file_name: str) -> None:
            """Mask a file that was attached."""
            _mask_file(folder / file_name, redactor)

        @allure_commons.hookimpl(trylast=True)
        def report_attached_data(self, file_name: str) -> None:
            """Mask data that were attached."""
            _mask_file(folder / file_name, redactor)

    plugin = MaskedAllure()
    allure_commons.plugin_manager.register(plugin, "postdeploy-masking")
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(plugin))


def _mask_file(path: Path, redactor: Redactor) -> None:
    with contextlib.suppress(OSError):  # the scan of all reports at the end finds what is left
        scrub_file(path, redactor)


def _mask_object(item: Any, redactor: Redactor) -> None:
    """Mask the texts of an object of Allure's model, in place."""
    if not redactor.known:
        return
    for name, value in vars(item).items():
        setattr(item, name, _masked(value, redactor))


def _masked(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, list):
        return [_masked(each, redactor) for each in value]
    if hasattr(value, "__dict__") and type(value).__module__.startswith("allure_commons"):
        _mask_object(value, redactor)
    return value
