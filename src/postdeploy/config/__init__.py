"""L1: YAML text becomes domain objects, or a list of problems with positions.

Importing this package imports neither PyYAML nor anything else that a run may not need; calling it does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from postdeploy.config.targets import Identity, Outline
    from postdeploy.domain.check import Check
    from postdeploy.domain.policy import Policy
    from postdeploy.domain.target import Target
    from postdeploy.errors import ConfigProblem

__all__ = [
    "is_suite",
    "load_suite",
    "load_suites",
    "load_target",
    "problems",
    "read_outline",
    "target_identity",
    "target_names",
    "target_policy",
]


def load_target(
    path: Path, name: str, environment: Mapping[str, str], handed: Mapping[str, str] | None = None
) -> Target:
    """The target of this name from targets.yaml, all of which is checked; only this one needs its variables.

    ``handed`` are values of secrets, by name, that another process of this run has read from files and commands.
    Raises ConfigurationError with everything that is wrong; SecretMissingError if only variables are missing.
    """
    from postdeploy.config.targets import load_target as load

    return load(path, name, environment, handed)


def target_identity(path: Path, name: str, environment: Mapping[str, str]) -> Identity:
    """URLs and configuration digest of a target, for which its secrets need not be set. Raises ConfigurationError."""
    from postdeploy.config.targets import target_identity as identity

    return identity(path, name, environment)


def target_policy(path: Path, name: str, environment: Mapping[str, str]) -> Policy:
    """The policy of a target, for which its secrets need not be set. Raises ConfigurationError."""
    from postdeploy.config.targets import target_policy as policy

    return policy(path, name, environment)


def target_names(path: Path) -> tuple[str, ...]:
    """The names of all targets, in the order of the file. Raises ConfigurationError."""
    from postdeploy.config.targets import target_names as names

    return names(path)


def read_outline(path: Path, environment: Mapping[str, str], *, remembers: bool) -> Outline:
    """The names of all targets, and where runs are remembered. Raises ConfigurationError.

    Variables of the history must be set only for a process that ``remembers``.
    """
    from postdeploy.config.targets import read_outline as outline

    return outline(path, environment, remembers=remembers)


def load_suite(path: Path, root: Path, target: Target, *, targets: Collection[str] | None = None) -> tuple[Check, ...]:
    """The declared checks of one file, for one target; ``targets`` are the names that ``when`` may use (None: any).

    Raises ConfigurationError with everything that is wrong.
    """
    return load_suites((path,), root, target, targets=targets)


def load_suites(
    paths: Iterable[Path], root: Path, target: Target, *, targets: Collection[str] | None = None
) -> tuple[Check, ...]:
    """The declared checks of several files, for one target. Raises ConfigurationError with everything that is wrong."""
    from postdeploy.config.suites import load_suites as load

    return load(paths, root, target, targets)


def problems(
    targets: Path, suites: Iterable[Path], root: Path, environment: Mapping[str, str]
) -> tuple[ConfigProblem, ...]:
    """Everything that is wrong in all targets and suites, by file and position; missing variables are not."""
    from postdeploy.config.validation import problems as find

    return find(targets, suites, root, environment)


def is_suite(path: Path) -> bool:
    """Whether a file looks like a suite: YAML with a key ``checks`` (or nearly so) at its top."""
    from postdeploy.config.suite_files import is_suite as look

    return look(path)
