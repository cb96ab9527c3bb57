"""A verdict as an in-toto Statement v1 with the predicate test-result v0.1: what the launcher signs.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from postdeploy.domain.result import Outcome

__all__ = ["PREDICATE_TYPE", "STATEMENT_TYPE", "render_statement", "statement", "subject_digest"]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"

_VERDICT: Final = "verdict.json"
_SHA256: Final = re.compile("sha256:([0-9a-f]{64})")
_COMMIT: Final = re.compile("[0-9a-f]{40}")
_RESULTS: Final = {"all_required_passed": "PASSED", "passed_with_warnings": "WARNED"}


def statement(document: Mapping[str, Any], sha256: str) -> dict[str, Any]:
    """The statement that follows from a verdict; ``sha256`` is of the bytes of its file.

    The predicate knows no third result: what is inconclusive is ``FAILED``, and ``postdeploy.verdict`` says so. So is a
    pass that promotes nothing, as that of one of several vantages.
    """
    promotes = (document["verdict"], document["action"]) == ("pass", "promote")
    return {
        "_type": STATEMENT_TYPE,
        "subject": list(_subject(document, sha256)),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _RESULTS.get(document["reason"], "FAILED") if promotes else "FAILED",
            "configuration": list(_configuration(document)),
            "passedTests": _checks(document, Outcome.PASSED),
            "failedTests": _checks(document, Outcome.FAILED, Outcome.ERRORED, Outcome.BLOCKED),
            "postdeploy": _binding(document),
        },
    }


def render_statement(stated: Mapping[str, Any]) -> bytes:
    """The statement as the bytes that are signed."""
    return json.dumps(stated, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("ascii")


def subject_digest(stated: Mapping[str, Any], name: str) -> str:
    """The SHA-256 of one subject. Raises KeyError for a name that is none."""
    return {subject["name"]: subject["digest"] for subject in stated["subject"]}[name]["sha256"]  # type: ignore[no-any-return]


def _subject(document: Mapping[str, Any], sha256: str) -> Iterator[dict[str, Any]]:
    release = document["release"]["expected"]
    if release is not None:
        yield {"name": release, "digest": _release_digest(release)}
    yield {"name": _VERDICT, "digest": {"sha256": sha256}}
    if evidence := document.get("evidence"):  # which an unfinished run does not have
        yield {"name": evidence["file"], "digest": {"sha256": evidence["sha256"]}}


def _release_digest(release: str) -> dict[str, str]:
    """The digest that the identity is, or one of its text, under a name that is not mistaken for an artifact's."""
    image = _SHA256.fullmatch(release)
    if image:
        return {"sha256": image[1]}
    if _COMMIT.fullmatch(release):
        return {"gitCommit": release}
    return {"sha256OfIdentity": hashlib.sha256(release.encode()).hexdigest()}


def _configuration(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    config, suite, policy = document["target"].get("config"), document.get("suite"), document.get("policy")
    digests = {
        "targets.yaml": config and config["digest"],
        "suite": suite and suite["digest"],
        "policy": policy and policy["digest"],
    }
    for name, digest in digests.items():
        if digest:
            yield {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}


def _checks(document: Mapping[str, Any], *outcomes: Outcome) -> list[str]:
    return [check["id"] for check in document.get("checks", ()) if check["outcome"] in outcomes]


def _binding(document: Mapping[str, Any]) -> dict[str, Any]:
    run, target = document["run"], document["target"]
    return {
        "verdict": document["verdict"],
        "reason": document["reason"],
        "action": document["action"],
        "run": run["id"],
        "started": run["started"],
        "finished": run["finished"],
        "version": run["tool"]["version"],
        "target": target["name"],
        "services": target.get("services", {}),
        "release": document["release"]["expected"],
    }
