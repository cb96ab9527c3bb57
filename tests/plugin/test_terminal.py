"""What a person sees on a terminal, and what a hostile answer cannot make them see."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

GOOD = "- {name: good, get: 'api:/ok', expect: {status: 200}}"


def _on_a_terminal(project: Project, *arguments: str) -> str:
    """What pytest writes to a terminal."""
    own, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", *project.command(*arguments)]
    process = subprocess.Popen(
        command, cwd=project.path, env=project.environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    chunks: list[bytes] = []
    while chunk := _read(own):
        chunks.append(chunk)
    process.wait(30)
    os.close(own)
    return b"".join(chunks).decode("utf-8", "replace")


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_wait_is_shown_and_taken_back(project: Project) -> None:
    """A terminal has a live line while nothing else happens, and the letters go on where they were."""
    project.suite(f"{GOOD}\n- {{name: slow, get: 'api:/slow/2', expect: {{status: 200}}}}")
    shown = _on_a_terminal(project)
    assert "waiting for 1 check" in shown
    last = shown.split("waiting for 1 check")[-1].split("\n")[0]
    assert "suites/checks.yaml" in last
    assert "PASS → promote" in shown


def test_the_decision_comes_first(project: Project) -> None:
    """Then causes, then each failure with what to do next."""
    project.suite(
        f"{GOOD}\n- {{name: bad, owner: team, runbook: 'https://wiki/x', get: 'api:/bad', expect: {{status: 200}}}}"
    )
    run = project.run()
    lines = run.out[run.out.index("FAIL → roll back") :].splitlines()
    assert lines[1].startswith("confirmed_failure: 1 check failed")
    text = "\n".join(lines)
    for part in ("FAILED bad  suites/checks.yaml:3  (critical, owner team)", "expected 200", "got      503",
                 "attempts: failed in", "reproduce: curl", "runbook: https://wiki/x", "verdict: "):  # fmt: skip
        assert part in text, part
    assert "FAILURES" not in run.out


def test_a_pass_is_said_in_four_lines(project: Project) -> None:
    """Quiet when all is well."""
    project.suite(GOOD)
    run = project.run("-q")
    assert len(run.out[run.out.index("= PASS → promote") :].splitlines()) == 4


def test_many_failures_are_counted_and_not_listed(project: Project) -> None:
    """Ten are shown, the rest is in the verdict."""
    project.suite("\n".join(f"- {{name: bad {n}, get: 'api:/bad/{n}', expect: {{status: 200}}}}" for n in range(15)))
    run = project.run()
    assert "… and 5 more, all in the verdict" in run.out
    assert len(run.verdict["checks"]) == 15


def test_colours_of_assertions_stay_out_of_the_verdict(project: Project) -> None:
    """Pytest colours its messages on a terminal."""
    project.tests("def test_bad(api):\n    assert api.get('/ok').json() == {'ok': False, 'more': 1}\n")
    _on_a_terminal(project, "--color=yes")
    assert "\\u001b" not in (project.reports / "verdict.json").read_text()


def test_an_answer_cannot_write_to_the_terminal(project: Project) -> None:
    """Control characters of a target are shown, not obeyed."""
    project.suite("- {name: bad, get: 'api:/escape', expect: {json: {$.ok: 1}}}")
    project.tests("""
        def test_bad(api):
            assert api.get("/escape").json()["ok"] == 1
    """)
    run = project.run()
    assert run.status == 20
    ours = run.out[run.out.index("FAIL → roll back") :]
    assert "\x1b" not in ours
    assert "\x07" not in ours
