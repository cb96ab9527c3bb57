from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.documents import make_durable, read_regular, why, write_atomically
from postdeploy.errors import JournalError


def test_why() -> None:
    """What the system says of an error, else what the error says of itself, in lower case."""
    assert why(FileNotFoundError(2, "No such file or directory", "x")) == "no such file or directory"
    assert why(ValueError("Out of range")) == "out of range"


def test_a_link_that_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that takes the place of a file after the look is not followed either."""
    (tmp_path / "file").write_bytes(b"{}")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    monkeypatch.setattr("os.path.islink", lambda _path: False)
    assert read_regular(tmp_path / "file") == b"{}"
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(tmp_path / "link")


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durable: bool) -> None:
    """A file and its name are, unless nobody needs them after a loss of power and that is said; it is whole anyway."""
    forced: list[int] = []
    monkeypatch.setattr("os.fsync", forced.append)
    write_atomically(tmp_path / "file", b"old")
    forced.clear()
    write_atomically(tmp_path / "file", b"new", durable=durable)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert len(forced) == (2 if durable else 0)
    write_atomically(tmp_path / "file", b"new")
    assert len(forced) == (4 if durable else 2)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_made_durable_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file, then the names in their folder; what is not there is told with its path."""
    forced: list[str] = []
    monkeypatch.setattr("os.fsync", lambda handle: forced.append(Path(f"/proc/self/fd/{handle}").readlink().name))
    for name in ("one", "other"):
        write_atomically(tmp_path / name, b"new", durable=False)
    make_durable(tmp_path / "one", tmp_path / "other")
    assert forced == ["one", "other", tmp_path.name]
    with pytest.raises(JournalError) as caught:
        make_durable(tmp_path / "missing")
    assert str(caught.value) == f"{tmp_path / 'missing'}: cannot be written: no such file or directory"
