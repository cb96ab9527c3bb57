from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.errors import DocumentError, JournalError
from postdeploy.journal import (
    EVIDENCE_FILE,
    Journal,
    read_document,
    read_journal,
    render_document,
    write_atomically,
    write_document,
)

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal of a test is."""
    return tmp_path / "reports" / EVIDENCE_FILE


def test_append_and_read(path: Path) -> None:
    """What was appended is read back, and the proof names the bytes on disk."""
    with Journal(path) as journal:
        assert journal.append({"record": "a", "text": "집"}) == {"record": "a", "text": "집"}
        journal.append({"record": "b"})
        proof = journal.close()
    content = read_journal(path)
    assert content.records == [{"record": "a", "text": "집"}, {"record": "b"}]
    assert proof == {"file": EVIDENCE_FILE, "sha256": content.sha256, "records": 2}
    assert content.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not content.torn


def test_survives_at_once(path: Path) -> None:
    """A record is on its way to the disk before append returns: no death of this process takes it back."""
    journal = Journal(path)
    journal.append({"record": "a"})
    assert read_journal(path).records == [{"record": "a"}]


def test_scrubbed(path: Path) -> None:
    """What is written, and returned, has passed the scrubber."""
    journal = Journal(path, lambda record: {**record, "secret": "***"})
    assert journal.append({"secret": "s3cret"}) == {"secret": "***"}
    assert b"s3cret" not in path.read_bytes()


def test_only_what_is_suspected_is_scrubbed(path: Path) -> None:
    """A record whose text raises no suspicion is written as it is."""
    journal = Journal(path, lambda _record: {"record": "scrubbed"}, lambda text: "s3cret" in text)
    assert journal.append({"record": "harmless"}) == {"record": "harmless"}
    assert journal.append({"record": "s3cret"}) == {"record": "scrubbed"}
    assert read_journal(path).records == [{"record": "harmless"}, {"record": "scrubbed"}]


def test_rewritten(path: Path) -> None:
    """Everything may be replaced, scrubbed, before the end; the proof is of what stands there then."""
    journal = Journal(path, lambda record: {**record, "secret": "***"}, lambda text: "s3cret" in text)
    journal.append({"record": "a"})
    written = journal.rewrite([{"record": "a"}, {"record": "b", "secret": "s3cret"}])
    assert written == [{"record": "a"}, {"record": "b", "secret": "***"}]
    journal.append({"record": "c"})
    proof = journal.close()
    content = read_journal(path)
    assert content.records == [{"record": "a"}, {"record": "b", "secret": "***"}, {"record": "c"}]
    assert proof == {"file": EVIDENCE_FILE, "sha256": content.sha256, "records": 3}


def test_what_cannot_be_rewritten(path: Path) -> None:
    """A journal that could not be replaced is broken: nothing is written to it any more."""
    journal = Journal(path)
    journal.append({"record": "a"})
    with pytest.raises(JournalError, match="the evidence cannot be written"):
        journal.rewrite([{"record": float("nan")}])
    with pytest.raises(JournalError, match="the evidence cannot be written"):
        journal.append({"record": "b"})
    assert read_journal(path).records == [{"record": "a"}]


@pytest.mark.parametrize("more", [{}, {"durable": True}, {"durable": False}], ids=["unsaid", "durable", "later"])
def test_its_end_is_on_disk(path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, bool]) -> None:
    """Whoever ends a journal has it forced to the disk, unless told that this is done later; it is whole either way."""
    forced: list[int] = []
    monkeypatch.setattr("os.fsync", forced.append)
    with Journal(path) as journal:
        journal.append({"record": "a"})
        proof = journal.close(**more)
    assert len(forced) == more.get("durable", True)
    assert read_journal(path, proof["sha256"]).records == [{"record": "a"}]


def test_makes_its_folder(tmp_path: Path) -> None:
    """The folder of a journal need not be there, nor the one above it."""
    with Journal(tmp_path / "a" / "b" / EVIDENCE_FILE) as journal:
        journal.append({"record": "a"})
    assert read_journal(tmp_path / "a" / "b" / EVIDENCE_FILE).records == [{"record": "a"}]


def test_replaces_an_older_one(path: Path) -> None:
    """A new journal starts anew."""
    Journal(path).append({"record": "old"})
    Journal(path).append({"record": "new"})
    assert read_journal(path).records == [{"record": "new"}]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), object(), b"bytes", {1, 2}])
def test_what_is_no_json(path: Path, value: object) -> None:
    """A record that JSON cannot say is refused, and nothing is proven any more: a part is not the whole."""
    journal = Journal(path)
    with pytest.raises(JournalError, match="the evidence cannot be written"):
        journal.append({"value": value})
    with pytest.raises(JournalError, match="the evidence cannot be written"):
        journal.append({"record": "fine"})
    with pytest.raises(JournalError, match="the evidence cannot be written"):
        journal.close()


def test_after_the_end(path: Path) -> None:
    """A closed journal takes nothing more."""
    journal = Journal(path)
    journal.close()
    with pytest.raises(JournalError):
        journal.append({"record": "late"})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_full_disk(path: Path) -> None:
    """A full disk is told in a sentence, and ends the journal."""
    journal = Journal(path)
    journal._file.close()
    journal._file = open("/dev/full", "wb")  # noqa: SIM115, PTH123
    with pytest.raises(JournalError, match="the evidence cannot be written: no space left on device"):
        journal.append({"record": "a"})
    with pytest.raises(JournalError, match="no space left"):
        journal.close()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "file in the way"])
def test_place_is_refused(tmp_path: Path, kind: str) -> None:
    """Neither a journal nor a document goes through a link, over a folder, or below a file."""
    path = tmp_path / "reports" / EVIDENCE_FILE
    other = tmp_path / "other"
    if kind == "file in the way":
        path.parent.write_text("")
    else:
        path.parent.mkdir()
    if kind == "link":
        other.write_text("precious")
    if "link" in kind:
        path.symlink_to(other)
    if kind == "folder":
        path.mkdir()
    with pytest.raises(JournalError, match=EVIDENCE_FILE):
        Journal(path)
    with pytest.raises(JournalError, match=EVIDENCE_FILE):
        write_document(path, {})
    assert not other.exists() or other.read_text() == "precious"
    assert not list(tmp_path.glob("reports/.*"))


@pytest.mark.parametrize("rest", [b"{", b'{"record":"b"}', b" "])
def test_torn(path: Path, rest: bytes) -> None:
    """A last line without its end is left out, and told."""
    Journal(path).append({"record": "a"})
    path.write_bytes(path.read_bytes() + rest)
    content = read_journal(path)
    assert (content.records, content.torn) == ([{"record": "a"}], True)


@pytest.mark.parametrize(
    "line",
    [b"", b"nonsense", b"[]", b"3", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1,"a":2}', b'{"a":"\xff"}', b"[" * 99999],
)
def test_no_record(path: Path, line: bytes) -> None:
    """A line that is no record is refused with its number."""
    path.parent.mkdir()
    path.write_bytes(b'{"record":"a"}\n' + line + b"\n")
    with pytest.raises(JournalError, match=f"{EVIDENCE_FILE}:2: not a record"):
        read_journal(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "pipe"])
@pytest.mark.parametrize(("read", "error"), [(read_journal, JournalError), (read_document, DocumentError)])
def test_only_regular_files_are_read(tmp_path: Path, kind: str, read: Any, error: type[Exception]) -> None:
    """A link is not followed, a pipe is not waited for."""
    path = tmp_path / "file"
    if kind == "folder":
        path.mkdir()
    if kind == "link":
        (tmp_path / "other").write_text("{}")
        path.symlink_to(tmp_path / "other")
    if kind == "pipe":
        os.mkfifo(path)
    words = {"missing": "no such file", "link": "a symbolic link"}.get(kind, "not a regular file")
    with pytest.raises(error, match=words):
        read(path)


@settings(max_examples=25)  # each one waits for the disk
@given(tree=st.dictionaries(st.text(), trees))
def test_document_round_trip(tree: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A document comes back as it was written."""
    path = tmp_path_factory.getbasetemp() / "document.json"
    write_document(path, tree)
    assert read_document(path) == json.loads(render_document(tree)) == tree


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a verdict"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": {"b": 1, "b": 2}}', "a key stands twice"),
        (b'{"a": "\xff"}', "not JSON"),
        (b"[" * 99999, "not JSON"),
    ],
)
def test_document_is_read_strictly(tmp_path: Path, content: bytes, words: str) -> None:
    """What is no document of ours is refused in a sentence."""
    path = tmp_path / "verdict.json"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=words):
        read_document(path)


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_document_that_json_cannot_say(tmp_path: Path, value: object) -> None:
    """A document that JSON cannot say leaves the old one as it was."""
    path = tmp_path / "verdict.json"
    write_document(path, {"old": True})
    with pytest.raises(JournalError, match="cannot be written"):
        write_document(path, {"new": value})
    assert read_document(path) == {"old": True}


