from __future__ import annotations

import base64
import gzip
import os
from pathlib import Path

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.guard.artifacts import files_below, scrub_files
from postdeploy.guard.leaks import Leak, Traces, find_leaks
from postdeploy.guard.sieve import SecretLeftError, Sieve

TOKEN = "tok-5f3a9c77b1"
TRACES = Traces([("token", TOKEN)])
ODD = TOKEN.replace("-", "%25252D").encode()
"""An escaping that the masking does not know."""


def wrapped(data: bytes, width: int) -> bytes:
    """Base64 in lines, as in mails and keys."""
    letters = base64.b64encode(data)
    return b"\r\n".join(letters[at : at + width] for at in range(0, len(letters), width))


@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("far", [0, (1 << 16) - 12], ids=["at the beginning", "across a piece"])
def test_an_encoded_secret_is_found_wherever_it_begins(before: int, far: int) -> None:
    """In hex of either case or both, and in base64 of either alphabet, also wrapped; what only looks like it is not."""
    value, lead = b"x" * before + TOKEN.encode() + b"yz" * 9, b"-" * far
    mixed = bytes(letter - 32 if at % 2 and letter > 96 else letter for at, letter in enumerate(value.hex().encode()))
    sixty_four = (base64.b64encode(value), base64.urlsafe_b64encode(value), wrapped(value, 16))
    for spelt in (value.hex().encode(), mixed, *sixty_four):
        assert TRACES.within(lead + spelt) == {"token"}, spelt
    assert TRACES.within(lead + base64.b64encode(value.replace(b"9", b"8"))) == set()


@pytest.mark.parametrize("number", [0, 40, 79])
def test_one_of_many_small_files_is_told_by_its_name(tmp_path: Path, number: int) -> None:
    """They are looked through together, and what is found is found in one of them, also if it is in a name."""
    for at in range(80):
        (tmp_path / f"{at}.json").write_bytes(b"x" * 60_000)
    assert list(find_leaks([tmp_path], TRACES)) == []
    (tmp_path / f"{number}.json").write_bytes(b"before " + ODD)
    (tmp_path / f"{number}-{TOKEN}").write_bytes(b"")
    found = {(leak.path.name, leak.secret) for leak in find_leaks([tmp_path], TRACES)}
    assert found == {(f"{number}.json", "token"), (f"{number}-{TOKEN}", "token")}


def test_only_what_held_a_secret_is_written_again(tmp_path: Path) -> None:
    """Among many, packed ones and large ones too."""
    packed = gzip.compress(TOKEN.encode())
    contents = {"a": b"clean", "b": b"x " + TOKEN.encode(), "c": packed, "d": b"y" * 70_000 + TOKEN.encode(), "e": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    redactor = Redactor([Secret("token", TOKEN)])
    assert sorted(path.name for path in scrub_files(files_below([tmp_path]), redactor)) == ["b", "c", "d"]
    assert list(find_leaks([tmp_path], TRACES)) == []
    assert (tmp_path / "a").read_bytes() == b"clean"


def test_a_sieve_looks_through_small_files_together() -> None:
    """One of them is masked and the others stay; one that cannot be masked is refused, and so is such a name."""
    sieve = Sieve(Redactor([Secret("token", TOKEN)]))
    files = {f"{at}.json": b"{}" for at in range(9)}
    assert sieve(files) == files
    assert sieve(files | {"4.json": TOKEN.encode()}) == files | {"4.json": b"***"}
    for hostile in ({"4.json": ODD}, {ODD.decode("ascii"): b"{}"}):
        with pytest.raises(SecretLeftError, match="token"):
            sieve(files | hostile)


def test_what_was_found_across_a_joint_is_in_no_file(tmp_path: Path) -> None:
    """Two files of which the first ends as a secret begins are no leak."""
    lines = "first-line-of-it-77\nsecond-line-0815-xx"
    first, second = lines.splitlines()
    (tmp_path / "a").write_text(first)
    (tmp_path / "b").write_text(second)
    assert list(find_leaks([tmp_path], Traces([("lines", lines)]))) == []
    (tmp_path / "c").write_text(lines)
    assert list(find_leaks([tmp_path], Traces([("lines", lines)]))) == [Leak(tmp_path / "c", "lines")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """Its name is looked at."""
    (tmp_path / TOKEN).write_text(TOKEN)
    (tmp_path / TOKEN).chmod(0)
    assert [leak.secret for leak in find_leaks([tmp_path], TRACES)] == ["token"]
