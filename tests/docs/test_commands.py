"""The commands on the pages exist, with their options; every option that exists is on a page."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.docs.blocks import Block, blocks, commands, section

Help = Callable[..., str]

_OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
_OURS = (
    "init",
    "verify",
    "watch",
    "merge",
    "vantages",
    "gate",
    "gate begin",
    "gate check",
    "serve",
    "notify",
    "report",
    "history",
    "flakes",
    "slo",
    "status",
    "replay",
    "plan",
    "lock",
    "validate",
    "sweep",
    "keygen",
)
_MODULES = {
    **{f"postdeploy {name}": ("postdeploy", *name.split()) for name in _OURS},
    "pytest": ("pytest",),
    "python -m demo": ("demo",),
}


def _options(text: str) -> set[str]:
    return set(_OPTION.findall(text))


@pytest.mark.parametrize("program", _MODULES)
def test_options_on_the_pages_exist(program: str, help_of: Help) -> None:
    """No example uses an option that its program does not know; what follows a bare ``--`` is pytest's."""
    known = _options(help_of(*_MODULES[program]))
    for place, name, arguments in commands():
        own, _, rest = arguments.partition(" -- ")
        if name == program:
            assert _options(own) <= known, place
        if rest and program == "pytest":
            assert _options(rest) <= known, place


def test_every_option_of_the_plugin_is_explained(help_of: Help) -> None:
    """The reference has a row for each option that the plugin adds to pytest, and for no other."""
    group = help_of("pytest").partition("verification of a deployed target:\n")[2].partition("\n\n")[0]
    added = set(re.findall(r"^  (--[\w-]+)", group, re.MULTILINE))
    rows = set(re.findall(r"^\| `(--[\w-]+)", section("reference/command-line.md", "pytest"), re.MULTILINE))
    assert added
    assert rows == added


@pytest.mark.parametrize("command", _OURS)
def test_every_option_of_a_command_is_explained(command: str, help_of: Help) -> None:
    """The section of a command names each of its options."""
    text = section("reference/command-line.md", f"postdeploy {command}")
    known = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", help_of("postdeploy", *command.split()), re.MULTILINE)) - {
        "--help"
    }
    assert known
    assert known - set(re.findall(r"`(--[\w-]+)", text)) == set()


def test_every_command_is_explained(help_of: Help) -> None:
    """The reference has a section for each command that there is, and each is found in the help."""
    listed = set(re.findall(r"^    ([a-z]+) ", help_of("postdeploy"), re.MULTILINE))
    assert listed == {name for name in _OURS if " " not in name}


@pytest.mark.parametrize("block", blocks("bash"), ids=str)
def test_scripts_on_the_pages_are_bash(block: Block) -> None:
    """Bash can read every script."""
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
