from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy.cli.termination import write_message
from tests.cli.project import PASSING, Project, serve

FAILING = PASSING.replace("web:/", "web:/missing")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """What is verified."""
    with serve() as url:
        yield url


@pytest.mark.parametrize(
    ("suite", "status", "begins"),
    [
        (PASSING, 0, "PASS: promote: site at r1: all_required_passed: 1 of 1 checks passed\nrun: "),
        (FAILING, 20, "FAIL: rollback: site at r1: confirmed_failure: "),
    ],
)
def test_what_a_run_came_to(tmp_path: Path, site: str, suite: str, status: int, begins: str) -> None:
    """The message has the decision, the reason, the run and its causes, within what Kubernetes keeps."""
    project, message = Project(tmp_path, site, suite), tmp_path / "log"
    message.write_text("older")
    node = message.stat().st_ino
    ended, _ = project.run("verify", "site", "--release=r1", f"--termination-message={message}")
    text = message.read_text()
    assert (ended, text[: len(begins)]) == (status, begins)
    assert ("\ncause: " in text) == (status == 20)
    assert project.document()["run"]["id"] in text
    assert message.stat().st_ino == node, "a mounted file is written in place"


def test_a_run_that_is_killed_has_left_its_message(tmp_path: Path, site: str) -> None:
    """Whoever kills the launcher finds what was written before the run."""
    sleeper = "import time\n\n\ndef test_long(web):\n    web.get('/')\n    time.sleep(60)\n"
    project = Project(tmp_path, site, **{"suites/test_long": sleeper})
    message = tmp_path / "log"
    process = project.start("verify", "site", "--release=r1", f"--termination-message={message}")
    while not project.verdict.exists():
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert message.read_text().startswith("INCONCLUSIVE: hold: the run ")


def test_a_configuration_error(tmp_path: Path, site: str) -> None:
    """A run that never began has a message, too, and the status that it has without."""
    project, message = Project(tmp_path, site), tmp_path / "log"
    status, _ = project.run("verify", "sight", f"--termination-message={message}")
    assert status == 4
    assert message.read_text().startswith("INCONCLUSIVE: hold: sight: ")


def test_a_message_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder, a link, a place that is not there: told, and nothing else happens."""
    (tmp_path / "link").symlink_to("elsewhere")
    for name in (".", "link", "nowhere/log"):
        write_message(str(tmp_path / name), "text")
    assert capsys.readouterr().err.count("the termination message was not written: ") == 3
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("text", ["x" * 5000, "\N{HANGUL SYLLABLE GA}" * 3000, "\udcff" * 3000])
def test_a_message_fits(tmp_path: Path, text: str) -> None:
    """At most 4,096 bytes are written, and no character is cut in two."""
    write_message(str(tmp_path / "log"), text)
    content = (tmp_path / "log").read_bytes()
    assert 4000 < len(content) <= 4096
    assert content.decode()
