from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.domain.evidence import Evidence
from postdeploy.errors import ConfigurationError
from postdeploy.notify.news import Place, tell
from postdeploy.notify.told import place_of
from postdeploy.standing import Judge
from tests.notify.conftest import LINK, standing
from tests.sealed import FAILED, PASSED, demand
from tests.web_server import WebServer, respond

TARGETS = """
targets:
  staging:
    services: {web: "https://web.test"}
    notify:
      team: {slack: "${env:TEAM_HOOK}"}
      oncall: {pagerduty: {key: "${env:ONCALL_KEY}", url: "${EVENTS}"}}
"""


class Project:
    """A project whose receivers are at one server."""

    def __init__(self, folder: Path, server: WebServer) -> None:
        self.folder = folder
        self.server = server
        self.warnings: list[str] = []
        (folder / "targets.yaml").write_text(TARGETS)

    def tell(self, run: Evidence | None, *, always: bool = False, **environment: str) -> list[str]:
        """Tell of a run, or that there is none; returns who was asked to hear, and what."""
        told = {"TEAM_HOOK": f"{self.server.url}/team", "ONCALL_KEY": "0" * 32, "EVENTS": f"{self.server.url}/oncall"}
        reports = self.folder / "reports"
        unknown = Judge(self.folder / "none.json", demand(), lambda: 2e6).standing({})
        place = Place(self.folder / "targets.yaml", reports, link=LINK)
        before = len(self.server.seen)
        tell(standing(reports, run) if run else unknown, place, self.warnings.append, told | environment, always=always)
        heard = self.server.seen[before:]
        return sorted(f"{seen.path} {_word(json.loads(seen.body))}" for seen in heard)


def _word(said: dict[str, Any]) -> str:
    return str(said["event_action"] if "event_action" in said else said["text"].partition(": ")[2])


@pytest.fixture
def project(tmp_path: Path, server: WebServer) -> Project:
    """It."""
    return Project(tmp_path, server)


def test_a_change_is_told_once(project: Project) -> None:
    """Everybody hears of a failure once, and of the recovery once."""
    failed, passed = "FAIL, roll back", "PASS, promote"
    assert project.tell(PASSED) == ["/oncall resolve"]
    assert project.tell(PASSED) == []
    assert project.tell(FAILED) == ["/oncall trigger", f"/team {failed}"]
    assert project.tell(FAILED) == []
    assert project.tell(PASSED) == ["/oncall resolve", f"/team {passed}"]
    assert project.warnings == []
    assert json.loads((project.folder / "reports.told.json").read_bytes()) == {
        "schema": "postdeploy/told/1", "told": {"staging": {"oncall": "pass/promote", "team": "pass/promote"}},
    }  # fmt: skip


def test_a_failure_of_another_release_is_news(project: Project, tmp_path: Path) -> None:
    """The next release that fails is told of; so is that nothing is proven, and a hold after a failure."""
    project.tell(FAILED)
    assert project.tell(None) == ["/oncall trigger", "/team INCONCLUSIVE, hold"]
    assert project.tell(replace(PASSED, narrowed_by=("-k",))) == []
    other = replace(demand(), release="r3")
    now = Judge(tmp_path / "none.json", other, lambda: 2e6).standing({})
    assert len(tell(now, Place(tmp_path / "targets.yaml", tmp_path / "reports"), project.warnings.append, _here())) == 0
    assert all("is not set" in warning for warning in project.warnings)


def _here() -> dict[str, str]:
    return {}


def test_whoever_could_not_be_told_is_told_the_next_time(project: Project) -> None:
    """A receiver that fails is warned of and not forgotten; the other is told once."""
    project.server.script("/team", respond(404), respond(200))
    assert project.tell(FAILED) == ["/oncall trigger", "/team FAIL, roll back"]
    assert project.warnings == ["team (slack) was not told: answered 404: {}"]
    assert project.tell(FAILED) == ["/team FAIL, roll back"]
    assert project.tell(FAILED) == []


def test_a_receiver_without_its_secret(project: Project) -> None:
    """A variable that is not set is told by place and name; all others hear."""
    assert project.tell(FAILED, ONCALL_KEY="") == ["/team FAIL, roll back"]
    (warning,) = project.warnings
    assert warning.endswith("targets.yaml:7:33: variable 'ONCALL_KEY' is empty (set it in the environment of this run)")


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": "postdeploy/told/1", "told": 3}', '{"schema": "other"}'])
def test_a_memory_that_cannot_be_read(project: Project, content: str) -> None:
    """It is taken for none: a failure is told rather than kept back."""
    (project.folder / "reports.told.json").write_text(content)
    assert len(project.tell(FAILED)) == 2
    (warning,) = project.warnings
    assert warning.endswith("; it is taken for a first time")
    assert project.tell(FAILED) == []


def test_a_memory_that_cannot_be_written(project: Project) -> None:
    """It is told of, and everybody has heard."""
    (project.folder / "elsewhere").write_text("{}")
    (project.folder / "reports.told.json").symlink_to("elsewhere")
    assert len(project.tell(FAILED)) == 2
    assert any("symbolic link" in warning for warning in project.warnings)


def test_the_memory_lies_beside_the_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the folder is the one that we are in, or the root."""
    monkeypatch.chdir(tmp_path)
    assert place_of(Path("reports")) == tmp_path / "reports.told.json"
    assert place_of(Path()) == tmp_path.with_name(f"{tmp_path.name}.told.json")
    assert place_of(Path("/")) == Path("/told.json")


def test_always(project: Project) -> None:
    """A test tells everybody whatever they know, and remembers nothing."""
    assert len(project.tell(PASSED, always=True)) == len(project.tell(PASSED, always=True)) == 2
    assert not (project.folder / "reports.told.json").exists()


def test_other_targets_are_remembered(project: Project) -> None:
    """What others were told stays in the file."""
    memory = project.folder / "reports.told.json"
    memory.write_text('{"schema": "postdeploy/told/1", "told": {"production": {"team": "pass/promote"}}}')
    project.tell(FAILED)
    assert json.loads(memory.read_bytes())["told"]["production"] == {"team": "pass/promote"}


def test_no_such_target(project: Project, tmp_path: Path) -> None:
    """A target that is not there is an error of the configuration."""
    other = Judge(tmp_path / "none.json", demand(target="stagging"), lambda: 2e6).standing({})
    with pytest.raises(ConfigurationError, match="did you mean 'staging'"):
        tell(other, Place(tmp_path / "targets.yaml", tmp_path / "reports"), project.warnings.append, {})
