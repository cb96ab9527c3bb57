from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from postdeploy.exporters import Evidence
from postdeploy.exporters.allure import CHECK, RUN, complete, render
from tests.exporters.conftest import PICTURE, nothing

Document = dict[str, Any]
Json = dict[str, Any]


def results(files: Any) -> dict[str, Json]:
    """The results in a folder by the name of the test."""
    read = (json.loads(content) for name, content in files.items() if name.endswith("-result.json"))
    return {one["name"]: one for one in read}


def theirs(name: str, start: int = 1, run: str = "run-1", **more: Any) -> dict[str, bytes]:
    """A result as allure-pytest writes it."""
    labels = [{"name": CHECK, "value": name}, {"name": RUN, "value": run}, {"name": "severity", "value": "trivial"}]
    one = {"uuid": f"u{start}", "name": name, "status": "passed", "start": start, "labels": labels} | more
    return {f"u{start}-result.json": json.dumps(one).encode()}


def test_every_check_has_a_result(bad: Document) -> None:
    """Also those that were blocked, left out or never run; what happened to the run is a test that broke."""
    assert {name: one["status"] for name, one in results(render(bad, nothing)).items()} == {
        "home": "failed", "flaky": "passed", "broken": "broken", "down": "broken", "left out": "skipped",
        "late": "unknown", "fine": "passed", "deadline_exceeded": "broken",
    }  # fmt: skip


def test_what_a_result_says(bad: Document) -> None:
    """Why, each attempt with its phases, severity and target; evidence and the command are attached to the test."""
    bad["checks"][0] |= {"owner": "web team", "runbook": "https://runbooks.test/home", "severity": "major"}
    bad["checks"][0]["issues"] = ["https://github.test/acme/shop/issues/7", "https://jira.test/browse/SHOP-7"]
    home = results(render(bad, nothing))["home"]
    labels = {label["name"]: label["value"] for label in home["labels"]}
    assert home["statusDetails"]["message"].startswith("status: expected 200, got 404")
    assert [(step["name"], step["status"]) for step in home["steps"]] == [
        ("attempt 1", "failed"), ("attempt 2", "failed"),
    ]  # fmt: skip
    assert {"name": "first_byte", "value": "50.0 ms"} in home["steps"][0]["parameters"]
    assert (labels["severity"], labels["owner"], labels["suite"]) == ("normal", "web team", "suites/api.yaml")
    assert home["links"] == [
        {"type": "link", "name": "runbook", "url": "https://runbooks.test/home"},
        {"type": "issue", "name": "#7", "url": "https://github.test/acme/shop/issues/7"},
        {"type": "issue", "name": "SHOP-7", "url": "https://jira.test/browse/SHOP-7"},
    ]
    assert [one["name"] for one in home["attachments"]] == ["screenshot.png", "trace.zip", "reproduce.txt"]


def test_every_attachment_is_there(bad: Document) -> None:
    """Each that a result names is a file of the folder, and each file is named."""
    files = render(bad, nothing)
    named = {one["source"] for result in results(files).values() for one in result["attachments"]}
    assert named == {name for name in files if "-attachment" in name}
    assert Evidence("evidence/home/attempt-1/trace.zip") in files.values()


def test_a_check_is_known_again(bad: Document) -> None:
    """From run to run by the same name for the same target; results of two runs are two."""
    again = bad | {"run": bad["run"] | {"id": "run-2"}}
    other = bad | {"target": bad["target"] | {"name": "production"}}
    one, two, three = (results(render(document, nothing))["home"] for document in (bad, again, other))
    assert (one["historyId"], one["uuid"] == two["uuid"]) == (two["historyId"], False)
    assert one["historyId"] != three["historyId"]


def test_the_environment_can_be_read_as_properties(good: Document) -> None:
    """Colons, spaces and letters beyond ASCII are escaped; a line feed of the target's adds no property."""
    good["summary"] = "좋아: #1 \U0001f600\nverdict = fail"
    text = render(good, nothing)["environment.properties"]
    assert isinstance(text, bytes)
    lines = text.decode().splitlines()
    assert "summary = \\uc88b\\uc544\\:\\ \\#1\\ \\ud83d\\ude00\\ verdict\\ \\=\\ fail" in lines
    assert [line for line in lines if line.startswith("verdict")] == ["verdict = pass"]


