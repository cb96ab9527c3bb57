from __future__ import annotations

import copy
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from postdeploy.domain.evidence import Evidence
from postdeploy.gate import Demand, Ruling, judge
from postdeploy.journal import render_document
from tests.cli.project import PASSING, Project, serve
from tests.sealed import FAILED, PASSED, seal

SCHEMA = Path(__file__).parents[1] / "src/postdeploy/schemas/verdict.schema.json"
FAILING = PASSING.replace("web:/", "web:/missing")
RUNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pass": (PASSING, ()),
    "fail": (FAILING, ()),
    "inconclusive": (PASSING, ("--", "-k", "nothing")),
}

Document = dict[str, Any]


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of three real runs: one that passed, one that failed, one that could not tell."""
    with serve() as url:
        projects = {name: Project(tmp_path_factory.mktemp(name), url, suite) for name, (suite, _) in RUNS.items()}
        processes = {
            name: project.start("verify", "site", "--release=r1", f"--run-id=run-{name}", *RUNS[name][1])
            for name, project in projects.items()
        }
        said = {name: process.communicate(timeout=40)[0] for name, process in processes.items()}
        statuses = {name: process.returncode for name, process in processes.items()}
    assert statuses == {"pass": 0, "fail": 20, "inconclusive": 5}, said
    return {name: project.verdict.parent for name, project in projects.items()}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """The reports of a run that passed, to be tampered with."""
    (tmp_path / "reports").mkdir()
    return seal(tmp_path / "reports").parent


def document_of(reports: Path) -> Document:
    """What the verdict says."""
    said: Document = json.loads((reports / "verdict.json").read_bytes())
    return said


def demand(reports: Path, **changes: Any) -> Demand:
    """What a pipeline asks right after the run in these reports."""
    said = json.loads((reports / "verdict.json").read_bytes())
    finished = datetime.fromisoformat(said["run"]["finished"]).timestamp()
    release = said["release"].get("expected")
    return replace(Demand(said["target"]["name"], release, said["run"]["id"], 900.0, finished + 1), **changes)


def ask(reports: Path, wanted: Demand) -> Ruling:
    """What the gate says to these reports."""
    return judge(reports / "verdict.json", wanted)


def refused(reports: Path, wanted: Demand, words: str) -> None:
    """The gate refuses, in these words."""
    ruling = ask(reports, wanted)
    assert ruling.status == 30, ruling
    assert ruling.sentence.startswith("refused: ")
    assert words in ruling.sentence, ruling.sentence


def rewrite(reports: Path, change: Callable[[Document], object]) -> None:
    """Tamper with the verdict, in our own handwriting."""
    said = document_of(reports)
    change(said)
    (reports / "verdict.json").write_bytes(render_document(said))


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("pass", 0, "pass, promote: all_required_passed: 1 of 1 checks passed"),
        ("fail", 20, "fail, rollback: confirmed_failure: 1 check failed, one cause: status: expected 200, got 404"),
        ("inconclusive", 10, "inconclusive, hold: nothing_selected:"),
    ],
)
def test_real_runs(real: dict[str, Path], name: str, status: int, words: str) -> None:
    """The gate passes on what a real run decided; only a pass is promoted."""
    ruling = ask(real[name], demand(real[name]))
    assert (ruling.status, ruling.sentence.startswith(words)) == (status, True), ruling


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 99999, "not JSON"),
        (b"[]", "not a verdict"),
        (b"3", "not a verdict"),
        (b"{}", "not a verdict: KeyError('schema')"),
        (b'{"schema": NaN}', "NaN is not a JSON number"),
        (b'{"schema": 1, "schema": 2}', "a key stands twice in one object"),
        (b'{"schema": "postdeploy/verdict/9"}', "the schema is 'postdeploy/verdict/9', this gate reads"),
        (b'{"schema": ["postdeploy/verdict/1"]}', "the schema is"),
    ],
)
def test_what_is_no_verdict(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is no verdict is refused with what is wrong with it."""
    path = tmp_path / "verdict.json"
    path.write_bytes(content)
    ruling = judge(path, Demand("site", "r1", None, 900.0, 0.0))
    assert (ruling.status, words in ruling.sentence) == (30, True), ruling


