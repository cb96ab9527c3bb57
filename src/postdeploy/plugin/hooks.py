"""The plugin's entry point: hook functions of a few lines; everything else is imported when a target is named."""

from __future__ import annotations

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of one group."""
    from postdeploy.plugin.options import add_options

    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Withdraw the verdict of an earlier run before anything of this one can go wrong."""
    if early_config.known_args_namespace.target is None:
        return
    from postdeploy.plugin.own_modules import own_modules_first

    with own_modules_first():
        from postdeploy.plugin.withdrawal import withdraw

        withdraw(early_config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Seal the verdict after everything else has ended: the exit status of the process follows from it alone."""
    if config.getoption("target", None) is None:
        return (yield)
    from postdeploy.plugin.own_modules import own_modules_first

    with own_modules_first():
        from postdeploy.plugin.conclusion import concluded
        from postdeploy.plugin.garbage import without_garbage_collection
        from postdeploy.plugin.options import without_workers

        if config.option.show_plan or config.option.lock:
            without_workers(config.option)
        with without_garbage_collection() as pause, concluded(config) as ending:
            config.pluginmanager.register(pause, "postdeploy-garbage")
            ending.status = yield
    return ending.status


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Wake up only when a target is named; any other pytest run on the machine pays nothing more."""
    config.addinivalue_line(
        "markers", "check(severity, kind, owner, runbook, issue, when, repeatable): how a check weighs"
    )
    config.addinivalue_line("markers", "writes(*requests): this check changes the target; skipped where it may not")
    if config.getoption("target", None) is not None:
        from postdeploy.plugin.activation import activate

        activate(config)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that nothing is verified where a targets file is there but no target was named."""
    if config.getoption("target", None) is None and (config.rootpath / "targets.yaml").is_file():
        return "postdeploy: nothing is verified, name a target of targets.yaml with --target=NAME"
    return None
