"""The alert rules and the dashboard that ``deploy/`` has, held to promtool and to the metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import column, section
from tests.pipeline.kubernetes_objects import DEPLOY
from tests.serving.whole_server import whole_text

RULES = DEPLOY / "prometheus" / "alerts.yaml"
CASES = Path(__file__).with_name("alert_rules.yaml")
_NAME = re.compile(r"\b(?:probe|postdeploy)_\w+")

Panel = dict[str, Any]


def rules() -> list[dict[str, Any]]:
    """The rules of the file."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    """The dashboard."""
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_bytes())
    return found


def queries(dashboard: dict[str, Any]) -> Iterator[str]:
    """Every expression of it, as Prometheus gets it."""
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [note["expr"] for note in dashboard["annotations"]["list"]]
    return (expression.replace("$target", "a|b") for expression in asked)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of all metrics that a server can have."""
    text = whole_text(tmp_path_factory.mktemp("served")).decode()
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))


def promtool(tools: Path, *words: str) -> None:
    """It has nothing to say against."""
    done = subprocess.run([tools / "promtool", *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_rules(report_tools: Path) -> None:
    """Prometheus takes them."""
    promtool(report_tools, "check", "rules", str(RULES))


def test_rules_fire_when_they_should(report_tools: Path, tmp_path: Path) -> None:
    """Each fires on what it is for, and not on what comes close to that."""
    cases = tmp_path / "cases.yaml"
    cases.write_text(CASES.read_text().replace("ALERTS", str(RULES)))
    promtool(report_tools, "test", "rules", str(cases))


def test_every_rule_has_its_cases() -> None:
    """For each rule there is input that fires it, and some beside it that does not."""
    fires, silent = set(), set()
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for asked in case["alert_rule_test"]:
            fires |= {asked["alertname"]} if asked["exp_alerts"] else set()
            silent |= {asked["alertname"]} if len(asked["exp_alerts"]) < len(case["input_series"]) else set()
    assert fires == silent == {rule["alert"] for rule in rules()}


def test_rules_and_panels_ask_for_what_is_served(dashboard: dict[str, Any], served: set[str]) -> None:
    """Every metric that is named is there, and the pages have a row for each, and no other."""
    named = {name for rule in rules() for name in _NAME.findall(rule["expr"])}
    named |= {name for query in queries(dashboard) for name in _NAME.findall(query)}
    assert named <= served
    pages = [*column(section("reference/reports.md", "Metrics")), *column(section("reference/serve.md", "Metrics"))]
    assert {name for name in pages if _NAME.fullmatch(name)} == served


def test_queries_of_the_dashboard_are_queries(dashboard: dict[str, Any], report_tools: Path, tmp_path: Path) -> None:
    """Prometheus can read each."""
    recorded = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries(dashboard))]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool(report_tools, "check", "rules", str(file))


def test_the_dashboard_holds_together(dashboard: dict[str, Any]) -> None:
    """Panels have their own numbers and places; all ask the source, and about the target, that was chosen."""
    panels: list[Panel] = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {variable["name"] for variable in dashboard["templating"]["list"]} == {"datasource", "target"}
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["description"].endswith(".")
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            assert "$target" in target["expr"]
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]


def test_the_page_tells_every_rule() -> None:
    """The table of the page has a row for each rule, and none besides."""
    assert column(section("how-to/alert-with-prometheus.md", "What the rules mean")) == [
        rule["alert"] for rule in rules()
    ]