def test_allure_reads_it(bad: Document, tmp_path: Path, report_tools: Path) -> None:
    """Allure 3 itself finds every test, the flaky one, the environment, our categories and every attachment."""
    folder = tmp_path / "allure-results"
    folder.mkdir()
    for name, content in render(bad, nothing).items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else PICTURE)
    (tmp_path / "allurerc.mjs").write_text(
        "import { readFileSync } from 'node:fs';\n"
        f"const rules = JSON.parse(readFileSync({json.dumps(str(folder / 'categories.json'))}));\n"
        "export default { output: 'out', categories: { rules }, plugins: { awesome: { options: {} } } };\n"
    )
    command = [str(report_tools / "node_modules/.bin/allure"), "generate", "--config", "allurerc.mjs", "allure-results"]
    path = f"{report_tools / 'node/bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"ALLURE_NO_ANALYTICS": "true", "PATH": path}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    out = tmp_path / "out"
    summary = json.loads(next(out.rglob("summary.json")).read_text())
    assert summary["stats"] == {
        "total": 8, "passed": 2, "failed": 1, "broken": 3, "skipped": 1, "unknown": 1, "flaky": 1,
    }  # fmt: skip
    environment_shown = json.loads(next(out.rglob("allure_environment.json")).read_text())
    assert {"name": "action", "values": ["rollback"]} in environment_shown
    nodes = json.loads(next(out.rglob("categories.json")).read_text())["nodes"].values()
    names = {node["name"] for node in nodes if node["type"] == "category"}
    assert {"We could not tell", "Never ran"} < names
    assert {name[:3] for name in names} > {"c1:", "c2:"}
    assert len(list(out.rglob("attachments/*"))) == 3


def test_a_folder_of_allure_pytest_is_completed(bad: Document) -> None:
    """A result that is there gets our judgement and keeps its own steps; one that is not there is added; no third."""
    written = theirs("home", steps=[{"name": "their step"}], statusDetails={"trace": "their trace"})
    files = complete(bad, written)
    home = results(files)["home"]
    assert len(results(files)) == 8
    assert (home["uuid"], home["status"], home["steps"]) == ("u1", "failed", [{"name": "their step"}])
    assert home["statusDetails"]["trace"] == "their trace"
    assert home["statusDetails"]["message"].startswith("status: expected 200")
    assert [label["value"] for label in home["labels"] if label["name"] == "severity"] == ["trivial"]
    assert [one["name"] for one in home["attachments"]] == ["screenshot.png", "trace.zip", "reproduce.txt"]


def test_only_the_last_attempt_is_judged(bad: Document) -> None:
    """Earlier results of a repeated test stay as they were, under the same name, so that Allure shows retries."""
    written = theirs("flaky", 20, status="passed") | theirs("flaky", 10, status="failed")
    files = complete(bad, written)
    first, last = (json.loads(files[f"u{start}-result.json"]) for start in (10, 20))  # type: ignore[arg-type]
    assert (first["status"], last["status"]) == ("failed", "passed")
    assert first["historyId"] == last["historyId"]
    assert last["statusDetails"]["flaky"] is True


@pytest.mark.parametrize(
    "written",
    [
        theirs("home", run="another run"),
        theirs("a test of somebody else's"),
        {"u1-result.json": b'{"postdeploy.run": 1}'},
        {"u1-result.json": b"postdeploy.run, but no JSON"},
        {"u1-result.json": b'{"labels": [], "start": 1}'},
    ],
)
def test_what_others_wrote_stays(bad: Document, written: dict[str, bytes]) -> None:
    """Results of other runs and other tests, and what is none, are left alone; ours stand beside them."""
    files = complete(bad, written)
    assert "u1-result.json" not in files
    assert len(results(files)) == 8


def test_own_files_about_the_run_win(bad: Document) -> None:
    """Somebody who wrote categories or an environment of their own keeps them."""
    files = complete(bad, {"categories.json": b"[]"})
    assert "categories.json" not in files
    assert "environment.properties" in files
