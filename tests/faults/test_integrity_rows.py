"""F41, F42, I01 and I02: a verdict that is broken, stale, tampered with, of something else, or was used before.

One real run is begun, launched, signed; its reports are then altered in every way that the matrix names, and the gate
is asked: in this process, which is the same code as ``postdeploy gate check``, and by the command for one of each kind.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.documents import render_document
from postdeploy.domain.attestation import render_statement, statement
from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import fold
from postdeploy.dsse import pre_authentication_encoding, seal_envelope
from postdeploy.gate import Demand, judge
from postdeploy.journal import Journal
from postdeploy.pipeline_state import PipelineState
from postdeploy.signing import PrivateKey, new_key
from tests.faults.conftest import Compare
from tests.faults.expected import Expected, Observed
from tests.faults.project import Project, ask_gate
from tests.faults.server import serve
from tests.sealed import PASSED, seal
from tests.sealed import demand as sealed_demand

REFUSED = Expected(gate=30)
KEY, FOREIGN = new_key(), new_key()
ENVELOPE = "verdict.dsse.json"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose run was begun, launched and signed; it stays as it is."""
    folder = tmp_path_factory.mktemp("signed")
    with serve() as server:
        project = Project(folder, server.url, 0, lambda *_: None)
        project.healthy()
        project.write("other.yaml", (folder / "targets.yaml").read_text().replace("local:", "other:"))
        (folder / "some.pub").write_bytes(KEY.public().pem())
        command = [*project.verify()[:3], "gate", "begin", "--target=local", "--state=state"]
        began = project.ended(project.start(command))
        run_id = began.out.strip().splitlines()[-1]
        assert began.status == 0, began.out
        run = project.launch(f"--run-id={run_id}", "--sign-key=env:SIGN_KEY", env={"SIGN_KEY": KEY.pem().decode()})
        assert run.status == 0, run.out
    return folder


@pytest.fixture
def folder(signed: Path, tmp_path: Path) -> Path:
    """The same, to be tampered with."""
    return shutil.copytree(signed, tmp_path / "project")


def run_id(folder: Path) -> str:
    """The run that was begun."""
    return next((folder / "state").glob("*.json")).stem


def verdict(folder: Path) -> Path:
    """The verdict of this project."""
    return folder / "reports" / "verdict.json"


def demand(folder: Path, **changes: Any) -> Demand:
    """What ``gate check`` demands of the verdict."""
    begun = PipelineState(str(folder / "state")).read(run_id(folder))
    about = Demand("local", None, begun.run_id, 900.0, time.time(), begun.begun, begun.urls, begun.config, status=0)
    return replace(about, **{"keys": (KEY.public(),)} | changes)


def check(folder: Path, *more: str, rc: int = 0, run: str | None = None, target: str = "local") -> tuple[int, str]:
    """What the command says."""
    words = (f"--run-id={run or run_id(folder)}", "--state=state", "--public-key=some.pub", f"--rc={rc}", *more)
    return ask_gate(folder, *words, target=target, step=("check",))


def edit(path: Path, change: Callable[[Document], object]) -> None:
    """Alter a document in our own handwriting."""
    said = json.loads(path.read_bytes())
    change(said)
    path.write_bytes(render_document(said))


def test_untouched(folder: Path) -> None:
    """What the rows start from is accepted: they fail because of their fault alone."""
    assert judge(verdict(folder), demand(folder)).status == 0
    status, said = check(folder)
    assert status == 0, said


@pytest.mark.row("I01", "each of 1,500 flips of one bit")
def test_bits(folder: Path, compare: Compare) -> None:
    """Neither verdict, nor evidence, nor envelope can be altered in a single bit."""
    chance, wanted, refusals = random.Random(1), demand(folder), 0
    for name, flips in (("verdict.json", 500), ("evidence.jsonl", 400), (ENVELOPE, 600)):
        path = folder / "reports" / name
        sealed = path.read_bytes()
        for bit in chance.sample(range(len(sealed) * 8), flips):
            flipped = bytearray(sealed)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            refusals += judge(verdict(folder), wanted).status == 30
        path.write_bytes(sealed)
    assert refusals == 1500
    flipped = bytearray(verdict(folder).read_bytes())
    flipped[40] ^= 1
    verdict(folder).write_bytes(flipped)
    status, said = check(folder)
    compare(REFUSED, Observed(gate=status), said)
    assert "not the verdict that was signed" in said


def _sign(folder: Path, payload: bytes, kind: str, key: PrivateKey) -> Document:
    signature = base64.b64encode(key.sign(pre_authentication_encoding(kind, payload))).decode()
    return {"payloadType": kind, "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": key.public().id, "sig": signature}]}  # fmt: skip


def _payload(folder: Path) -> bytes:
    return base64.b64decode(json.loads((folder / "reports" / ENVELOPE).read_bytes())["payload"])


