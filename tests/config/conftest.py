"""Files of one test, and what reading them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.config import load_suite, load_target
from postdeploy.domain.check import Check
from postdeploy.domain.redaction import Secret
from postdeploy.domain.target import Service, Target
from postdeploy.errors import ConfigurationError

Checks = Callable[[str], tuple[Check, ...]]
Problems = Callable[[str], list[str]]
TargetOf = Callable[..., Target]


@pytest.fixture
def target() -> Target:
    """A target with two services and a secret."""
    return Target(
        name="staging",
        services={"web": Service("web", "https://web.test"), "api": Service("api", "https://web.test/api")},
        secrets={"api_token": Secret("api_token", "s3cret")},
    )


@pytest.fixture
def checks(tmp_path: Path, target: Target) -> Checks:
    """Read a suite with this text."""

    def read(text: str) -> tuple[Check, ...]:
        path = tmp_path / "suites" / "api.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return load_suite(path, tmp_path, target, targets=("staging", "production"))

    return read


@pytest.fixture
def problems(checks: Checks) -> Problems:
    """What is wrong with a suite of this text, without its path."""

    def read(text: str) -> list[str]:
        try:
            checks(text)
        except ConfigurationError as error:
            return [str(problem).removeprefix("suites/api.yaml:") for problem in error.problems]
        return []

    return read


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TargetOf:
    """Read a target from a targets.yaml with this text."""
    monkeypatch.chdir(tmp_path)

    def read(text: str, name: str = "staging", **environment: str) -> Target:
        path = tmp_path / "targets.yaml"
        path.write_text(text, encoding="utf-8")
        return load_target(path, name, environment)

    return read


@pytest.fixture
def target_problems(load: TargetOf) -> Callable[..., list[str]]:
    """What is wrong with a targets.yaml of this text, without its path."""

    def read(text: str, name: str = "staging", **environment: str) -> list[str]:
        try:
            load(text, name, **environment)
        except ConfigurationError as error:
            return [str(problem).removeprefix("targets.yaml:") for problem in error.problems]
        return []

    return read
