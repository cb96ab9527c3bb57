"""What starts scheduled runs: units of systemd and lines of cron, as ``deploy/`` and the page have them."""

from __future__ import annotations

import re
import shlex
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, read
from tests.pipeline.kubernetes_objects import DEPLOY, objects

PAGE = "how-to/run-on-a-schedule.md"


def unit(text: str) -> ConfigParser:
    """A unit; none of ours says the same key twice."""
    found = ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # keys of systemd have capitals
    found.read_string(text)
    return found


def shown(name: str) -> ConfigParser:
    """A unit as the page shows it."""
    (text,) = (
        block.text for block in blocks("ini") if block.text.startswith(f"# {name}") and PAGE.endswith(block.page.name)
    )
    return unit(text)


@pytest.mark.parametrize("name", ["postdeploy-monitor@.service", "postdeploy-monitor@.timer"])
def test_the_page_shows_the_units(name: str) -> None:
    """What the page shows is a part of the file."""
    whole = unit((DEPLOY / "systemd" / name).read_text())
    part = shown(name)
    assert part.sections()
    for section in part.sections():
        assert dict(part[section]).items() <= dict(whole[section]).items()


def test_every_schedule_starts_a_monitor() -> None:
    """Units, cron and CronJob start a scheduled run, and the page says how each keeps runs apart."""
    service = unit((DEPLOY / "systemd" / "postdeploy-monitor@.service").read_text())["Service"]
    (line,) = re.findall(r"^\*/5 \* \* \* \* (.+)$", read(PAGE), re.MULTILINE)
    (cronjob,) = objects("kubernetes/cronjob.yaml")
    pod = cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    for words in (shlex.split(service["ExecStart"]), shlex.split(line), ["postdeploy", *pod["args"]]):
        assert "--monitor" in words
        assert "verify" in words
    assert "flock --nonblock" in line
    assert cronjob["spec"]["concurrencyPolicy"] == "Forbid"
    assert service["Type"] == "oneshot"


def test_cron_lets_a_run_go_while_another_is_under_way(tmp_path: Path) -> None:
    """The line begins one run, and none beside it."""
    (line,) = re.findall(r"^\*/5 \* \* \* \* (.+)$", read(PAGE), re.MULTILINE)
    program = tmp_path / ".venv" / "bin" / "postdeploy"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho began >>began\ncat pipe >/dev/null\n")
    program.chmod(0o755)
    subprocess.run(["mkfifo", tmp_path / "pipe"], check=True)
    script = line.replace("/srv/checks", str(tmp_path))
    with (
        subprocess.Popen(["sh", "-c", script]) as first,
        (tmp_path / "pipe").open("w"),
    ):  # opens when the first has begun
        assert subprocess.run(["sh", "-c", script], timeout=20, check=False).returncode != 0
    assert first.returncode == 0
    assert (tmp_path / "began").read_text() == "began\n"