def test_the_file_is_named(tmp_path: Path) -> None:
    """Whoever has several verdicts learns which one is meant."""
    path = tmp_path / "verdict.json"
    path.write_bytes(b"")
    assert judge(path, Demand("site", "r1", None, 900.0, 0.0)) == Ruling(30, f"refused: {path}: empty")


def test_missing(tmp_path: Path) -> None:
    """A verdict that is not there is refused."""
    ruling = judge(tmp_path / "verdict.json", Demand("site", None, None, 900.0, 0.0))
    assert ruling == Ruling(30, f"refused: {tmp_path}/verdict.json: no such file or directory")


def test_linked_folder(reports: Path, tmp_path: Path) -> None:
    """What lies behind a link can be something else a moment later."""
    link = tmp_path / "link"
    link.symlink_to(reports)
    refused(link, demand(reports), f"{link}: a symbolic link")


def test_link(reports: Path, tmp_path: Path) -> None:
    """A verdict behind a link is refused, and so is evidence behind one."""
    wanted = demand(reports)
    link = tmp_path / "link"
    link.mkdir()
    shutil.copy(reports / "evidence.jsonl", link)
    (link / "verdict.json").symlink_to(reports / "verdict.json")
    refused(link, wanted, "verdict.json: a symbolic link, not a regular file")
    (reports / "evidence.jsonl").rename(tmp_path / "elsewhere.jsonl")
    (reports / "evidence.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    refused(reports, wanted, "a symbolic link, not a regular file")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "production"}, "the verdict is about target 'staging', not 'production'"),
        ({"release": "r1"}, "the verdict is about release 'r2', the gate was asked about 'r1'"),
        ({"release": None}, "the verdict is about release 'r2', the gate was asked about no release; name it"),
        ({"run_id": "another"}, "the verdict is of run run-1, not another"),
    ],
)
def test_foreign(reports: Path, changes: dict[str, Any], words: str) -> None:
    """A verdict about something else is refused."""
    refused(reports, demand(reports, **changes), words)


def test_any_run(reports: Path) -> None:
    """A pipeline that names no run takes a recent one."""
    assert ask(reports, demand(reports, run_id=None)).status == 0


def test_about_no_release(reports: Path) -> None:
    """A verdict about no release in particular is none about this one."""
    wanted = demand(reports)
    rewrite(reports, lambda said: said["release"].update(expected=None))
    refused(reports, wanted, "the verdict is about no release in particular, the gate was asked about 'r2'")


@pytest.mark.parametrize(
    ("later", "words"),
    [(901.5, "the verdict is stale: 902 s old, at most 900 s are allowed"), (-61.5, "the run finished in the future")],
)
def test_clock(reports: Path, later: float, words: str) -> None:
    """A verdict of yesterday or of tomorrow is refused."""
    wanted = demand(reports)
    refused(reports, replace(wanted, now=wanted.now - 1 + later), words)


@pytest.mark.parametrize("later", [899.0, -59.0])
def test_clock_tolerance(reports: Path, later: float) -> None:
    """Young enough is young enough, and clocks may differ a little."""
    wanted = demand(reports)
    assert ask(reports, replace(wanted, now=wanted.now - 1 + later)).status == 0


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"started": "2999-01-01T00:00:00Z"}, "the run finished before it started"),
        ({"finished": "2026-01-01T00:00:00"}, "the time '2026-01-01T00:00:00' has no zone"),
        ({"finished": None}, "not a verdict: TypeError"),
        ({"finished": "soon"}, "not a verdict: ValueError"),
    ],
)
def test_times(reports: Path, times: dict[str, Any], words: str) -> None:
    """Times that cannot be are refused."""
    wanted = demand(reports)
    rewrite(reports, lambda said: said["run"].update(times))
    refused(reports, wanted, words)


def test_started(reports: Path) -> None:
    """A run that started and never finished proves nothing."""
    wanted = demand(reports)
    rewrite(reports, lambda said: said.update(state="started"))
    refused(reports, wanted, "the run run-1 started at")


def test_evidence_missing(reports: Path) -> None:
    """A verdict without its evidence is refused."""
    (reports / "evidence.jsonl").unlink()
    refused(reports, demand(reports), "evidence.jsonl: the evidence cannot be read: no such file")


