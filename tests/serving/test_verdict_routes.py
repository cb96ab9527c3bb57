from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError

from postdeploy.demand import Demand
from postdeploy.domain.evidence import Evidence
from postdeploy.exporters.prometheus import render
from postdeploy.gate import judge as ask_gate
from postdeploy.journal import EVIDENCE_FILE
from postdeploy.serving.route import BadRequestError, Request, Response
from postdeploy.serving.routes import all_routes
from postdeploy.serving.verdict_routes import SCHEMA
from postdeploy.standing import Judge
from tests.domain.builders import evidence, failed, passed, plan, policy
from tests.published_schema import assert_published
from tests.sealed import FAILED, FINISHED, KEY, OTHER_KEY, PASSED, demand, seal

PATHS = ("/verdict", "/argo", "/flagger/promote", "/flagger/rollback", "/metrics")
ABOUT = {"run": dict(PASSED.run), "target": dict(PASSED.target)}
HELD = evidence(passed("home"), failed("api"), plan=(plan("home"), plan("api", "major")), **ABOUT)
"""A confirmed failure that its policy holds: the verdict is fail, and the action is not to roll back."""


def ask(path: Path, route: str, wanted: Demand | None = None, *, query: str = "", body: bytes = b"") -> Response:
    """What is answered about a verdict file, a second after the run."""
    wanted = wanted or demand()
    routes = all_routes(Judge(path, wanted, lambda: wanted.now), path.parent, wanted.target, None)
    return routes[route].handler(Request("POST" if body else "GET", route, query, body))


def content(response: Response) -> dict[str, Any]:
    """The document of an answer."""
    said: dict[str, Any] = json.loads(response.body)
    return said


def codes(path: Path, wanted: Demand | None = None) -> tuple[int, ...]:
    """The status codes of all paths."""
    return tuple(ask(path, route, wanted).status for route in PATHS)


@pytest.mark.parametrize(
    ("run", "expected", "action"),
    [
        (PASSED, (200, 200, 200, 409, 200), "promote"),
        (FAILED, (409, 200, 409, 200, 200), "rollback"),
        (HELD, (412, 200, 409, 409, 200), "hold"),
        (replace(PASSED, narrowed_by=("-k",)), (412, 200, 409, 409, 200), "hold"),
    ],
)
def test_each_action_has_its_answers(tmp_path: Path, run: Evidence, expected: tuple[int, ...], action: str) -> None:
    """Promote, roll back and hold are three answers on every path, also where a failure is to be held."""
    path = seal(tmp_path, run)
    assert codes(path) == expected
    assert content(ask(path, "/argo"))["action"] == action
    assert f'postdeploy_action{{target="staging",action="{action}"}} 1\n' in ask(path, "/metrics").body.decode()


def test_an_answer_says_what_it_is_about(tmp_path: Path) -> None:
    """The document names the verdict, its proof and its causes; it is the same on both paths that have it."""
    path = seal(tmp_path, FAILED)
    said = content(ask(path, "/verdict"))
    assert said == content(ask(path, "/argo"))
    assert {name: said[name] for name in ("schema", "verdict", "action", "reason", "status")} == {
        "schema": SCHEMA, "verdict": "fail", "action": "rollback", "reason": "confirmed_failure", "status": 20,
    }  # fmt: skip
    assert (said["target"], said["release"], said["proof"]["run"]) == ("staging", "r2", "run-1")
    assert len(said["proof"]["sha256"]) == 64
    assert (said["counts"]["failed"], len(said["causes"])) == (1, 1)


@pytest.mark.parametrize("run", [PASSED, FAILED, HELD, None], ids=["promote", "rollback", "hold", "no proof"])
def test_an_answer_follows_its_published_schema(tmp_path: Path, run: Evidence | None) -> None:
    """With a proof and without one, and with a cause that is very long; another word for an action is refused."""
    if run is not None:
        seal(tmp_path, run)
    said = content(ask(tmp_path / "verdict.json", "/verdict"))
    assert_published("answer", said)
    assert (said["proof"] is None) == (run is None)
    wrongs: list[dict[str, Any]] = [{"action": "go"}, {"status": 1}, {"proof": {}}]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            assert_published("answer", said | wrong)


