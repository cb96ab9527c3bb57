"""The reference is complete: everything that exists has its row, and no row is about what does not exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from postdeploy.config.schema import suite_schema, targets_schema
from postdeploy.domain import evidence
from postdeploy.domain.check import Kind
from postdeploy.domain.matcher import TYPES, WORDS
from postdeploy.domain.observation import SUBJECTS
from postdeploy.domain.policy import Severity
from postdeploy.domain.result import Outcome
from postdeploy.domain.verdict import Conclusion, ExitStatus, Reason
from postdeploy.exporters import FORMATS
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.plugin import fixtures, marks, undo
from postdeploy.serving.route import Request
from postdeploy.serving.routes import all_routes
from postdeploy.standing import ASKED, Judge
from tests.docs.blocks import ROOT, column, read, section
from tests.docs.conftest import SharedRun
from tests.sealed import demand, seal

_HEADINGS = {"http": "HTTP"}


def _keys(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key that a schema lets people write, with its own schema."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties", {})
        if isinstance(properties, Mapping):
            yield from properties.items()
        for item in schema.values():
            yield from _keys(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from _keys(item)


def _codes(text: str) -> set[str]:
    """Every word of a text that stands in code, also inside of a longer piece of it."""
    return set(re.findall(r"[\w$.]+", " ".join(re.findall(r"`([^`\n]+)`", text))))


def _members(value: Mapping[str, Any]) -> set[str]:
    return set(value)


def test_every_key_of_a_target_has_its_row() -> None:
    """Tables of ``reference/targets.md`` name each key that targets.yaml may hold."""
    assert {key for key, _ in _keys(targets_schema())} - {"targets"} <= set(column(read("reference/targets.md")))


def test_the_defaults_of_a_target_are_those_of_the_loader() -> None:
    """A key whose description states a default has it in its row."""
    text = read("reference/targets.md")
    for key, schema in _keys(targets_schema()):
        default = re.search(r"Default: (.+?)\.?$", str(schema.get("description", "")))
        if default:
            rows = re.findall(rf"^\| `{key}` \| (.+?) \|", text, re.MULTILINE)
            assert any(default[1].rstrip(".") in row for row in rows), key


def test_every_key_of_a_suite_is_named() -> None:
    """``reference/suites.md`` names each key of suites, checks, steps and what stands below them."""
    schema = suite_schema()
    definitions = {name: item for name, item in schema["definitions"].items() if name in {"check", "step"}}
    assert {key for key, _ in _keys({**schema, "definitions": definitions})} <= _codes(read("reference/suites.md"))


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_subject_of_an_observation_has_its_row(kind: str) -> None:
    """What may be expected of a probe is what its table says."""
    assert column(section("reference/suites.md", _HEADINGS.get(kind, kind))) == list(SUBJECTS[kind])


def test_every_format_of_a_report_has_its_row() -> None:
    """The table of reports names each format with its file."""
    rows = re.findall(r"^\| `(\w+)` \| `([\w./-]+)` \|", read("reference/reports.md"), re.MULTILINE)
    assert dict(rows) == dict(FORMATS)


def test_every_matcher_has_its_row() -> None:
    """The table of matchers has the words of the vocabulary, in their order, and all types."""
    text = read("reference/matchers.md").partition("## What equal means")[0]
    rows = re.findall(r"^\| `(\w+)` \|.+\| `\{(\w+): .+\}` \|$", text, re.MULTILINE)
    assert rows == [(word, word) for word in WORDS]
    assert set(TYPES) <= _codes(text)


def test_every_reason_is_explained() -> None:
    """The table of reasons is the closed list."""
    assert column(section("reference/verdict.md", "Reasons")) == [reason.value for reason in Reason]


def test_every_exit_status_is_explained() -> None:
    """The table of exit statuses has ours and pytest's."""
    rows = re.findall(r"^\| (\d+) \|", section("reference/verdict.md", "Exit statuses"), re.MULTILINE)
    assert sorted(map(int, rows)) == sorted({*map(int, ExitStatus), 2, 3, 4, 5})


def test_verdicts_outcomes_kinds_and_severities_are_named() -> None:
    """Each word that a verdict may use stands on the page about it."""
    words = {str(word) for words in (Conclusion, Outcome, Kind, Severity) for word in words}
    assert words <= _codes(read("reference/verdict.md") + read("reference/suites.md"))


