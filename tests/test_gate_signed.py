from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from postdeploy.documents import render_document
from postdeploy.domain.attestation import render_statement, statement
from postdeploy.domain.evidence import Evidence
from postdeploy.dsse import seal_envelope
from postdeploy.gate import Ruling, believe, judge, refuse
from tests.domain.builders import incidents, plan
from tests.sealed import FAILED, KEY, OTHER_KEY, PASSED, demand, seal, sign

KEYS = (OTHER_KEY.public(), KEY.public())
ALL_PASSED = "pass, promote: all_required_passed: 2 of 2 checks passed"

Statement = dict[str, Any]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The signed verdict of a run that passed."""
    return seal(tmp_path, key=KEY)


def refused(path: Path, words: str) -> None:
    """The gate refuses, in these words."""
    ruling = judge(path, demand(keys=KEYS))
    assert (ruling.status, ruling.sentence[:9]) == (30, "refused: "), ruling
    assert words in ruling.sentence, ruling.sentence


def restate(path: Path, change: Callable[[Statement], object]) -> None:
    """Sign another statement about the verdict, with the right key."""
    said = statement(*believe(path, demand()))
    change(said)
    path.with_name("verdict.dsse.json").write_bytes(seal_envelope(render_statement(said), KEY))


@pytest.mark.parametrize(("run", "status"), [(PASSED, 0), (FAILED, 20)], ids=["passed", "failed"])
def test_believed(tmp_path: Path, run: Evidence, status: int) -> None:
    """A signed verdict is believed by whoever has the key, and by whoever demands none."""
    path = seal(tmp_path, run, KEY)
    assert judge(path, demand(keys=KEYS)).status == judge(path, demand()).status == status
    assert judge(path, demand(keys=(OTHER_KEY.public(),))).status == 30


def test_sentences(path: Path) -> None:
    """What the gate says is the verdict in one sentence, or the reason of its refusal."""
    assert judge(path, demand(keys=KEYS)) == Ruling(0, ALL_PASSED)
    assert refuse("because") == Ruling(30, "refused: because")


def test_what_holds(tmp_path: Path) -> None:
    """A verdict that could not tell holds, whatever pytest's own status for it is; so does a failure that is held."""
    interrupted = replace(PASSED, incidents=incidents("interrupted"), pytest_exit=2)
    words = "inconclusive, hold: interrupted: interrupted happened"
    assert judge(seal(tmp_path, interrupted), demand(status=2)) == Ruling(10, words)
    assert judge(seal(tmp_path, interrupted), demand(status=10)).status == 30
    major = replace(FAILED, plan=(plan("home"), plan("api", "major")))
    assert judge(seal(tmp_path, major), demand(status=10)).status == 10


def test_of_a_run_that_never_finished(tmp_path: Path) -> None:
    """A verdict without an end is refused in these words."""
    path = seal(tmp_path)
    journal = path.with_name("evidence.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    said = json.loads(path.read_bytes())
    said["evidence"]["sha256"] = hashlib.sha256(journal.read_bytes()).hexdigest()
    path.write_bytes(render_document(said))
    assert judge(path, demand()) == refuse("the evidence is of a run that never finished")


def test_not_signed(path: Path) -> None:
    """Where a key is demanded, a verdict alone is not enough."""
    envelope = path.with_name("verdict.dsse.json")
    envelope.rename(path.with_name("elsewhere"))
    refused(path, f"the verdict is not signed: {envelope}: no such file or directory")
    envelope.symlink_to(path.with_name("elsewhere"))
    refused(path, f"the verdict is not signed: {envelope}: a symbolic link, not a regular file")


def test_of_another_verdict(path: Path, tmp_path: Path) -> None:
    """An envelope that was made for another verdict proves nothing about this one."""
    other = seal(tmp_path / "other", FAILED, KEY)
    path.with_name("verdict.dsse.json").write_bytes(other.with_name("verdict.dsse.json").read_bytes())
    refused(path, f"{path}: not the verdict that was signed")


def test_what_is_not_signed_is_not_parsed(path: Path) -> None:
    """A verdict that is not the one that was signed is refused before anybody reads what it says."""
    path.write_bytes(b"[" * 99999)
    refused(path, "not the verdict that was signed")
    path.with_name("verdict.dsse.json").write_bytes(seal_envelope(b"[" * 99999, OTHER_KEY))
    refused(path, "not a verdict: ")
    path.with_name("verdict.dsse.json").write_bytes(b"[" * 99999)
    refused(path, f"{path.with_name('verdict.dsse.json')}: not an envelope: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda said: said["predicate"].update(result="FAILED"),
            "the signed statement does not follow",
        ),
        (lambda said: said.update(predicateType="x"), "the signed statement does not follow"),
        (lambda said: said.update(more="x"), "the signed statement does not follow"),
        (lambda said: said["predicate"]["postdeploy"].update(target="x"), "the signed statement does not follow"),
        (lambda said: said["subject"].pop(0), "the signed statement does not follow"),
        (lambda said: said["subject"].pop(1), "not a verdict: KeyError('verdict.json')"),
        (lambda said: said["subject"][1]["digest"].update(sha256="0"), "not the verdict that was signed"),
        (lambda said: said.update(subject=None), "not a verdict: TypeError"),
    ],
    ids=["result", "predicate", "more", "target", "release", "no verdict", "digest", "nothing"],
)
def test_another_statement(path: Path, change: Callable[[Statement], object], words: str) -> None:
    """Even what the right key has signed has to say what follows from the verdict, to the last field."""
    restate(path, dict)
    assert judge(path, demand(keys=KEYS)).status == 0
    restate(path, change)
    refused(path, words)


def test_the_sentence_about_another_statement(path: Path) -> None:
    """It says what is wrong, and no more."""
    restate(path, lambda said: said.update(more="x"))
    assert judge(path, demand(keys=KEYS)) == refuse("the signed statement does not follow from the verdict")


def test_single_bits(path: Path) -> None:
    """Each of a thousand flips of a single bit, in verdict, evidence or envelope, is refused."""
    chance = random.Random(7)
    for name, flips in (("verdict.json", 300), ("evidence.jsonl", 300), ("verdict.dsse.json", 400)):
        file = path.with_name(name)
        sealed = file.read_bytes()
        for bit in chance.sample(range(len(sealed) * 8), flips):
            flipped = bytearray(sealed)
            flipped[bit // 8] ^= 1 << bit % 8
            file.write_bytes(flipped)
            assert judge(path, demand(keys=KEYS)).status == 30, (name, bit)
        file.write_bytes(sealed)
    assert judge(path, demand(keys=KEYS)).status == 0


def test_one_key_more(path: Path) -> None:
    """A verdict with a key more, or one less, is not the sealed one, and the sentence names the key."""
    said = json.loads(path.read_bytes())
    path.write_bytes(render_document(said | {"more": 1}))
    assert judge(path, demand()) == refuse("the verdict does not follow from its evidence: more")
    path.write_bytes(render_document({key: value for key, value in said.items() if key != "services"}))
    assert judge(path, demand()) == refuse("the verdict does not follow from its evidence: services")


def test_a_second_signature(path: Path) -> None:
    """An envelope that was signed over and over is refused: exactly one signature counts."""
    sign(path, OTHER_KEY)
    assert judge(path, demand(keys=KEYS)).status == 0
    envelope = path.with_name("verdict.dsse.json")
    said = json.loads(envelope.read_bytes())
    envelope.write_bytes(render_document(said | {"signatures": said["signatures"] * 2}))
    refused(path, "the envelope has 2 signatures, not one")
