from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from postdeploy.config import load_target
from postdeploy.config.alerts import Monitoring, load_monitoring
from postdeploy.domain.alerting import AlertPolicy
from postdeploy.domain.mute import DeployMute, Once, Weekly
from postdeploy.errors import ConfigurationError

HEAD = 'targets:\n  staging:\n    services: {web: "https://web.test"}\n'


def write(folder: Path, more: str) -> Path:
    """A targets file with this in its target."""
    path = folder / "targets.yaml"
    path.write_text(HEAD + textwrap.indent(textwrap.dedent(more).strip() + "\n", "    "))
    return path


def moment(*parts: int) -> float:
    """In UTC, seconds since the epoch."""
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]  # year, month, day, hour


def test_everything(tmp_path: Path) -> None:
    """Every key of alerts is read, and the heartbeat from wherever it is kept."""
    path = write(
        tmp_path,
        """
        heartbeat: "https://hc.test/${env:UUID}"
        alerts:
          after: 3 of 5
          recovery: 4
          remind: 30m
          blind: 9
          deploys: {after: 2m}
          maintenance:
            - {from: 2026-12-01T02:00Z, until: "2026-12-01 04:00+01:00", reason: new disks}
            - {weekly: sun 02:00-04:00, zone: Europe/Berlin}
            - {weekly: fri-mon 23:00-01:30}
            - {weekly: daily 00:00-24:00}
        """,
    )
    policy, heartbeat, wrong = load_monitoring(path, "staging", {"UUID": "1234"})
    assert wrong == ()
    assert heartbeat is not None
    assert heartbeat.reveal() == "https://hc.test/1234"
    windows = (
        Once(moment(2026, 12, 1, 2), moment(2026, 12, 1, 3), "new disks"),
        Weekly((6,), 120, 120, ZoneInfo("Europe/Berlin")),
        Weekly((0, 4, 5, 6), 23 * 60, 150),
        Weekly(tuple(range(7)), 0, 1440),
    )
    assert policy == AlertPolicy(3, 5, 4, 1800, 9, windows, DeployMute(120, 3600))


def test_nothing(tmp_path: Path) -> None:
    """A target that says nothing has the defaults; never is a word."""
    assert load_monitoring(write(tmp_path, ""), "staging", {}) == Monitoring()
    policy = load_monitoring(write(tmp_path, "alerts: {remind: never, deploys: never}"), "staging", {}).policy
    assert (policy.remind, policy.deploys) == (None, None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("after: 3 of 2", "how many of how many runs"),
        ("after: 3", "how many of how many runs"),
        ("after: 0 of 2", "such as 2 of 3"),
        ("recovery: 0", "whole number from 1 to 50"),
        ("remind: sometimes", "takes a duration"),
        ("maintenance: [{from: 2026-12-01T02:00Z}]", "takes either 'from' and 'until'"),
        ("maintenance: [{from: 2026-12-01T02:00, until: 2026-12-01T04:00Z}]", "a moment with its zone"),
        ("maintenance: [{from: 2026-13-01T02:00Z, until: 2026-12-01T04:00Z}]", "a moment with its zone"),
        ("maintenance: [{from: 2026-12-01T05:00Z, until: 2026-12-01T04:00Z}]", "ends before it begins"),
        ("maintenance: [{weekly: sun 2-4}]", "days and two times"),
        ("maintenance: [{weekly: 'sun 02:00-02:00'}]", "days and two times"),
        ("maintenance: [{weekly: 'sun 02:00-24:30'}]", "days and two times"),
        ("maintenance: [{weekly: 'sun 02:00-03:00', zone: Mars/Base}]", "name of a time zone"),
        ("maintenance: [{weekly: 'sun 02:00-03:00', from: 2026-12-01T02:00Z}]", "takes either"),
        ("afterr: 2 of 3", "unknown key 'afterr'"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    """It is said with its place, by a monitor and by validate, and the rest counts."""
    path = write(tmp_path, f"alerts:\n  blind: 7\n  {text}")
    found = load_monitoring(path, "staging", {})
    assert said in " ".join(map(str, found.problems))
    assert ":6:" in str(found.problems[0])
    assert found.policy.blind == 7
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        load_target(path, "staging", {})


def test_a_secret_that_is_missing(tmp_path: Path) -> None:
    """A monitor says that it has none; a run neither needs it nor has another digest for it."""
    path = write(tmp_path, 'heartbeat: "${env:HEARTBEAT}"\nalerts: {after: 1 of 1}')
    found = load_monitoring(path, "staging", {})
    assert (found.heartbeat, found.policy.of) == (None, 1)
    assert "variable 'HEARTBEAT' is not set" in str(found.problems[0])
    digest = load_target(path, "staging", {}).config_digest
    assert digest == load_target(write(tmp_path, ""), "staging", {}).config_digest


def test_a_heartbeat_in_the_clear(tmp_path: Path) -> None:
    """A URL that others can read is refused, and not shown."""
    found = load_monitoring(write(tmp_path, "heartbeat: http://hc.test/secret-uuid"), "staging", {})
    assert "over http" in str(found.problems[0])
    assert "secret-uuid" not in str(found.problems[0])
