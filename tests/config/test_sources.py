from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.config import load_target, problems
from postdeploy.domain.target import Target
from postdeploy.errors import SecretMissingError

Load = Callable[..., Target]

VALUE = "s3cret-value-#1"
NONE = "no such file or directory"
MASKED = "belongs under 'secrets' (what it gives must be masked)"


def secret(value: str, more: str = "") -> str:
    """A targets.yaml with one secret, whose value begins in line 4, column 24."""
    return f"targets:\n  staging:\n    services: {{web: 'https://web.test'}}\n    secrets: {{token: {value}}}\n{more}"


@pytest.mark.parametrize(
    "reference", ["${TOKEN}", "${env:TOKEN}", "${file:token.txt}", "${file:folder/link}", "${cmd:cat token.txt}"]
)
def test_where_a_secret_may_come_from(load: Load, tmp_path: Path, reference: str) -> None:
    """The environment, a file or a command give the value, without the line break at its end."""
    (tmp_path / "token.txt").write_text(f"{VALUE}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "token.txt")
    target = load(secret(f"'{reference}'"), TOKEN=VALUE, PATH=os.environ["PATH"])
    assert target.secrets["token"].reveal() == VALUE


def test_a_command_has_the_environment_of_the_run(load: Load) -> None:
    """A command finds its own credentials there."""
    target = load(secret("'${cmd:printenv VAULT}'"), VAULT=VALUE, PATH=os.environ["PATH"])
    assert target.secrets["token"].reveal() == VALUE


def test_what_came_in_is_not_read_again(load: Load) -> None:
    """A value that looks like a reference is a value."""
    assert load(secret("'${TOKEN}'"), TOKEN="${cmd:touch owned}").secrets["token"].reveal() == "${cmd:touch owned}"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${env:TOKEN}", "variable 'TOKEN' is not set (set it in the environment of this run)"),
        ("${file:no}", f"file 'no' cannot be read: {NONE} (paths are relative to the folder of this file)"),
        ("${file:empty}", "file 'empty' gives nothing (write the value into it)"),
        ("${file:large}", "file 'large' gives more than 64 KiB (a secret is one short text)"),
        ("${file:latin}", "file 'latin' gives bytes that are not UTF-8 (a secret is a text)"),
        ("${cmd:no-such-command x}", f"command 'no-such-command x' cannot be run: {NONE} (no shell reads it)"),
        ("${cmd:cat no}", "command 'cat no' ended with status 1 (run it by hand to see what it says)"),
        ('${cmd:cat "no}', "command 'cat \"no' cannot be run: no closing quotation (no shell reads it)"),
    ],
)  # fmt: skip
def test_a_secret_that_is_not_there(load: Load, tmp_path: Path, reference: str, message: str) -> None:
    """The error is of its own kind, names the place and what was asked, and never what was said."""
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "large").write_text("x" * 70_000)
    (tmp_path / "latin").write_bytes(b"\xff\xfe-a-secret")
    text = secret(f"'{reference}'" if '"' in reference else f'"{reference}"')
    with pytest.raises(SecretMissingError) as caught:
        load(text, PATH=os.environ["PATH"])
    assert str(caught.value) == f"targets.yaml:4:22: {message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("    policy: {deadline: '${cmd:id}'}", f"5:24: '${{cmd:…}}' {MASKED}"),
        ("    allow: ['${file:a}']", f"5:13: '${{file:…}}' {MASKED}"),
        (
            "    budget: {requests: '${env:}'}",
            "5:24: '${env:}' names no variable (use A to Z, 0 to 9 and _, as in ${API_TOKEN})",
        ),
    ],
)  # fmt: skip
def test_references_elsewhere(target_problems: Callable[..., list[str]], text: str, message: str) -> None:
    """Files are read and commands are run for secrets only."""
    assert message in target_problems(secret("'${TOKEN}'", text), TOKEN=VALUE)


def test_an_empty_reference(target_problems: Callable[..., list[str]]) -> None:
    """A kind without anything is told with an example."""
    found = target_problems(secret("'${cmd: }'"))
    assert found == ["4:22: '${cmd:}' names nothing (as in ${cmd:vault read -field=token secret/api})"]


def test_validation_runs_nothing(tmp_path: Path) -> None:
    """Looking at all targets neither reads files nor runs commands."""
    path = tmp_path / "targets.yaml"
    path.write_text(secret("'${cmd:touch owned}'"))
    assert problems(path, (), tmp_path, dict(os.environ)) == ()
    assert not (tmp_path / "owned").exists()


def test_a_process_of_the_same_run_is_handed_the_values(tmp_path: Path) -> None:
    """A command is run once a run: a second time it might give another value."""
    path = tmp_path / "targets.yaml"
    path.write_text(secret("'${cmd:touch owned}'"))
    target = load_target(path, "staging", dict(os.environ), {"token": VALUE})
    assert target.secrets["token"].reveal() == VALUE
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("short-1", "is shorter than 8 characters"),
        ("password123", "is a common password"),
        ("Production", "is a single word"),
        ("abababababab", "has fewer than 4 different characters"),
    ],
)
def test_values_that_cannot_be_masked(target_problems: Callable[..., list[str]], value: str, why: str) -> None:
    """A value that stands in texts by chance is refused, and not told."""
    (found,) = target_problems(secret("'${TOKEN}'"), TOKEN=value)
    assert found.startswith(f"4:22: 'token' {why} (")
    assert value not in found
