"""Secrets are masked in everything that pytest keeps of a test and that it may print, also as JUnit or Allure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from postdeploy.domain.redaction import Redactor

__all__ = ["Warnings", "mask", "mask_name"]


def mask(report: Any, redactor: Redactor) -> None:
    """Mask the text of a report in place: its failure, its reason to skip, its output, its properties."""
    if not redactor.known:
        return
    if report.longrepr is not None:
        report.longrepr = _masked(report.longrepr, redactor)
    report.sections = [(name, redactor.text(content)) for name, content in report.sections]
    properties = getattr(report, "user_properties", None)
    if properties:
        properties[:] = [(name, redactor.tree(value)) for name, value in properties]


def mask_name(item: pytest.Item, redactor: Redactor, others: Iterable[pytest.Item]) -> None:
    """Give an item whose parameters hold a secret another name, for its name is what every report begins with."""
    masked = redactor.text(item.nodeid)
    if masked == item.nodeid:
        return
    alike = sum(1 for other in others if other.nodeid.split("~", 1)[0] == masked)
    suffix = f"~{alike + 1}" if alike else ""
    item._nodeid = masked + suffix  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public way
    item.name = redactor.text(item.name) + suffix


def _masked(longrepr: Any, redactor: Redactor) -> Any:
    """The same, or text with the mask where it held a secret; a skip is path, line and reason."""
    if isinstance(longrepr, tuple):
        path, line, reason = longrepr
        return path, line, redactor.text(reason)
    text = str(longrepr)
    masked = redactor.text(text)
    return longrepr if masked == text else masked


class Warnings:
    """Registered as a plugin: warnings are printed too."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        """Mask the text of a warning in place."""
        text = str(warning_message.message)
        masked = self._redactor.text(text)
        if masked != text:
            warning_message.message = UserWarning(masked)
