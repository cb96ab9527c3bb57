"""Allure's results are written while a test ends, and in every worker: masked before and right after, and labelled."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy.domain.redaction import Redactor
from postdeploy.exporters.allure import CHECK, RUN
from postdeploy.guard.artifacts import scrub_file
from postdeploy.plugin.keys import PLANNED

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["own_allure_results"]


def own_allure_results(config: pytest.Config, execution: Execution, folder: Path) -> None:
    """Mask what allure-pytest writes into a folder in this process, and label it."""
    _mask(config, execution.redactor, folder)
    config.pluginmanager.register(_Labels(execution.context.run_id), "postdeploy-allure-labels")


def _mask(config: pytest.Config, redactor: Redactor, folder: Path) -> None:
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


class _Labels:
    """Says in each result which check it is of, so that it is known again when the run has ended."""

    def __init__(self, run: str) -> None:
        self._run = run

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Every attempt has one, whatever became of it."""
        import allure_commons

        if (planned := item.stash.get(PLANNED, None)) is not None:
            for name, value in ((CHECK, planned.id), (RUN, self._run)):
                allure_commons.plugin_manager.hook.add_label(label_type=name, labels=[value])
        return (yield)


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