def test_metrics_are_those_of_the_file(tmp_path: Path) -> None:
    """What is scraped is what ``--report prometheus`` writes, and whether it is proven."""
    path = seal(tmp_path)
    document = json.loads(path.read_bytes())
    body = ask(path, "/metrics").body
    assert body.startswith(render(document, lambda _: None))
    assert body.endswith(b'postdeploy_proven{target="staging"} 1\n')


def rewrite(**changes: Any) -> Callable[[Path], None]:
    """Alter keys of a sealed verdict."""

    def alter(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))

    return alter


def becomes_a_link(path: Path) -> None:
    """The verdict is a link to what was it."""
    path.rename(path.with_name("elsewhere.json"))
    path.symlink_to("elsewhere.json")


def becomes_a_pipe(path: Path) -> None:
    """Nobody ever writes to it."""
    path.unlink()
    os.mkfifo(path)


def becomes_a_folder(path: Path) -> None:
    """It cannot be read."""
    path.unlink()
    path.mkdir()


def lose_the_end(path: Path) -> None:
    """The evidence has lost its last bytes."""
    journal = path.with_name(EVIDENCE_FILE)
    journal.write_bytes(journal.read_bytes()[:-9])


NO_PROOF: dict[str, Callable[[Path], Any]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "not JSON": lambda path: path.write_bytes(b"pass"),
    "another document": lambda path: path.write_bytes(b'{"verdict": "pass", "action": "promote"}'),
    "deeply nested": lambda path: path.write_bytes(b"[" * 100_000),
    "unsealed": rewrite(state="started"),
    "tampered summary": rewrite(summary="all is well"),
    "tampered release": rewrite(release={"expected": "r2"}),
    "of an unknown schema": rewrite(schema="postdeploy/verdict/9"),
    "without evidence": lambda path: path.with_name(EVIDENCE_FILE).unlink(),
    "torn evidence": lose_the_end,
    "a link": becomes_a_link,
    "a pipe": becomes_a_pipe,
    "a folder": becomes_a_folder,
}


def assert_nothing_is_proven(path: Path, wanted: Demand | None = None) -> None:
    """No path says yes to anything."""
    assert codes(path, wanted) == (412, 200, 409, 409, 200)
    said = content(ask(path, "/argo", wanted))
    assert (said["verdict"], said["action"], said["reason"]) == ("inconclusive", "hold", "no_proof")
    assert (said["status"], said["proof"]) == (30, None)
    metrics = ask(path, "/metrics", wanted).body.decode()
    assert 'postdeploy_proven{target="staging"} 0\n' in metrics
    assert 'action="hold"} 1\n' in metrics
    assert not any(text in metrics for text in ('action="promote"} 1', 'action="rollback"} 1', "probe_success"))


