from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult as Predicate
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

from postdeploy.documents import render_document
from postdeploy.exporters.intoto import render
from tests.exporters.conftest import nothing


@pytest.mark.parametrize("run", ["good", "bad", "hostile", "unfinished"])
def test_the_library_of_in_toto_takes_it(request: pytest.FixtureRequest, run: str) -> None:
    """Statement and predicate are valid, whatever the run was like; only the binding is ours alone."""
    stated = json.loads(render(request.getfixturevalue(run), nothing))
    Statement.copy_from_pb(ParseDict(stated, Message())).validate()
    predicate = {key: value for key, value in stated["predicate"].items() if key != "postdeploy"}
    result = ParseDict(predicate, Predicate())
    assert result.result == ("PASSED" if run == "good" else "FAILED")


def test_it_is_about_the_file_of_the_verdict(good: dict[str, Any]) -> None:
    """The digest is of verdict.json as it stands on disk; an unfinished run has no journal to speak of."""
    subjects = {one["name"]: one["digest"] for one in json.loads(render(good, nothing))["subject"]}
    assert subjects["verdict.json"] == {"sha256": hashlib.sha256(render_document(good)).hexdigest()}
    assert subjects.keys() == {"r2", "verdict.json", "evidence.jsonl"}
