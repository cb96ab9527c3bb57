from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.guard.artifacts import files_below, scrub_file, scrub_files, scrubbed
from postdeploy.guard.leaks import Traces, find_leaks

VALUE = 'tok/5f3a+9c"<ü>'
REDACTOR = Redactor([Secret("token", VALUE)])
TRACES = Traces([("token", VALUE)])
TEXT = json.dumps({"note": f"before {VALUE} after"})


def zipped(content: bytes) -> bytes:
    """A ZIP archive with one entry."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trace.trace", content)
    return packed.getvalue()


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "text": bytes,
    "gzip": gzip.compress,
    "zip": zipped,
    "gzip in zip": lambda data: zipped(gzip.compress(data)),
    "zip in HTML": lambda data: b"<a href='data:application/zip;base64," + base64.b64encode(zipped(data)) + b"'>",
    "base64 in JSON": lambda data: b'{"text": "' + base64.b64encode(data) + b'"}',
    "binary": lambda data: b"SQLite\0\0" + data,
    "UTF-16": lambda data: json.loads(data)["note"].encode("utf-16-le"),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_secret_is_taken_out_of_every_container(container: str) -> None:
    """What is packed is unpacked, masked and packed again; the independent look finds it before, and not after."""
    data = CONTAINERS[container](TEXT.encode())
    assert TRACES.within(data) == {"token"}
    clean = scrubbed(data, REDACTOR)
    assert clean != data
    assert TRACES.within(clean) == set()


def test_a_zip_stays_one(tmp_path: Path) -> None:
    """The other entries and their names are kept."""
    path = tmp_path / "trace.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", TEXT)
        archive.writestr("b.bin", b"\0\1\2")
    assert scrub_file(path, REDACTOR)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["a.txt", "b.bin"]
        assert archive.read("b.bin") == b"\0\1\2"
        assert b"***" in archive.read("a.txt")


def test_a_binary_file_keeps_its_length() -> None:
    """Formats with offsets, such as databases, stay readable."""
    data = b"\0head" + VALUE.encode() + b"tail"
    assert scrubbed(data, REDACTOR) == b"\0head" + b"*" * len(VALUE.encode()) + b"tail"


@pytest.mark.parametrize("data", [b"PK\x03\x04 no archive", b"\x1f\x8b\x08 no gzip", b"", b"\xff" * 100])
def test_a_broken_archive_is_a_file(data: bytes) -> None:
    """What only looks like an archive is scrubbed as it is."""
    assert scrubbed(data, REDACTOR) == data
    assert VALUE.encode() not in scrubbed(data + VALUE.encode(), REDACTOR)


def test_files_without_secrets_are_not_touched(tmp_path: Path) -> None:
    """Only what held a secret is written again; links are not followed, and what is not there is no error."""
    clean, dirty, outside = tmp_path / "r" / "clean", tmp_path / "r" / "sub" / "dirty", tmp_path / "outside"
    dirty.parent.mkdir(parents=True)
    clean.write_text("clean")
    dirty.write_text(VALUE)
    dirty.chmod(0o640)
    outside.write_text(VALUE)
    (tmp_path / "r" / "link").symlink_to(outside)
    before = clean.stat().st_mtime_ns
    assert scrub_files(files_below([tmp_path / "r", tmp_path / "no"]), REDACTOR) == [dirty]
    assert (clean.stat().st_mtime_ns, dirty.stat().st_mode & 0o777) == (before, 0o640)
    assert outside.read_text() == VALUE
    assert [path.name for path in (tmp_path / "r").rglob("*") if path.name.startswith(".")] == []


def test_leaks_are_told_by_file_and_name(tmp_path: Path) -> None:
    """Also in the names of files, and an archive that cannot be looked into counts as one."""
    (tmp_path / "a.txt").write_text(f"x {VALUE}")
    (tmp_path / "b.txt").write_text("nothing")
    (tmp_path / "other-value-77.txt").write_text("")
    traces = Traces([("token", VALUE), ("other", "other-value-77")])
    found = {(leak.path.name, leak.secret) for leak in find_leaks([tmp_path], traces)}
    assert found == {("a.txt", "token"), ("other-value-77.txt", "other")}


def test_a_very_large_file_is_done_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that lies across two pieces is found by both."""
    monkeypatch.setattr("postdeploy.guard.artifacts._CHUNK", 64)
    monkeypatch.setattr("postdeploy.guard.artifacts._OVERLAP", 40)
    monkeypatch.setattr("postdeploy.guard.leaks._BLOCK", 64)
    monkeypatch.setattr("postdeploy.guard.leaks._SEAM", 40)
    for before in range(40, 80):
        path = tmp_path / "large"
        path.write_bytes(b"-" * before + VALUE.encode() + b"-" * 100)
        assert [leak.secret for leak in find_leaks([path], TRACES)] == ["token"]
        assert scrub_file(path, REDACTOR)
        assert path.stat().st_size == before + len(VALUE.encode()) + 100
        assert list(find_leaks([path], TRACES)) == []
