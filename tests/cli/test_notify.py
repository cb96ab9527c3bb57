from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.project import PASSING, Project, serve
from tests.web_server import WebServer, respond

NOTIFY = '    notify:\n      team: {slack: "${env:TEAM_HOOK}"}\n      ours: {webhook: "${env:OUR_HOOK}"}\n'
FAILING = PASSING.replace("web:/", "web:/missing")


@pytest.fixture
def receivers() -> Iterator[WebServer]:
    """Who is told."""
    web = WebServer()
    yield web
    web.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """What is verified."""
    with serve() as url:
        yield url


def project(folder: Path, site: str, suite: str = FAILING) -> Project:
    """A project with two receivers."""
    made = Project(folder, site, suite)
    path = made.folder / "targets.yaml"
    path.write_text(path.read_text() + NOTIFY)
    return made


def test_verify_tells_after_the_seal(tmp_path: Path, site: str, receivers: WebServer) -> None:
    """A failing run tells once, with the status that it has without; a receiver that fails changes nothing."""
    made = project(tmp_path, site)
    receivers.script("/team", respond(500))
    hooks = {"TEAM_HOOK": f"{receivers.url}/team", "OUR_HOOK": f"{receivers.url}/ours"}
    status, said = made.run("verify", "site", "--release", "r1", "--notify", **hooks)
    assert status == 20
    assert "notify: team (slack) was not told: answered 500: {}\nnotify: told ours\n" in said
    told = [json.loads(seen.body) for seen in receivers.seen if seen.path == "/ours"]
    assert [(each["action"], each["release"]) for each in told] == [("rollback", "r1")]
    assert told[0]["run"] == made.document()["run"]["id"]
    assert receivers.url not in made.verdict.read_text() + said.replace(site, "")
    status, said = made.run("notify", "--target=site", "--release=r1", **hooks)
    assert status == 0
    assert receivers.paths().count("/ours") == 1


def test_where_a_key_is_all_is_imported_before_the_run(tmp_path: Path, site: str) -> None:
    """What tells is in memory before the code of a run could alter the files that it would be imported from."""
    script = """
import argparse, sys
from postdeploy.cli.verify import _import_what_tells
_import_what_tells()
before = set(sys.modules)
from postdeploy.cli.notify import tell_of_run
from postdeploy.cli.termination import tell_termination
about = argparse.Namespace(target="site", release="r1", targets="targets.yaml")
tell_of_run(about, "run-1", "reports", 0)
tell_termination("log", about, "run-1", "reports", 0)
print(*sorted(set(sys.modules) - before))
"""
    mail = "      post: {email: {to: a@b.test, from: c@d.test, server: '127.0.0.1:1'}}\n"
    project(tmp_path, site)
    path = tmp_path / "targets.yaml"
    path.write_text(path.read_text() + mail)
    hooks = {"TEAM_HOOK": "http://127.0.0.1:1/x", "OUR_HOOK": "http://127.0.0.1:1/y", "PATH": "/usr/bin"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=hooks, capture_output=True, text=True, check=True)
    assert done.stderr.count("was not told") == 3
    assert done.stdout == "\n"


def test_pipelines_tell_of_what_is_missing(tmp_path: Path, site: str, receivers: WebServer) -> None:
    """A run that left nothing is news, too; a failing receiver fails only a test."""
    made = project(tmp_path, site)
    hooks = {"TEAM_HOOK": f"{receivers.url}/team", "OUR_HOOK": f"{receivers.url}/ours"}
    about = ("notify", "--target=site", "--release=r1", "--link=https://ci.test/7")
    assert made.run(*about, **hooks) == (0, "notify: told team, ours\n")
    said = json.loads(receivers.seen[0].body if receivers.seen[0].path == "/ours" else receivers.seen[1].body)
    assert (said["action"], said["reason"], said["link"]) == ("hold", "no_proof", "https://ci.test/7")
    receivers.script("/team", respond(404))
    status, text = made.run(*about, "--test", **hooks)
    assert (status, "notify: told ours" in text) == (1, True)
    assert made.run("notify", "--target=side", **hooks)[0] == 4
