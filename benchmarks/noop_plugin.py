"""The cost of pytest itself: the checks of the same files as empty items; ``-p benchmarks.noop_plugin``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml


class NoopFile(pytest.File):
    """A suite whose checks are only counted."""

    def collect(self) -> Iterator[NoopItem]:
        """One item a check."""
        document = yaml.load(self.path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for check in document["checks"]:
            yield NoopItem.from_parent(self, name=check["name"])


class NoopItem(pytest.Item):
    """A check that does nothing."""

    def runtest(self) -> None:
        """Pass."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> NoopFile | None:
    """Take suites."""
    if file_path.suffix != ".yaml":
        return None
    suite: NoopFile = NoopFile.from_parent(parent, path=file_path)
    return suite
