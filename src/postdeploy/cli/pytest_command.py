"""The pytest command line of a child: only the plugins that a verification needs, unless asked otherwise."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

__all__ = ["add_options", "child_environment", "pytest_command", "run_pytest"]

_CHILD = "postdeploy.plugin.child"

_NEEDED = ("postdeploy.plugin.hooks", "pytest_timeout", "pytest_rerunfailures")

_ON_DEMAND = {
    "xdist.plugin": ("-n", "--numprocesses", "--dist", "--tx"),
    "allure_pytest.plugin": ("--alluredir", "--allure-"),
}

_OPTIONS = (
    "release", "deadline", "targets", "baseline", "history", "browser_executable", "report", "otlp_endpoint",
    "allow_writes", "shard", "shard_by",
)  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that are passed on to pytest as they are."""
    parser.add_argument("target", metavar="TARGET", help="a target of targets.yaml")
    parser.add_argument("--release", metavar="ID", help="the release that was deployed; wait until it answers")
    parser.add_argument("--deadline", metavar="TIME", help="how long the run may take (default: the target's policy)")
    parser.add_argument("--targets", metavar="FILE", help="the targets file (default: targets.yaml)")
    parser.add_argument("--baseline", metavar="FILE", help="a verdict about the release before this one")
    parser.add_argument("--history", metavar="PLACE", help="remember the run in a file or a PostgreSQL URL, or off")
    parser.add_argument("--browser-executable", metavar="FILE", help="the browser for pages")
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        default=[],
        help="run only checks with this in their name, id or tag; may be repeated; never promotes",
    )
    parser.add_argument("--shard", metavar="I/N", help="run only this part of the suite; merge judges all parts")
    parser.add_argument("--shard-by", metavar="FILE", help="a sealed verdict whose durations balance the parts")
    parser.add_argument("--report", metavar="NAMES", help="also write reports, such as html,junit or all")
    parser.add_argument("--otlp-endpoint", metavar="URL", help="also send spans and metrics to this receiver of OTLP")
    parser.add_argument("--allow-writes", metavar="TARGET", help="let a protected target be written to")
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
    given = ((name, getattr(arguments, name, None)) for name in _OPTIONS)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given if value is not None]
    options += [f"--only={text}" for text in getattr(arguments, "only", ())]
    return [f"--target={arguments.target}", *options, *more, *arguments.pytest]


def _pytest(arguments: argparse.Namespace) -> list[str]:
    """The module to run; xdist's workers know only of plugins that stand on the command line."""
    if arguments.all_plugins:
        return ["pytest"]
    wanted = list(_on_demand(arguments.pytest))
    if not wanted:
        return [_CHILD]
    return ["pytest", *(word for name in (*wanted, *_NEEDED) for word in ("-p", name))]


def child_environment(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment of the child: a stray plugin can neither slow it down nor break it."""
    environment = dict(os.environ)
    if not arguments.all_plugins:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return environment


def _on_demand(words: Sequence[str]) -> Iterator[str]:
    for plugin, options in _ON_DEMAND.items():
        if any(word.startswith(options) for word in words):
            yield plugin