@pytest.mark.parametrize("run", [PASSED, FAILED], ids=["pass", "fail"])
@pytest.mark.parametrize("spoil", NO_PROOF)
def test_what_proves_nothing_is_held(tmp_path: Path, run: Evidence, spoil: str) -> None:
    """A verdict that is missing, unsealed, unreadable or tampered with is neither promoted nor rolled back."""
    path = seal(tmp_path, run)
    NO_PROOF[spoil](path)
    assert_nothing_is_proven(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "production"}, {"release": "r1"}, {"release": None}, {"run_id": "run-2"},
        {"now": FINISHED + 901}, {"now": FINISHED - 3600}, {"keys": (OTHER_KEY.public(),)},
        {"urls": {"web": "https://elsewhere.test"}}, {"config": "sha256:0"}, {"suite": "sha256:0"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_about_something_else_is_held(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A verdict of another target, release, run, time, signer, place, configuration or suite proves nothing."""
    path = seal(tmp_path, PASSED, KEY)
    wanted = demand(**changes)
    said = content(ask(path, "/argo", wanted))
    assert (said["verdict"], said["action"], said["status"]) == ("inconclusive", "hold", 30)
    assert codes(path, wanted) == (412, 200, 409, 409, 200)


def test_what_is_signed_is_answered(tmp_path: Path) -> None:
    """Where a key is demanded, its signature is enough, and a verdict without one is held."""
    wanted = demand(keys=(KEY.public(),))
    assert ask(seal(tmp_path, PASSED, KEY), "/verdict", wanted).status == 200
    assert_nothing_is_proven(seal(tmp_path / "unsigned"), wanted)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_edit_makes_a_promotion(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever bytes of the verdict or its evidence are changed, the answer is what the gate says, and no promotion."""
    path = seal(tmp_path, data.draw(st.sampled_from([PASSED, FAILED])))
    edited = data.draw(st.sampled_from([path, path.with_name(EVIDENCE_FILE)]))
    before = edited.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    length = data.draw(st.integers(0, 40))
    edited.write_bytes(before[:at] + data.draw(st.binary(max_size=40)) + before[at + length :])
    said = content(ask(path, "/argo"))
    assert said["status"] == ask_gate(path, demand()).status
    if edited.read_bytes() != before:
        assert_nothing_is_proven(path)


def test_who_asks_may_say_about_what(tmp_path: Path) -> None:
    """Release and run may come with the question; what the server was told, they have to be."""
    path, untold = seal(tmp_path), demand(release=None, run_id=None)
    assert ask(path, "/verdict", untold).status == 412
    assert ask(path, "/verdict", untold, query="release=r2&run_id=run-1").status == 200
    assert ask(path, "/verdict", untold, query="release=r2&run_id=run-2").status == 412
    assert ask(path, "/verdict", untold, query="release=r1").status == 412
    assert ask(path, "/verdict", query="release=r2").status == 200
    refused = content(ask(path, "/verdict", query="release=r1"))
    assert refused["summary"] == "refused: this server answers about release 'r2', not 'r1'"


@pytest.mark.parametrize("query", ["relase=r2", "release=", "release=r2&release=r1", "release", "=r2"])
@pytest.mark.parametrize("route", PATHS)
def test_a_question_that_is_misspelt_is_no_question(tmp_path: Path, route: str, query: str) -> None:
    """A parameter that is unknown, empty or given twice is refused, never ignored."""
    with pytest.raises(BadRequestError):
        ask(seal(tmp_path), route, query=query)


def test_flagger_says_about_what_in_its_metadata(tmp_path: Path) -> None:
    """The webhook's metadata names the release; what else is in it is for others."""
    path, untold = seal(tmp_path), demand(release=None, run_id=None)

    def post(**metadata: str) -> Response:
        body = {"name": "web", "namespace": "test", "phase": "Progressing", "checksum": "1", "metadata": metadata}
        return ask(path, "/flagger/promote", untold, body=json.dumps(body).encode())

    assert post(release="r2", type="bash").status == 200
    assert post(release="r1").status == 409
    assert post().status == 409
    assert post(release="r2").body == b"promote: all_required_passed: 2 of 2 checks passed\n"
    with pytest.raises(BadRequestError):
        post(release="")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"metadata": 3}', b"\xff", b"[" * 60_000])
def test_a_webhook_without_sense(tmp_path: Path, body: bytes) -> None:
    """A body that is none of Flagger's is refused."""
    with pytest.raises(BadRequestError):
        ask(seal(tmp_path), "/flagger/promote", body=body)


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """What a target answered cannot steer whoever reads the answer, nor make it long."""
    hostile = "\x1b[2J\u202e\n::error::x " + "y" * 10_000
    run = replace(PASSED, incidents=(type(evidence_incident())("internal_error", hostile),))
    text = ask(seal(tmp_path, run), "/flagger/promote").body.decode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\n") == 1
    assert len(text) < 700


def evidence_incident() -> Any:
    """Any incident."""
    from tests.domain.builders import incidents

    return incidents("internal_error")[0]


def test_whatever_breaks_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that breaks is a reason to hold, not an answer that is missing."""

    def breaks(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("postdeploy.standing.believe", breaks)
    assert_nothing_is_proven(seal(tmp_path))


def test_policies_that_hold_are_not_rolled_back(tmp_path: Path) -> None:
    """Where critical failures are to be held, the rollback hook stays silent."""
    run = evidence(passed("home"), failed("api"), policy=policy(critical="hold"), **ABOUT)
    assert ask(seal(tmp_path, run), "/flagger/rollback").status == 409
