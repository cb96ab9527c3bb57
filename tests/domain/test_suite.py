from __future__ import annotations

import hashlib

import pytest

from postdeploy.domain.decision import decide
from postdeploy.domain.document import verdict_document
from postdeploy.domain.evidence import EvidenceError, fold
from postdeploy.domain.suite import Suite
from tests.domain.builders import evidence, passed, records

FILES = {"suites/a.yaml": "sha256:aa", "suites/b.yaml": "sha256:bb"}


def test_digest() -> None:
    """The digest depends on paths, contents and plugins, and on no order."""
    suite = Suite(FILES)
    canonical = b'{"files":{"suites/a.yaml":"sha256:aa","suites/b.yaml":"sha256:bb"},"plugins":{"p":"1","q":"2"}}'
    assert suite.digest({"p": "1", "q": "2"}) == f"sha256:{hashlib.sha256(canonical).hexdigest()}"
    assert Suite(dict(reversed(FILES.items()))).digest({"q": "2", "p": "1"}) == suite.digest({"p": "1", "q": "2"})
    others = [Suite({"suites/a.yaml": "sha256:aa"}), Suite(FILES | {"suites/b.yaml": "sha256:bc"}), Suite({})]
    digests = {each.digest({"p": "1", "q": "2"}) for each in (suite, *others)} | {suite.digest({"p": "2"})}
    assert len(digests) == 5


def test_folded() -> None:
    """A suite is told once, in texts; the document has it with its digest."""
    begun, plan, *rest = records(evidence(passed("a")))
    told = {"record": "suite", "files": FILES}
    run = fold([begun, plan, told, *rest])
    assert run.suite == Suite(FILES)
    document = verdict_document(run, decide(run), proof={}, exporters={})
    assert document["suite"] == {"digest": Suite(FILES).digest(None), "files": FILES}
    for wrong in ([told, told], [{"record": "suite", "files": {"a": 1}}], [{"record": "suite"}]):
        with pytest.raises(EvidenceError):
            fold([begun, plan, *wrong, *rest])


def test_untold() -> None:
    """A run that collected nothing has no suite."""
    run = evidence()
    assert verdict_document(run, decide(run), proof={}, exporters={})["suite"] is None