IN_TOTO = "application/vnd.in-toto+json"
TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a field of the verdict": (
        lambda folder: edit(verdict(folder), lambda said: said["counts"].update(passed=99)),
        "not the verdict that was signed",
    ),
    "the type of the payload": (
        lambda folder: edit(folder / "reports" / ENVELOPE, lambda said: said.update(payloadType="text/plain")),
        "the type of the payload is 'text/plain'",
    ),
    "the type of the payload, signed so": (
        lambda folder: edit(
            folder / "reports" / ENVELOPE, lambda said: said.update(_sign(folder, _payload(folder), "text/plain", KEY))
        ),
        "the type of the payload is 'text/plain'",
    ),
    "a foreign key": (
        lambda folder: edit(
            folder / "reports" / ENVELOPE, lambda said: said.update(_sign(folder, _payload(folder), IN_TOTO, FOREIGN))
        ),
        "which is none of those that are demanded",
    ),
    "a foreign key under our name": (
        lambda folder: edit(
            folder / "reports" / ENVELOPE,
            lambda said: said["signatures"][0].update(
                sig=_sign(folder, _payload(folder), IN_TOTO, FOREIGN)["signatures"][0]["sig"]
            ),
        ),
        "does not fit",
    ),
    "no signature": (
        lambda folder: edit(folder / "reports" / ENVELOPE, lambda said: said.update(signatures=[])),
        "0 signatures",
    ),
    "no envelope": (lambda folder: (folder / "reports" / ENVELOPE).unlink(), "the verdict is not signed"),
    "an altered statement": (
        lambda folder: edit(
            folder / "reports" / ENVELOPE,
            lambda said: said.update(payload=base64.b64encode(_payload(folder).replace(b"PASSED", b"WARNED")).decode()),
        ),
        "does not fit",
    ),
    "an altered statement, signed": (
        lambda folder: edit(
            folder / "reports" / ENVELOPE,
            lambda said: said.update(_sign(folder, _payload(folder).replace(b"PASSED", b"WARNED"), IN_TOTO, KEY)),
        ),
        "the signed statement does not follow",
    ),
    "evidence cut short": (
        lambda folder: (folder / "reports/evidence.jsonl").write_bytes(
            b"".join((folder / "reports/evidence.jsonl").read_bytes().splitlines(keepends=True)[:-1])
        ),
        "the evidence is not the one",
    ),
}


@pytest.mark.row("I01", "fields, types, keys and signatures are swapped")
@pytest.mark.parametrize("name", TAMPERED)
def test_tampered(folder: Path, compare: Compare, name: str) -> None:
    """Whatever is altered, and with whichever key it is signed, it is refused in words that say what is wrong."""
    change, words = TAMPERED[name]
    change(folder)
    status, said = check(folder)
    compare(REFUSED, Observed(gate=status), said)
    assert words in said, said


OF_SOMETHING_ELSE: dict[str, tuple[dict[str, Any], str]] = {
    "run": ({"run_id": "another"}, "the verdict is of run "),
    "target": ({"target": "production"}, "the verdict is about target 'local', not 'production'"),
    "commit": ({"release": "4f9d2c1"}, "the verdict is about no release in particular"),
    "suite": ({"suite": "sha256:" + "0" * 64}, "its files or plugins differ"),
    "configuration": ({"config": "sha256:" + "0" * 64}, "targets.yaml differs"),
    "URL": ({"urls": {"api": "https://elsewhere.test"}}, "not at https://elsewhere.test"),
    "exit status": ({"status": 10}, "the run ended with status 10"),
    "key": ({"keys": (FOREIGN.public(),)}, "none of those that are demanded"),
}


@pytest.mark.row("I02", "of another run, target, commit, suite, configuration, URL, status or key")
@pytest.mark.parametrize("name", OF_SOMETHING_ELSE)
def test_of_something_else(folder: Path, compare: Compare, name: str) -> None:
    """A verdict that is true, and about something else, is refused in words that name it."""
    changes, words = OF_SOMETHING_ELSE[name]
    ruling = judge(verdict(folder), demand(folder, **changes))
    compare(REFUSED, Observed(gate=ruling.status), ruling.sentence)
    assert words in ruling.sentence


@pytest.mark.row("I02", "from the past, the future, or before it was begun")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"now": 901.0}, "the verdict is stale"),
        ({"now": -120.0, "begun": -200.0}, "the run finished in the future"),
        ({"begun": 120.0, "now": 200.0}, "before gate begin at"),
        ({"begun": 120.0}, "gate begin was in the future"),
    ],
    ids=["stale", "future", "before begin", "begin in the future"],
)
def test_time(folder: Path, compare: Compare, changes: dict[str, float], words: str) -> None:
    """Begin, start, end and now have to come in this order, and now not too late."""
    at = {name: time.time() + seconds for name, seconds in changes.items()}
    ruling = judge(verdict(folder), demand(folder, **at))
    compare(REFUSED, Observed(gate=ruling.status), ruling.sentence)
    assert words in ruling.sentence, ruling.sentence


