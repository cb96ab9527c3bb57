from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.shard import Dealing, Shard

_IDS = st.frozensets(st.text(min_size=1, max_size=8), max_size=60)


@given(ids=_IDS, of=st.integers(1, 9), times=st.dictionaries(st.text(max_size=8), st.floats(0, 1e3)))
def test_every_check_is_in_one_part(ids: frozenset[str], of: int, times: dict[str, float]) -> None:
    """Whatever is known of durations, no check is run twice and none is left out."""
    parts = [Shard(index, of).members(ids, times) for index in range(1, of + 1)]
    assert sorted(check for part in parts for check in part) == sorted(ids)


@given(ids=_IDS, of=st.integers(1, 9))
def test_parts_are_of_one_size(ids: frozenset[str], of: int) -> None:
    """Without durations the sizes differ by one at most, and the order of collection means nothing."""
    sizes = [len(Shard(index, of).members(sorted(ids, reverse=True))) for index in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1
    assert Shard(1, of).members(sorted(ids)) == Shard(1, of).members(sorted(ids, reverse=True))


def test_durations_balance() -> None:
    """One long check outweighs many short ones."""
    times = {"long": 10.0, **{f"short-{number}": 1.0 for number in range(10)}}
    parts = [Shard(index, 2).members(times, times) for index in (1, 2)]
    assert sorted(map(len, parts)) == [1, 10]


def test_a_check_without_a_duration_counts_as_a_usual_one() -> None:
    """What is new is neither free nor endless."""
    times = {"a": 2.0, "b": 2.0, "c": 2.0}
    parts = [Shard(index, 2).members({*times, "new"}, times) for index in (1, 2)]
    assert [len(part) for part in parts] == [2, 2]


@pytest.mark.parametrize("given", ["", "1", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1 / 3"])
def test_what_is_no_shard(given: str) -> None:
    """Refused, with the form that it should have."""
    with pytest.raises(ValueError, match="write INDEX/COUNT"):
        Shard.parse(given)


def test_read_back() -> None:
    """What a journal says of the narrowing names the shard; two of them, or none, do not."""
    shard = Shard.parse("2/3")
    assert (str(shard), Shard.named_in(["-k x", shard.narrowing])) == ("2/3", shard)
    assert Shard.named_in(["-k x"]) is None
    assert Shard.named_in([shard.narrowing, Shard(1, 3).narrowing]) is None


def test_dealt_out_alike() -> None:
    """Machines that know the same say the same, in whichever order; what is known is part of what they say."""
    one, other = Dealing("run-1", {"a": 1.0, "b": 2.0}), Dealing("run-1", {"b": 2.0, "a": 1.0})
    assert one.narrowing == other.narrowing
    assert one.narrowing.startswith("--shard-by run-1 sha256:")
    different = [Dealing("run-1", {"a": 1.0}), Dealing("run-2", {"a": 1.0, "b": 2.0}), Dealing(None, {})]
    assert len({one.narrowing, *(each.narrowing for each in different)}) == 4
    words = ("--shard 1/2", one.narrowing, "-k x")
    assert (Dealing.named_in(words), Shard.named_in(words)) == ((one.narrowing,), Shard(1, 2))