def test_every_fixture_has_its_row() -> None:
    """The table of fixtures has what the plugin defines for people to ask for."""
    everything = {**vars(fixtures), **vars(undo)}
    found = {name: vars(value).get("_fixture_function_marker") for name, value in everything.items()
             if type(value).__name__ == "FixtureFunctionDefinition"}  # fmt: skip
    defined = {name for name, marker in found.items() if name[0] != "_" and marker and not marker.autouse}
    assert defined
    assert defined == set(column(section("reference/fixtures-and-marks.md", "Fixtures")))


def test_every_mark_and_argument_has_its_row() -> None:
    """The tables of marks have every argument of ``check`` and every word that ``-m`` knows."""
    named = set(column(section("reference/fixtures-and-marks.md", "Marks")))
    words = {str(word) for words in (Kind, Severity) for word in words}
    assert {"check(...)", "writes", *words, *marks._KEYS} == named


def test_every_field_of_a_verdict_has_its_row(shared_run: SharedRun) -> None:
    """Each field of a real verdict, of its run, release and checks, is in a table."""
    verdict = shared_run.verdict
    named = set(column(section("reference/verdict.md", "verdict.json")))
    assert _members(verdict) <= named
    assert _members(verdict["run"]) | _members(verdict["release"]) | _members(verdict["checks"][0]) <= named


def test_every_field_of_the_verdict_schema_is_named() -> None:
    """The published JSON Schema has no top-level field without a row, and no field at all that is not named."""
    schema = json.loads((ROOT / "src/postdeploy/schemas/verdict.schema.json").read_bytes())
    assert set(schema["properties"]) <= set(column(section("reference/verdict.md", "verdict.json")))
    pages = read("reference/verdict.md") + read("reference/evidence.md") + read("reference/targets.md")
    assert {key for key, _ in _keys(schema)} <= _codes(pages)


def test_every_record_of_the_journal_has_its_row(shared_run: SharedRun) -> None:
    """The table of records is what the fold reads, and every real record is in it."""
    text = read("reference/evidence.md").partition("## ")[0]
    named = set(column(text)) - {"record"}
    assert named == set(evidence._RULES)
    assert {record["record"] for record in shared_run.records} <= named


def test_every_field_of_an_attempt_has_its_row(shared_run: SharedRun) -> None:
    """What attempts of a real run say is explained."""
    attempts = [attempt for check in shared_run.verdict["checks"] for attempt in check["attempts"]]
    named = set(column(section("reference/evidence.md", "An attempt")))
    assert {key for attempt in attempts for key in attempt} <= named


def test_every_field_of_what_a_monitor_knows_has_its_row() -> None:
    """``reference/monitor.md`` names each field of monitor.json."""
    schema = json.loads((ROOT / "src/postdeploy/schemas/monitor.schema.json").read_bytes())
    assert {key for key, _ in _keys(schema)} <= _codes(read("reference/monitor.md"))


def test_every_variable_of_the_environment_is_named() -> None:
    """What the source reads from the environment stands in ``reference/environment.md``."""
    pattern = re.compile(r"(?:env|environ|environment)(?:\.get\(|\[)\s*[\"']([A-Z_]+)[\"']")
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    internal = {"PYTEST_XDIST_WORKER"}
    assert set(pattern.findall(source)) - internal <= _codes(read("reference/environment.md"))


def test_every_served_path_and_field_has_its_row(tmp_path: Path) -> None:
    """The tables of served answers have each path, with its status codes by action, and each field of an answer."""
    place = Place(file=tmp_path / "history.sqlite3")
    open_database(place, create=True).close()
    routes = all_routes(Judge(seal(tmp_path), demand(), lambda: demand().now), tmp_path, "staging", place)
    table = re.findall(r"^\| (`/.+?) \| .+? \| (\d+) \| \d+ \| \d+ \|$", read("reference/serve.md"), re.MULTILINE)
    promoted = {path: int(code) for paths, code in table for path in re.findall(r"`(\S+)`", paths)}
    assert promoted == {path: route.handler(Request("GET", path)).status for path, route in routes.items()}
    answer = json.loads(routes["/argo"].handler(Request("GET", "/argo")).body)
    assert set(answer) == set(column(section("reference/serve.md", "The answer")))
    assert set(ASKED) == set(column(section("reference/serve.md", "The question")))
