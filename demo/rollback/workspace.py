"""The folder that the pipeline works in: TalkStudio's suites, the scripts of deploy/, and targets for this cluster."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from demo.faults import page
from demo.faults.registry import create

__all__ = ["ROOT", "TARGET", "environment", "lay_out"]

ROOT = Path(__file__).parents[2]
TARGET, CANARY = "demo", "canary"

_TARGETS = """\
targets:
  demo:
    services: {{web: "{public}", api: {{url: "{public}/api/v1", health: /healthz}}}}
    release: {{from: "web:/build-info.json", json: $.commit, header: x-release, within: 2s, interval: 50ms}}
    secrets: {{email: demo@talkstudio.com, password: demo-password, api_token: demo-api-token-0001}}
    access: read-write
    policy: {{deadline: 30s, confirm: {{attempts: 2, spacing: 300ms}}}}
  canary: # the same cluster, at the address where the new release answers alone
    extends: demo
    services: {{web: "{canary}", api: {{url: "{canary}/api/v1", health: /healthz}}}}
"""
_SUITES = ("health.yaml", "api.yaml")
_PAGE_SUITES = ("editor.yaml", "test_editor_ui.py")


def lay_out(folder: Path, public: str, canary: str, fault: str) -> None:
    """Make the folder anew; suites that need a browser are there only for a fault that a browser alone can see."""
    shutil.rmtree(folder, ignore_errors=True)
    suites = folder / "suites"
    suites.mkdir(parents=True)
    (folder / "targets.yaml").write_text(_TARGETS.format(public=public, canary=canary), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = suites\n", "utf-8")
    of_pages = type(create(fault)).__module__ == page.__name__
    for name in (*_SUITES, *(_PAGE_SUITES if of_pages else ())):
        (suites / name).write_text(_adapted((ROOT / "suites" / name).read_text("utf-8")), "utf-8")
    shutil.copytree(ROOT / "deploy", folder / "deploy")


def _adapted(suite: str) -> str:
    """TalkStudio's suite for this cluster: both targets are production, and there are no certificates."""
    kept, _, _ = suite.partition("\n  - name: the certificate is trusted")
    return kept.replace("$.environment: ${target}", "$.environment: production")


def environment(folder: Path, cluster: str) -> dict[str, str]:
    """What the scripts get: how to deploy, and nothing of the pipeline that this may itself be running in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PYTEST_", "COV_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "DEPLOYER": str(ROOT / "demo/cluster/deployer"),
        "CLUSTER": cluster,
        "XDG_STATE_HOME": str(folder / "state"),
        "VERIFY_DEADLINE": "30s",
        "VERIFY_LIMIT": "60s",
    }
