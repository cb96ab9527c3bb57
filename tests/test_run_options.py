"""The options of a run, said once."""

from __future__ import annotations

import argparse

from postdeploy.run_options import RUN_OPTIONS, RunOption


def _read(options: tuple[RunOption, ...], words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for option in options:
        parser.add_argument(f"--{option.name}", **option.keywords)
    return parser.parse_args(words)


def _say(options: tuple[RunOption, ...], given: argparse.Namespace) -> list[str]:
    return [word for option in options for word in option.words(getattr(given, option.attribute))]


def test_passes_on_what_was_given() -> None:
    """What was read is said again word by word, whatever it begins with, and nothing that was not given."""
    words = ["--release=-v1", "--report=html", "--report=junit", "--only=a b", "--shard-by=verdict.json"]
    assert _say(RUN_OPTIONS, _read(RUN_OPTIONS, words)) == words
    assert _say(RUN_OPTIONS, _read(RUN_OPTIONS, [])) == []


def test_passes_on_a_switch() -> None:
    """A switch has no value."""
    switch = (RunOption("loud", None, "say more"),)
    assert _say(switch, _read(switch, ["--loud"])) == ["--loud"]
    assert _say(switch, _read(switch, [])) == []
