"""The tutorial, done as it says: the same commands, the same output but for times, ports and names of runs."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, read, section
from tests.docs.conftest import demo, launch

_PAGE = "tutorial/first-verification.md"
_HERE = "http://127.0.0.1:5173"
_GOOD = (
    "postdeploy validate",
    "pytest --target=demo --release=4f9d2c1",
    "postdeploy gate --target demo --release 4f9d2c1",
)
_BAD = {"postdeploy verify demo --release a81be03": 20, "postdeploy verify demo --release ffffff0": 10}
_MACHINE = re.compile(r"^(?:platform|rootdir|plugins|server|verdict):? .*\n?", re.MULTILINE)


def _plain(text: str) -> str:
    """An output without what differs between machines and moments."""
    text = re.sub(r"run \S+$", "run RUN", _MACHINE.sub("", text), flags=re.MULTILINE)
    text = re.sub(r"127\.0\.0\.1:\d+", "HERE", text)
    return re.sub(r"=+", "=", re.sub(r"\d+(?:\.\d+)?", "0", text)).strip()


def _shown(command: str) -> str:
    """The output that the page shows for a command."""
    found = re.search(rf"^\$ {re.escape(command)}\n(.*?)^```$", read(_PAGE), re.MULTILINE | re.DOTALL)
    assert found, command
    return found[1]


def _prepare(folder: Path, url: str) -> None:
    """The two files of the page, about a demo on another port; nobody waits ten seconds here."""
    targets, suite = (block.text for block in blocks("yaml") if str(block).startswith(_PAGE))
    (folder / "suites").mkdir()
    (folder / "targets.yaml").write_text(
        targets.replace(_HERE, url).replace("within: 10s", "within: 2s, interval: 50ms")
    )
    (folder / "suites" / "first.yaml").write_text(suite)


Outputs = dict[str, tuple[int, str]]


def _follow(folder: Path, served: tuple[str, ...], *told: str) -> Outputs:
    """What each command comes to, in an empty folder, while the demo serves as the page says."""
    with demo(*served) as url:
        folder.mkdir()
        _prepare(folder, url)
        ended = {command: launch(folder, *command.split()) for command in told}
    return {command: (done.returncode, _plain(done.stdout)) for command, done in ended.items()}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """All commands of the page, those of different releases at the same time."""
    folder = tmp_path_factory.mktemp("tutorial")
    good, broken = ("--release", "4f9d2c1"), ("--release", "a81be03", "--fault", "api-500")
    with ThreadPoolExecutor() as pool:
        stories = (
            pool.submit(_follow, folder / "good", good, *_GOOD),
            *(pool.submit(_follow, folder / str(number), broken, bad) for number, bad in enumerate(_BAD)),
        )
        return {command: output for story in stories for command, output in story.result().items()}


@pytest.mark.parametrize("command", _GOOD)
def test_a_good_release_passes_as_shown(outputs: Outputs, command: str) -> None:
    """Validate, verify and gate say what the page shows, and exit with 0."""
    assert outputs[command] == (0, _plain(_shown(command)))


@pytest.mark.parametrize(("command", "status"), _BAD.items())
def test_a_bad_release_and_a_missing_one_end_as_shown(outputs: Outputs, command: str, status: int) -> None:
    """The broken release is rolled back, the missing one is held, in the words of the page."""
    assert outputs[command] == (status, _plain(_shown(command)))


def test_the_summary_that_is_explained_is_the_one_of_the_tutorial() -> None:
    """``how-to/read-a-failure.md`` explains the last part of the tutorial's failure."""
    explained = section("how-to/read-a-failure.md", "Read a failure").partition("```text\n")[2].partition("```")[0]
    assert explained
    assert _shown("postdeploy verify demo --release a81be03").endswith(explained)
