from __future__ import annotations

import re
from typing import Any

from postdeploy.exporters.prometheus import render
from tests.exporters.conftest import nothing


def values(document: dict[str, Any]) -> dict[str, float]:
    """By name with labels."""
    lines = render(document, nothing).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


SAMPLE = re.compile(r'^[a-z_]+\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\} -?[0-9.e+-]+$')


def test_every_line_is_help_type_or_a_sample(documents: dict[str, dict[str, Any]]) -> None:
    """The text is of the exposition format, whatever the target has said; every family has HELP and TYPE."""
    for document in documents.values():
        lines = render(document, nothing).decode().splitlines()
        samples = [line for line in lines if not line.startswith("#")]
        assert all(SAMPLE.match(line) for line in samples)
        families = {line.split("{", 1)[0] for line in samples}
        assert families == {line.split(" ")[2] for line in lines if line.startswith("# HELP")}


def test_names_of_blackbox_exporter(bad: dict[str, Any]) -> None:
    """Success, duration and phases have the names that alerts written for blackbox_exporter use."""
    text = render(bad, nothing).decode()
    assert 'probe_success{target="staging",check="home",kind="api"} 0' in text
    assert 'probe_success{target="staging",check="fine",kind="api"} 1' in text
    assert 'probe_duration_seconds{target="staging",check="fine",kind="api"} 0.1' in text


def test_one_action_is_one(good: dict[str, Any]) -> None:
    """The action is one-hot, so that an alert can be written for each."""
    text = render(good, nothing).decode()
    values = dict(re.findall(r'postdeploy_action\{target="staging",action="(\w+)"\} (\d)', text))
    assert values == {"promote": "1", "hold": "0", "rollback": "0"}


def test_what_was_not_tried_is_absent(bad: dict[str, Any]) -> None:
    """A skipped check and one that was not run have no success and no failure."""
    text = render(bad, nothing).decode()
    assert 'check="left out"' not in text
    assert 'check="late"' not in text


def test_certificates_and_lookups(good: dict[str, Any]) -> None:
    """What the last attempt saw: when a certificate expires, to the second, and how long a lookup took."""
    good["checks"][0]["attempts"][-1] |= {"expires": 1_900_000_007.0, "phases": {"dns": 0.25}}
    found = values(good)
    labels = '{target="staging",check="home",kind="api"}'
    assert found[f"probe_ssl_earliest_cert_expiry{labels}"] == 1_900_000_007
    assert found[f"probe_dns_lookup_time_seconds{labels}"] == 0.25
    assert len([name for name in found if name.startswith("probe_ssl")]) == 1


def test_which_release_a_scheduled_run_saw(good: dict[str, Any]) -> None:
    """Nothing was expected: it is the only release that answered, and none where there were several."""
    good["release"] |= {"expected": None, "observed": {"web": "r7", "api": "r7"}}
    assert 'release="r7"' in render(good, nothing).decode()
    good["release"]["observed"]["api"] = "r8"
    assert 'release=""' in render(good, nothing).decode()


def test_when_the_last_run_was(good: dict[str, Any]) -> None:
    """The end of the run, to the millisecond; 0 while none has ended, so that an alert on its age fires."""
    name = 'postdeploy_last_run_timestamp_seconds{target="staging"}'
    good["run"]["finished"] = "2026-11-25T19:42:21.401Z"
    assert values(good)[name] == 1795635741.401
    good["run"]["finished"] = None
    assert values(good)[name] == 0
