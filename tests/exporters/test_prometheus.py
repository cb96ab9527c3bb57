from __future__ import annotations

import re
from typing import Any

from postdeploy.exporters.prometheus import render
from tests.exporters.conftest import nothing

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
