"""What the runs of a resident monitor import, imported once: each is forked from a process that has it.

Nothing of the user's is among it, and nothing that starts a thread or opens a file: configuration and suites are read
anew by every run, after the fork.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from importlib import import_module
from typing import Final

__all__ = ["import_all"]

_MODULES: Final = (
    "postdeploy.plugin.child", "_pytest.faulthandler", "_pytest.helpconfig", "_pytest.junitxml", "_pytest.pastebin",
    "_pytest.setuponly", "_pytest.setupplan", "_pytest.skipping", "_pytest.stepwise", "_pytest.threadexception",
    "_pytest.tracemalloc", "_pytest.unittest", "_pytest.unraisableexception", "_pytest.warnings",
    "pytest_rerunfailures", "ctypes", "faulthandler", "pdb", "ssl", "sqlite3", "tomllib", "unittest",
    "xml.etree.ElementTree", "yaml", "postdeploy.cli.history_place", "postdeploy.cli.verify",
    "postdeploy.config.suite_files", "postdeploy.config.suites", "postdeploy.config.targets",
    "postdeploy.domain.decision", "postdeploy.domain.retention", "postdeploy.engine.curl",
    "postdeploy.engine.failing", "postdeploy.engine.release", "postdeploy.engine.runner",
    "postdeploy.guard.artifacts", "postdeploy.guard.leaks", "postdeploy.guard.libraries", "postdeploy.history.alerts",
    "postdeploy.history.importing", "postdeploy.history.keeping", "postdeploy.history.recall",
    "postdeploy.history.sqlite", "postdeploy.monitoring.after_run", "postdeploy.notify.alert_news",
    "postdeploy.plugin.cleansing", "postdeploy.plugin.conclusion", "postdeploy.plugin.garbage",
    "postdeploy.plugin.last_words", "postdeploy.plugin.memory", "postdeploy.plugin.options",
    "postdeploy.plugin.summary", "postdeploy.plugin.withdrawal", "postdeploy.probes.control",
    "postdeploy.probes.http_faults", "postdeploy.probes.http_once", "postdeploy.salvage", "postdeploy.standing",
)  # fmt: skip

_OPTIONAL: Final = (
    "psycopg", "postdeploy.history.postgresql", "postdeploy.browser.pages", "postdeploy.browser.resident",
    "postdeploy.guard.proxy",
)  # fmt: skip
"""Those whose libraries may not be there."""

_REPORTING: Final = ("postdeploy.otlp_receiver", "postdeploy.plugin.publication")


def import_all(*, reports: bool = False) -> None:
    """Import all of it, and let the garbage collector leave it alone, so that forks go on sharing its memory.

    With ``reports``, what writes other reports than the verdict is among it.
    """
    from postdeploy.exporters import FORMATS

    written = [*(f"postdeploy.exporters.{name}" for name in FORMATS), *_REPORTING] if reports else []
    xdist = "xdist" not in sys.modules
    if xdist:  # which would only be imported for workers (see postdeploy.plugin.child)
        sys.modules["xdist"] = None  # type: ignore[assignment]
    try:
        for name in (*_MODULES, *written):
            import_module(name)
        for name in _OPTIONAL:
            with suppress(ImportError):
                import_module(name)
    finally:
        if xdist:
            del sys.modules["xdist"]
    gc.collect()
    gc.freeze()
    gc.enable()