@pytest.mark.row("I02", "ended before it started")
def test_end_before_start(folder: Path, compare: Compare) -> None:
    """Times that cannot be are refused, although verdict, evidence and signature agree on them."""
    journal = folder / "reports" / "evidence.jsonl"
    records = [json.loads(line) for line in journal.read_bytes().splitlines()]
    records[-1]["at"] = records[0]["run"]["started"] - 1
    with Journal(journal) as file:
        for record in records:
            file.append(record)
        proof = file.close()
    evidence = fold(records)
    content = render_document(verdict_document(evidence, decide(evidence), proof=proof, exporters={}))
    verdict(folder).write_bytes(content)
    stated = statement(json.loads(content), hashlib.sha256(content).hexdigest())
    envelope = seal_envelope(render_statement(stated), KEY)
    (folder / "reports" / ENVELOPE).write_bytes(envelope)
    status, said = check(folder)
    compare(REFUSED, Observed(gate=status), said)
    assert "the run finished before it started" in said


@pytest.mark.row("I02", "a replayed run")
def test_replay(folder: Path, compare: Compare) -> None:
    """What was accepted once is not accepted again, not even as another copy."""
    assert check(folder)[0] == 0
    shutil.copytree(folder / "reports", folder / "copy")
    for verdict_file in ("reports/verdict.json", "copy/verdict.json"):
        status, said = check(folder, f"--verdict={verdict_file}")
        compare(REFUSED, Observed(gate=status), said)
        assert "was accepted before; a verdict is accepted once" in said


@pytest.mark.row("I02", "checked as what it was not begun for")
def test_begun_for_something_else(folder: Path, compare: Compare) -> None:
    """The command compares with what was begun: another target, release, run or status is refused."""
    for asked, words in (
        (check(folder, target="other"), "was begun for target 'local' and no release, not for target 'other'"),
        (check(folder, "--release=4f9d2c1"), "and no release, not for target 'local' and release '4f9d2c1'"),
        (check(folder, run="20260101T000000Z-" + "0" * 32), "was begun here"),
        (check(folder, rc=10), "the run ended with status 10, its verdict is pass (status 0)"),
        (check(folder, "--url=api=https://elsewhere.test"), "not at https://elsewhere.test"),
    ):
        status, said = asked
        compare(REFUSED, Observed(gate=status), said)
        assert words in said, said
    assert check(folder)[0] == 0


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


CRAFTED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("verdict.json", lambda _content: b"", "empty"),
    "zeros": ("verdict.json", lambda content: bytes(len(content)), "not JSON"),
    "truncated": ("verdict.json", _cut, "not JSON"),
    "last byte missing": ("verdict.json", lambda content: content[:-1], "not written as it was sealed"),
    "twice": ("verdict.json", lambda content: content * 2, "not JSON"),
    "a key twice": ("verdict.json", lambda content: content.replace(b"{", b'{"verdict": "pass",', 1), "stands twice"),
    "NaN": (
        "verdict.json",
        lambda content: content.replace(b'"live_after": ', b'"more": NaN, "live_after": ', 1),
        "NaN",
    ),
    "a list": ("verdict.json", lambda content: b"[" + content + b"]", "not a verdict"),
    "too deep": ("verdict.json", lambda _content: b"[" * 100_000, "not JSON"),
    "UTF-16": ("verdict.json", lambda content: content.decode().encode("utf-16"), "not written as it was sealed"),
    "two megabytes": ("verdict.json", lambda content: content + b" " * 2_000_000, "not written as it was sealed"),
    "no verdict": ("verdict.json", lambda _content: b'{"verdict": "pass", "action": "promote"}', "not a verdict"),
    "evidence truncated": ("evidence.jsonl", _cut, "the evidence is not the one"),
    "evidence empty": ("evidence.jsonl", lambda _content: b"", "the evidence is not the one"),
}


@pytest.mark.row("F41", "crafted files")
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted(tmp_path: Path, compare: Compare, name: str) -> None:
    """A file that is not to the last byte what was sealed proves nothing, and the gate says why."""
    file, craft, words = CRAFTED[name]
    path = seal(tmp_path / "reports").with_name(file)
    content = path.read_bytes()
    path.write_bytes(craft(content))
    assert path.read_bytes() != content
    ruling = judge(verdict(tmp_path), sealed_demand())
    compare(REFUSED, Observed(gate=ruling.status), ruling.sentence)
    assert words in ruling.sentence, ruling.sentence


@pytest.mark.row("F42", "the pass of yesterday")
def test_stale(tmp_path: Path, compare: Compare) -> None:
    """A sealed pass that was true yesterday promotes nothing today, unless somebody allows for its age."""
    yesterday = time.time() - 86_400
    run = dict(PASSED.run) | {"started": yesterday - 10}
    seal(tmp_path / "reports", replace(PASSED, run=run, finished_at=yesterday))
    status, said = ask_gate(tmp_path, "--release=r2", target="staging")
    compare(REFUSED, Observed(gate=status), said)
    assert "the verdict is stale: 864" in said
    assert ask_gate(tmp_path, "--release=r2", "--max-age=25h", target="staging")[0] == 0
