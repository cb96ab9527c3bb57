from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy import __version__
from postdeploy.cli import main
from tests.cli.project import PASSING, Project, serve

COMMANDS = ("verify", "gate", "plan", "validate")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A site that is up."""
    with serve() as address:
        yield address


@pytest.fixture
def project(tmp_path: Path, url: str) -> Project:
    """A project whose only check passes."""
    return Project(tmp_path, url)


def said(command: list[str]) -> str:
    """What a command says to --help."""
    return subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout


def test_three_names() -> None:
    """``postdeploy``, ``python -m postdeploy`` and ``python -m postdeploy.cli`` are the same."""
    script = said([str(Path(sys.executable).with_name("postdeploy"))])
    assert script == said([sys.executable, "-m", "postdeploy"]) == said([sys.executable, "-m", "postdeploy.cli"])
    assert all(command in script for command in COMMANDS)
    assert "0 promote, 20 roll back, anything else hold" in re.sub(r"\s+", " ", script)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command explains itself, each option in words."""
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = capsys.readouterr().out
    options = re.findall(r"^  (--[a-z-]+)(?: \S+)?(?:  (.*)|\n {10,}(\S.*))$", text, re.MULTILINE)
    assert options
    assert all(first or second for _, first, second in options)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is told."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"postdeploy {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [[], ["guess"], ["gate"], ["verify"], ["verify", "site", "--guess"], ["gate", "--target=t", "--max-age=soon"],
     ["gate", "--target=t", "--", "-v"], ["verify", "site", "--wall-clock=0s"]],
    ids=str,
)  # fmt: skip
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is none is refused with status 2, which holds."""
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "usage: postdeploy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["verfy", "site"], "postdeploy: error: no command 'verfy'; did you mean 'verify'?"),
        (
            ["verify", "site", "--relase=r1"],
            "postdeploy verify: error: no option '--relase'; did you mean '--release'?",
        ),
        (
            ["gate", "begin", "--target=t", "--report=x", "--stat=x", "--foo"],
            "postdeploy gate: error: no option '--foo'; ",
        ),
        (["verify", "site", "-k", "x"], "what is for pytest stands after --, as in: postdeploy verify NAME -- -k"),
        (["sweep", "site", "more"], "postdeploy sweep: error: 'more' is not understood; see 'postdeploy sweep --help'"),
    ],
    ids=["command", "option", "below", "pytest", "word"],
)
def test_a_wrong_word_is_told_with_the_right_one(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mistyped commands and options get the nearest one, and pytest's own the way to it."""
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert complaint in capsys.readouterr().err


def test_nothing_is_heavy() -> None:
    """What the launcher imports before its child runs is little."""
    names = "postdeploy.cli, postdeploy.cli.supervision, postdeploy.documents, postdeploy.domain.status"
    script = f"import sys; before = set(sys.modules); import {names}; print(*sorted(set(sys.modules) - before))"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"dataclasses", "inspect", "subprocess", "secrets", "random", "pathlib", "urllib", "asyncio", "threading"}
    assert not heavy & set(modules)
    assert not {module for module in modules if module.startswith(("postdeploy.domain.ev", "postdeploy.config"))}


def test_plan(project: Project) -> None:
    """A plan names what would run and against what; nothing is written that looks like a verdict."""
    status, text = project.run("plan", "site")
    assert status == 0, text
    assert "home" in text
    assert not project.verdict.exists()


def test_plan_of_nothing(project: Project) -> None:
    """A plan for a target that is not there is a configuration error."""
    status, text = project.run("plan", "sight")
    assert (status, "sight" in text) == (4, True)


def test_valid(project: Project) -> None:
    """A configuration without errors is told so; folders are searched for suites."""
    assert project.run("validate") == (0, "targets.yaml and 1 suite are valid\n")
    project.write("suites/more/second.yml", PASSING.replace("home", "second"))
    project.write("suites/data.yaml", "rows: [1, 2]\n")
    assert project.run("validate", "suites") == (0, "targets.yaml and 2 suites are valid\n")
    assert project.run("validate", "suites/site.yaml", "--targets=targets.yaml")[0] == 0
    (project.folder / "more").mkdir()
    assert project.run("validate", "more") == (0, "targets.yaml is valid; no declared suite was found in more\n")


def test_invalid(project: Project) -> None:
    """Every error of every file is listed with its place, and the status is that of a usage error."""
    project.write("suites/site.yaml", "checks:\n  - name: home\n    gett: web:/\n    expect: {status: 200}\n")
    project.write("suites/other.yaml", "checks:\n  - name: other\n    get: web:/\n    expect: {statuss: 200}\n")
    project.write("targets.yaml", (project.folder / "targets.yaml").read_text().replace("access", "acess"))
    status, text = project.run("validate")
    assert status == 4
    lines = text.splitlines()
    assert lines[-1] == f"{len(lines) - 1} errors"
    for place, word in (
        ("suites/site.yaml:3:", "get"),
        ("suites/other.yaml:4:", "status"),
        ("targets.yaml:", "access"),
    ):
        assert any(place in line and f"'{word}'" in line for line in lines), text


def test_one_error(project: Project) -> None:
    """One error is one error."""
    project.write("suites/site.yaml", PASSING.replace("status: 200", "statuss: 200"))
    status, text = project.run("validate")
    assert (status, text.splitlines()[-1]) == (4, "1 error")


@pytest.mark.parametrize("arguments", [("no_such_suite.yaml",), ("--targets=no_such_targets.yaml",)])
def test_missing_files(project: Project, arguments: tuple[str, ...]) -> None:
    """A file that is not there is an error."""
    status, text = project.run("validate", *arguments)
    assert (status, "no_such" in text) == (4, True)