def test_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last step fails the old file is there, whole, and nothing else is left."""
    path = tmp_path / "verdict.json"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(JournalError, match="no space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_written_beside_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new file comes from the same folder, hidden: a rename across file systems would not be atomic."""
    moved: list[Path] = []
    monkeypatch.setattr(os, "replace", lambda source, _path: moved.append(Path(source)))
    write_atomically(tmp_path / "verdict.json", b"new")
    assert moved == [tmp_path / f".verdict.json.{os.getpid()}"]


def test_a_journal_that_cannot_be_closed(path: Path) -> None:
    """Leaving a journal that a full disk has broken raises nothing: what mattered was told before."""
    with Journal(path) as journal:
        journal.append({"record": "a"})
        os.close(journal._file.fileno())


def test_only_the_beginning_of_what_is_no_record_is_quoted(path: Path) -> None:
    """Eighty characters are enough to find the place."""
    path.parent.mkdir()
    path.write_bytes(json.dumps("x" * 200).encode() + b"\n")
    with pytest.raises(JournalError) as caught:
        read_journal(path)
    assert str(caught.value) == f"{path}:1: not a record: {(json.dumps('x' * 200)[:80]).encode()!r}"


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a folder is one in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_document(Path("verdict.json"), {})
    write_document(Path("verdict.json"), {"again": True})
    assert read_document(tmp_path / "verdict.json") == {"again": True}
