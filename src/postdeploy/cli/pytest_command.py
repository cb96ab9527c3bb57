"""The pytest command line of a child: only the plugins that a verification needs, unless asked otherwise."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from postdeploy.run_options import RUN_OPTIONS

__all__ = ["add_options", "child_environment", "pytest_command", "run_pytest"]

_CHILD = "postdeploy.plugin.child"

_NEEDED = ("postdeploy.plugin.hooks", "pytest_timeout", "pytest_rerunfailures")

_ON_DEMAND = {
    "xdist.plugin": ("-n", "--numprocesses", "--dist", "--tx"),
    "allure_pytest.plugin": ("--alluredir", "--allure-"),
}

_SETTINGS: Final = (
    *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"),
    *("pyproject.toml", "tox.ini", "setup.cfg"),
)
_ADDOPTS: Final = re.compile(r"^addopts\s*=(.*?)(?=^\w|^\[|\Z)", re.DOTALL | re.MULTILINE)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that are passed on to pytest as they are."""
    parser.add_argument("target", metavar="TARGET", help="a target of targets.yaml")
    for option in RUN_OPTIONS:
        parser.add_argument(f"--{option.name}", **option.keywords)
    parser.add_argument("--all-plugins", action="store_true", help="load every installed pytest plugin")
    parser.set_defaults(pytest=[])
    parser.usage = f"{parser.prog} TARGET [options] [-- PYTEST ARGUMENTS]"
    parser.epilog = "what stands after -- is passed on to pytest as it is, such as: -- -v -n 2 suites/api.yaml"


def pytest_command(arguments: argparse.Namespace, *more: str) -> list[str]:
    """The command of the child."""
    return [sys.executable, "-m", *_pytest(arguments), *_words(arguments, more)]


def run_pytest(arguments: argparse.Namespace, *more: str, afresh: bool = False) -> int:
    """Do in this process what the command does; returns the exit status of pytest.

    With ``afresh`` nothing of this process's memory is left when pytest begins.
    """
    if afresh or _pytest(arguments) != [_CHILD]:
        command = pytest_command(arguments, *more)
        os.execv(command[0], command)  # noqa: S606  # our own command, no shell
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd()  # noqa: PTH109  # as -m does
    from postdeploy.plugin.child import main

    return main(_words(arguments, more))


def _words(arguments: argparse.Namespace, more: Sequence[str]) -> list[str]:
    options = [word for option in RUN_OPTIONS for word in option.words(getattr(arguments, option.attribute, None))]
    return [f"--target={arguments.target}", *options, *more, *arguments.pytest]


def _pytest(arguments: argparse.Namespace) -> list[str]:
    """The module to run; xdist's workers know only of plugins that stand on the command line."""
    if arguments.all_plugins:
        return ["pytest"]
    wanted = list(_on_demand([*arguments.pytest, *_preset()]))
    if not wanted:
        return [_CHILD]
    return ["pytest", *(word for name in (*wanted, *_NEEDED) for word in ("-p", name))]


def child_environment(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment of the child: a stray plugin can neither slow it down nor break it."""
    environment = dict(os.environ)
    if not arguments.all_plugins:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return environment


def _preset() -> Iterator[str]:
    """Words that may be options of the environment or of pytest's settings; one too many loads a plugin, no more."""
    yield from re.split(r"[\s\"']+", os.environ.get("PYTEST_ADDOPTS", ""))
    folder = os.getcwd()  # noqa: PTH109  # pathlib costs milliseconds
    while True:
        for name in _SETTINGS:
            with suppress(OSError), open(f"{folder}/{name}", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                for options in _ADDOPTS.findall(file.read()):
                    yield from re.split(r"[\s\"',\[\]]+", options)
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120
        if folder == below:
            return


def _on_demand(words: Sequence[str]) -> Iterator[str]:
    for plugin, options in _ON_DEMAND.items():
        if any(word.startswith(options) for word in words):
            yield plugin