def test_evidence_altered(reports: Path) -> None:
    """Evidence in which one byte is another is refused."""
    path = reports / "evidence.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"passed"', b'"Passed"', 1))
    refused(reports, demand(reports), "the evidence is not the one that the verdict was made from")


def test_evidence_torn(reports: Path) -> None:
    """Evidence whose end is torn off is refused, even if the verdict names its digest."""
    path = reports / "evidence.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    refused(reports, demand(reports), "the evidence is not the one")
    rewrite(reports, lambda said: said["evidence"].update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    refused(reports, demand(reports), "the last line of the evidence is torn")


def test_evidence_of_a_run_that_never_finished(reports: Path) -> None:
    """Evidence without an end proves nothing, even if the verdict names its digest."""
    path = reports / "evidence.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    rewrite(reports, lambda said: said["evidence"].update(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))
    refused(reports, demand(reports), "the evidence is of a run that never finished")


def test_evidence_of_another_run(reports: Path, tmp_path: Path) -> None:
    """Evidence of another run is refused, even if the verdict names its digest."""
    shutil.copy(seal(tmp_path, FAILED).with_name("evidence.jsonl"), reports)
    refused(reports, demand(reports), "the evidence is not the one")
    told = hashlib.sha256((reports / "evidence.jsonl").read_bytes()).hexdigest()
    rewrite(reports, lambda said: said["evidence"].update(sha256=told))
    refused(reports, demand(reports), "the verdict does not follow from its evidence: action, causes, checks, counts")


def test_evidence_that_is_none(reports: Path) -> None:
    """A file that is no evidence is refused, even if the verdict names its digest."""
    for content, words in ((b"{}\n", "holds a record that cannot be read"), (b"[\n", "1: not a record")):
        (reports / "evidence.jsonl").write_bytes(content)
        told = hashlib.sha256(content).hexdigest()
        rewrite(reports, lambda said, told=told: said["evidence"].update(sha256=told))  # type: ignore[misc]
        refused(reports, demand(reports), words)


@pytest.mark.parametrize("name", ["../evidence.jsonl", "/etc/passwd", "..", ".", "", "a/b", "other.jsonl", None, 3])
def test_evidence_elsewhere(reports: Path, name: Any) -> None:
    """Evidence is beside its verdict, under its own name, or refused."""
    rewrite(reports, lambda said: said["evidence"].update(file=name))
    refused(reports, demand(reports), f"the evidence is {name!r} and not 'evidence.jsonl' beside the verdict")


def places(tree: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON document."""
    if place:
        yield place
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from places(value, (*place, key))


def other(value: Any) -> Any:
    """Another value, as like as possible."""
    if value is None or isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"
    return [*value, "x"] if isinstance(value, list) else {**value, "x": "x"}


@pytest.mark.parametrize("name", RUNS)
def test_real_fields(real: dict[str, Path], name: str, tmp_path: Path) -> None:
    """Whatever is altered in a sealed verdict, or left out, it is refused; only the list of reports proves nothing."""
    assert every_field_but(real[name], tmp_path) == [("reports",)]


@pytest.mark.parametrize("run", [PASSED, FAILED], ids=["passed", "failed"])
def test_every_field(run: Evidence, tmp_path: Path) -> None:
    """The same without launching anything."""
    (tmp_path / "altered").mkdir()
    assert every_field_but(seal(tmp_path, run).parent, tmp_path / "altered") == [("reports",)]


def every_field_but(reports: Path, altered: Path) -> list[tuple[Any, ...]]:
    """The places of a verdict at which another value is believed."""
    shutil.copy(reports / "evidence.jsonl", altered)
    wanted, sealed = demand(reports), document_of(reports)
    honest, path = ask(reports, wanted), altered / "verdict.json"
    accepted = []
    for place in places(sealed):
        for change in (other, None):
            said = copy.deepcopy(sealed)
            holder = said
            for key in place[:-1]:
                holder = holder[key]
            if change is None:
                del holder[place[-1]]
            else:
                holder[place[-1]] = change(holder[place[-1]])
            path.write_bytes(render_document(said))
            ruling = judge(path, wanted)
            if ruling.status != 30:
                assert ruling == honest
                accepted.append(place)
    return accepted


def test_the_same_in_another_handwriting(reports: Path) -> None:
    """A verdict that says the same in other bytes was written by somebody else."""
    path = reports / "verdict.json"
    path.write_text(json.dumps(document_of(reports), ensure_ascii=False))
    refused(reports, demand(reports), "verdict.json: not written as it was sealed")
    rewrite(reports, lambda said: said["counts"].update(flaky=False))
    refused(reports, demand(reports), "not written as it was sealed")


def test_another_version(reports: Path) -> None:
    """If the gate is of another version than the verdict, it says so."""
    rewrite(reports, lambda said: said["run"]["tool"].update(version="9.9"))
    refused(reports, demand(reports), "from its evidence: run (sealed by version 9.9, this gate is ")


@pytest.mark.parametrize("name", ["verdict.json", "evidence.jsonl"])
def test_single_bits(reports: Path, name: str) -> None:
    """Each of a thousand flips of a single bit is refused."""
    wanted, path = demand(reports), reports / name
    sealed, chance = path.read_bytes(), random.Random(7)
    assert ask(reports, wanted).status == 0
    for bit in chance.sample(range(len(sealed) * 8), 1000):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert ask(reports, wanted).status == 30, (bit, bytes(flipped[max(0, bit // 8 - 40) : bit // 8 + 40]))


def test_real_process(real: dict[str, Path]) -> None:
    """The gate's process imports neither pytest nor what reads configuration, nor anything of the project's."""
    reports = real["pass"]
    (reports.parent / "conftest.py").write_text("raise SystemExit(0)")
    script = (
        "import sys\nfrom postdeploy.cli import main\n"
        "status = main(['gate', '--target=site', '--release=r1', '--max-age=24h'])\n"
        "print(status, *sorted(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, cwd=reports.parent, capture_output=True, text=True, check=True).stdout
    status, *modules = said.splitlines()[-1].split()
    assert status == "0"
    roots = {module.partition(".")[0] for module in modules}
    assert not roots & {
        "pytest",
        "_pytest",
        "pydantic",
        "yaml",
        "pycurl",
        "httpx2",
        "playwright",
        "conftest",
        "cryptography",
    }
    assert not {module for module in modules if module.startswith(("postdeploy.plugin", "postdeploy.engine"))}
    assert len(modules) < 200


@pytest.fixture(scope="session")
def schema() -> Any:
    """The schema of verdict.json."""
    raw = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(raw)
    return jsonschema.Draft202012Validator(raw)


@pytest.mark.parametrize("name", RUNS)
def test_real_schema(real: dict[str, Path], schema: Any, name: str) -> None:
    """Real sealed verdicts follow the schema, as sealed and as what stood there before."""
    sealed = document_of(real[name])
    schema.validate(sealed)
    schema.validate({**sealed, "new_in_a_later_version": 1})


def test_schema_of_a_started_document(schema: Any) -> None:
    """What the launcher writes first follows the schema."""
    from argparse import Namespace

    from postdeploy.cli.verify import _unstarted

    schema.validate(_unstarted("run-1", Namespace(target="site", release=None)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda said: said.update(reason="because"), id="reason"),
        pytest.param(lambda said: said.update(state="open"), id="state"),
        pytest.param(lambda said: said.update(verdict="maybe"), id="verdict"),
        pytest.param(lambda said: said.update(action="launch"), id="action"),
        pytest.param(lambda said: said.update(action="hold"), id="pass that holds"),
        pytest.param(lambda said: said.update(schema="postdeploy/verdict/2"), id="schema"),
        pytest.param(lambda said: said.pop("evidence"), id="no evidence"),
        pytest.param(lambda said: said["checks"][0].update(outcome="fine"), id="outcome"),
        pytest.param(lambda said: said["checks"][0]["attempts"][0].update(outcome="fine"), id="outcome of an attempt"),
        pytest.param(lambda said: said["run"].update(finished=None), id="no end"),
        pytest.param(lambda said: said["counts"].pop("flaky"), id="no count"),
    ],
)
def test_schema_refuses(reports: Path, schema: Any, change: Callable[[Document], object]) -> None:
    """An unknown word or a missing part does not follow the schema."""
    said = document_of(reports)
    change(said)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(said)
