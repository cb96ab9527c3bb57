"""The plugin's entry point: hook functions of a few lines; everything else is imported when a target is named."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of one group."""
    from postdeploy.plugin.options import add_options

    add_options(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Wake up only when a target is named; any other pytest run on the machine pays nothing more."""
    config.addinivalue_line("markers", "check(severity, kind, owner, runbook, when, repeatable): how a check weighs")
    config.addinivalue_line("markers", "writes: this check changes the target; skipped where the target is read-only")
    if config.getoption("target", None) is not None:
        from postdeploy.plugin.activation import activate

        activate(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that nothing is verified where a targets file is there but no target was named."""
    if config.getoption("target", None) is None and (config.rootpath / "targets.yaml").is_file():
        return "postdeploy: nothing is verified, name a target of targets.yaml with --target=NAME"
    return None
