"""What fuzzing begins with: good files of each kind, and pieces that parsers stumble over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from postdeploy.domain.redaction import Secret
from postdeploy.domain.target import Service, Target

__all__ = ["RECORDS", "SNIPPETS", "STAGING", "SUITE", "TARGETS_FILE", "VERDICT", "dictionary"]

TARGETS_FILE: Final = """\
targets:
  staging:
    services: {web: https://staging.example.com, api: {url: "https://staging.example.com/api", health: /healthz}}
    release: {from: "web:/build-info.json", json: $.commit, within: 3m, consecutive: 5}
    secrets: {token: "${TOKEN}"}
    access: read-only
    allow: ["POST api:/auth/login"]
    budget: {requests: 500, per_second: 10}
    policy: {deadline: 5m, confirm: {attempts: 2, spacing: 1s}, actions: {critical: rollback}}
  production: {extends: staging, services: {web: https://example.com}}
"""
SUITE: Final = """\
checks:
  - name: a
    get: api:/healthz
    expect: {status: 200, json: {$.status: {in: [ok, degraded]}}, header: {cache-control: {contains: no-store}}}
  - name: b
    steps:
      - post: api:/x
        auth: bearer ${secrets.token}
        json: {a: 1}
        expect: {status: 201}
        save: {id: $.id}
    finally:
      - delete: api:/x/${id}
"""
SNIPPETS: Final = (
    "${TOKEN}", "${file:/etc/passwd}", "&a", "*a", "<<: *a", "!!python/object:os.system", "\t", "\ufeff", "\x00",
    "{{", "[", "]", "}", "- ", ": ", "# ", "\u202e", "NO", "010", "22:22", "~", "'", '"', "|", ">", "%", "@", "`",
    "---\n", "\r", "1e999",
)  # fmt: skip
STAGING: Final = Target(
    "staging",
    {"web": Service("web", "https://a.test"), "api": Service("api", "https://a.test/api")},
    secrets={"token": Secret("token", "tok-5f3a9c77")},
)
VERDICT: Final[Mapping[str, Any]] = {
    "schema": "postdeploy/verdict/1", "state": "sealed", "verdict": "pass", "reason": "all_required_passed",
    "action": "promote", "summary": "s", "warnings": [],
    "run": {"id": "r", "started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:00:01Z", "tool": {"version": "0"}},
    "target": {"name": "t"}, "release": {"expected": None}, "checks": [], "reports": {},
    "evidence": {"file": "evidence.jsonl", "sha256": "0", "records": 1},
}  # fmt: skip
RECORDS: Final = (
    {"record": "started", "run": {"id": "r", "started": 1.0}, "target": {"name": "t"}, "policy": {}, "expected": None},
    {"record": "plan", "checks": [], "narrowed_by": []},
    {"record": "finished", "at": 2.0, "pytest_exit": 0},
)


def dictionary(path: Path) -> Path:
    """The pieces as a dictionary of libFuzzer, each in hexadecimal escapes."""
    keys = ("services", "access", "budget", "policy", "extends", "steps", "finally", "expect", "json")
    words = (*SNIPPETS, *VERDICT, *keys)
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    path.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    return path
