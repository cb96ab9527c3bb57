"""Facts about a run that its journal begins with: which process, which pipeline, which target, which baseline."""

from __future__ import annotations

import os
import platform
import secrets
import time
from pathlib import Path
from typing import Any

import pytest

from postdeploy import __version__
from postdeploy.domain.mode import Mode
from postdeploy.domain.target import Target
from postdeploy.errors import ConfigProblem, ConfigurationError, DocumentError
from postdeploy.journal import read_document
from postdeploy.plugin.settings import Settings
from postdeploy.plugin.suite_files import foreign_plugins

__all__ = ["about_baseline", "about_run", "about_target", "new_run_id"]


def new_run_id() -> str:
    """A name that sorts by time and that nobody can guess."""
    return time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(6)


def about_run(config: pytest.Config, run_id: str, mode: Mode) -> dict[str, Any]:
    """This process and what it was asked to do."""
    described = [dist.metadata for _, dist in config.pluginmanager.list_plugin_distinfo()]  # read anew each time
    plugins = {about["Name"]: about["Version"] for about in described}
    return {
        "id": run_id,
        "mode": mode.value,
        "started": time.time(),
        "tool": {"name": "pytest-postdeploy", "version": __version__, "python": platform.python_version()},
        "argv": _arguments(config),
        "plugins": plugins | foreign_plugins(config),
        "ci": _pipeline(),
        "pid": os.getpid(),
    }


def about_target(target: Target, settings: Settings) -> dict[str, Any]:
    """What is verified, and what may be done to it."""
    return {
        "name": target.name,
        "services": {name: service.url for name, service in target.services.items()},
        "access": target.access.mode.value,
        "allow": [str(rule) for rule in target.access.allow],
        "deny": [str(rule) for rule in target.access.deny],
        "protected": target.access.protected,
        "writes_granted": target.access.granted,
        "config": {"file": str(settings.targets_file), "digest": target.config_digest},
    }


def about_baseline(path: Path) -> dict[str, Any]:
    """The journal's record of a verdict about the release before. Raises ConfigurationError if it is none."""
    try:
        document = read_document(path)
        outcomes = {str(check["id"]): str(check["outcome"]) for check in document["checks"]}
        release = document["release"]["expected"]
    except (DocumentError, KeyError, TypeError) as error:
        problem = ConfigProblem(f"--baseline {path}", 0, 0, f"not a sealed verdict: {error}")
        raise ConfigurationError([problem]) from error
    source = document.get("source") or path  # what a run of several vantages sends to each says where it is from
    return {"record": "baseline", "release": release, "outcomes": outcomes, "source": str(source)}


def _arguments(config: pytest.Config) -> list[str]:
    """As they were typed, but for passwords in URLs: a run that is refused has not learnt yet what is secret."""
    words = [str(argument) for argument in config.invocation_params.args]
    if not any("://" in word for word in words):
        return words
    from postdeploy.history.place import without_passwords

    return without_passwords(words)


def _pipeline() -> dict[str, str] | None:
    """The pipeline run that this belongs to, as far as it says so."""
    env = os.environ
    if env.get("GITHUB_RUN_ID"):
        url = f"{env.get('GITHUB_SERVER_URL', 'https://github.com')}/{env.get('GITHUB_REPOSITORY', '')}"
        return {"provider": "github", "url": f"{url}/actions/runs/{env['GITHUB_RUN_ID']}"}
    if env.get("CI_JOB_URL"):
        return {"provider": "gitlab", "url": env["CI_JOB_URL"]}
    return {"provider": "jenkins", "url": env["BUILD_URL"]} if env.get("BUILD_URL") else None
