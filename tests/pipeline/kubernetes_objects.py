"""The objects of our manifests, and what Argo Rollouts makes of an answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

__all__ = ["DEPLOY", "analysis_phase", "helm_rendered", "objects"]

DEPLOY = Path(__file__).parents[2] / "deploy"


def objects(name: str) -> list[dict[str, Any]]:
    """The objects of a manifest below ``deploy``."""
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def helm_rendered(name: str, release: str = "web") -> dict[str, Any]:
    """A template that uses nothing but values, the release's name and the chart, as Helm would render it."""
    chart = yaml.safe_load((DEPLOY / "helm" / "Chart.yaml").read_text())
    values = yaml.safe_load((DEPLOY / "helm" / "values.yaml").read_text())
    known = {".Release.Name": release, ".Chart.AppVersion": chart["appVersion"]}
    known |= {f".Values.postdeploy.{key}": value for key, value in values["postdeploy"].items()}
    text = (DEPLOY / "helm" / "templates" / name).read_text()
    made: dict[str, Any] = yaml.safe_load(re.sub(r"{{ (\S+) }}", lambda found: known[found[1]], text))
    return made


def analysis_phase(metric: dict[str, Any], status: int, document: dict[str, Any]) -> str:
    """What a measurement is, by the rules of Argo Rollouts' metric provider ``web`` and its evaluation of conditions.

    Both are read from metricproviders/webmetric/webmetric.go and utils/evaluate/evaluate.go of argoproj/argo-rollouts.
    """
    if not 200 <= status < 300:
        return "Error"
    key = re.fullmatch(r"\{\$\.(\w+)\}", metric["provider"]["web"]["jsonPath"])
    assert key
    result = document[key[1]]
    failed, succeeded = (_holds(metric[name], result) for name in ("failureCondition", "successCondition"))
    return "Failed" if failed else "Successful" if succeeded else "Inconclusive"


def _holds(condition: str, result: str) -> bool:
    wanted = re.fullmatch(r'result == "(\w+)"', condition)
    assert wanted
    return bool(result == wanted[1])
