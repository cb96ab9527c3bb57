from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from postdeploy.watching.retention import KeptRun, retained

_VERDICTS = {"p": "pass", "f": "fail", "F": "fail"}


def runs(letters: str) -> list[KeptRun]:
    """``p`` passed, ``f`` failed as the run before, ``F`` failed otherwise than that; named by their numbers."""
    return [
        KeptRun(str(number), "pass" if letter == "p" else "fail", letter == "F")
        for number, letter in enumerate(letters)
    ]


def test_nothing_but_passes() -> None:
    """Of runs that passed the newest two stay."""
    assert retained(runs("pppp"), 20) == {"2", "3"}
    assert retained([], 20) == set()


def test_down_for_days() -> None:
    """How an outage began is kept, and its newest runs."""
    assert retained(runs("F" + "f" * 98), 4) == {"0", "94", "95", "96", "97", "98"}


def test_several_outages() -> None:
    """Beginnings take half of the room, the newest first."""
    assert retained(runs("FfpFfpFfpFfpp"), 4) == {"6", "9", "7", "10", "11", "12"}


def test_none_are_wanted() -> None:
    """Then the newest stay all the same: somebody may be reading them."""
    assert retained(runs("FffFff"), 0) == {"4", "5"}


@given(st.text("pfF", max_size=60), st.integers(min_value=0, max_value=12))
def test_bounded(letters: str, keep: int) -> None:
    """There are never more than were asked for, besides the newest two, and never fewer where there are as many."""
    kept = retained(runs(letters), keep)
    newest = {str(number) for number in range(len(letters))[-2:]}
    failed = {run.id for run in runs(letters) if run.verdict != "pass"}
    assert newest <= kept
    assert len(kept - newest) == min(keep, len(failed - newest))
    assert kept - newest <= failed


@given(st.text("pfF", max_size=40), st.integers(min_value=0, max_value=8))
def test_run_after_run(letters: str, keep: int) -> None:
    """Pruning after each run leaves no more than pruning once would, and the newest failure among it."""
    kept: list[KeptRun] = []
    for run in runs(letters):
        kept.append(run)
        wanted = retained(kept, keep)
        kept = [each for each in kept if each.id in wanted]
    assert len(kept) <= keep + 2
    failed = [run.id for run in runs(letters) if run.verdict != "pass"]
    assert not failed or not keep or failed[-1] in {each.id for each in kept}
