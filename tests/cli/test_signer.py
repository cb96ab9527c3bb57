from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy.signing import PrivateKey, new_key
from tests.cli.project import PASSING, Project, serve

SPY = r"""
import json, os, re

def _memory(process, needles):
    found = 0
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if rights[0] != "r" or "[v" in line:
                continue
            start, end = (int(number, 16) for number in span.split("-"))
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            found += _count(content, needles)
    return found

def _count(content, needles):
    return sum(1 for needle in needles for _ in needle.finditer(content))

def _try(look):
    try:
        return look()
    except OSError as error:
        return type(error).__name__

def _read(path):
    with open(path, "rb") as file:
        return file.read()

def _descriptors():
    for number in os.listdir("/proc/self/fd"):
        if int(number) > 2:
            try:
                content = os.pread(int(number), 4096, 0)
            except OSError:
                continue
            yield number, content

def test_spy(web):
    assert web.get("/").status_code == 200
    # Parts of the key come inverted and are looked for as patterns, so that the search does not find itself.
    parts = open("parts", "rb").read().split(b"|||")
    needles = [re.compile(b"".join(b"[\\x%02x]" % (byte ^ 0x55) for byte in part)) for part in parts]
    control = [needles.pop()]
    parent = os.getppid()
    seen = {
        "control": [_count(_read("/proc/self/environ"), control), _memory("self", control) > 0],
        "memory": _memory("self", needles),
        "environment": _count(_read("/proc/self/environ"), needles),
        "argv": _count(_read("/proc/self/cmdline"), needles),
        "descriptors": [number for number, content in _descriptors() if _count(content, needles)],
        "parent's argv": _count(_read(f"/proc/{parent}/cmdline"), needles),
        "parent's environment": _try(lambda: _count(_read(f"/proc/{parent}/environ"), needles)),
        "parent's memory": _try(lambda: _memory(parent, needles)),
    }
    json.dump(seen, open("seen.json", "w"))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A site that is up."""
    with serve() as address:
        yield address


@pytest.fixture
def key() -> PrivateKey:
    """A key of this test alone."""
    return new_key()


@pytest.fixture
def project(tmp_path: Path, url: str, key: PrivateKey) -> Project:
    """A project with the public key beside it."""
    project = Project(tmp_path, url)
    (tmp_path / "some.pub").write_bytes(key.public().pem())
    return project


def gate(project: Project) -> tuple[int, str]:
    """What the gate says where a signature is demanded."""
    return project.run("gate", "--target=site", "--release=r1", "--public-key=some.pub")


def test_signed(project: Project, key: PrivateKey) -> None:
    """The launcher signs what it has seen to the end; what an older run has signed is gone before."""
    (project.folder / "some.key").write_bytes(key.pem())
    status, said = project.run("verify", "site", "--release=r1", "--sign-key=some.key")
    assert status == 0, said
    assert gate(project) == (0, "gate: pass, promote: all_required_passed: 1 of 1 checks passed\n")
    assert project.run("verify", "site", "--release=r1")[0] == 0
    status, said = gate(project)
    assert (status, "the verdict is not signed: " in said) == (30, True)


def test_a_failure_is_signed_too(tmp_path: Path, url: str, key: PrivateKey) -> None:
    """A rollback can be proven as well as a pass."""
    project = Project(tmp_path, url, PASSING.replace("web:/", "web:/missing"))
    (tmp_path / "some.pub").write_bytes(key.public().pem())
    assert project.run("verify", "site", "--release=r1", "--sign-key=env:K", K=key.pem().decode())[0] == 20
    assert gate(project)[0] == 20


@pytest.mark.parametrize(
    ("place", "content", "words"),
    [
        ("missing.key", b"", "missing.key: the key cannot be read: no such file or directory"),
        ("some.pub", b"", "not an Ed25519 private key in PEM: make a pair with 'postdeploy keygen'"),
        ("env:NOWHERE", b"", "the key is to be in variable 'NOWHERE', which is not set or empty"),
    ],
)
def test_without_a_key_nothing_is_sent(project: Project, place: str, content: bytes, words: str) -> None:
    """A key that is not there is told before the run begins."""
    status, said = project.run("verify", "site", f"--sign-key={place}")
    assert (status, words in said) == (10, True), said
    assert not (project.folder / "reports/evidence.jsonl").exists()


@pytest.mark.parametrize(
    ("forgery", "words", "ruling"),
    [
        pytest.param(
            "document['summary'] = 'all is well'\n    write_document('reports/verdict.json', document)",
            "the verdict is not signed: ",
            30,
            id="verdict",
        ),
        pytest.param(
            "open('reports/evidence.jsonl', 'ab').write(b'{}\\n')", "the verdict is not signed: ", 30, id="evidence"
        ),
        pytest.param("os._exit(7)", "ended with status 7 after it sealed its verdict", 10, id="status"),
    ],
)
def test_what_is_not_believed_is_not_signed(
    tmp_path: Path, url: str, key: PrivateKey, forgery: str, words: str, ruling: int
) -> None:
    """What does not follow from the evidence, or contradicts the exit of the run, gets no signature, and holds."""
    forging = (
        "import atexit, json, os\nfrom postdeploy.documents import write_document\n\n"
        "@atexit.register\ndef forge():\n"
        f"    document = json.load(open('reports/verdict.json'))\n    {forgery}\n"
    )
    project = Project(tmp_path, url, conftest=forging)
    (tmp_path / "some.pub").write_bytes(key.public().pem())
    status, said = project.run("verify", "site", "--release=r1", "--sign-key=env:K", K=key.pem().decode())
    assert (status, words in said) == (10, True), said
    assert gate(project)[0] == ruling


def test_tests_never_see_the_key(project: Project, key: PrivateKey) -> None:
    """It is in no environment, memory, argument or descriptor that a test could read, its launcher's included."""
    project.write("suites/test_spy.py", SPY)
    text = key.pem().splitlines()[1]
    parts = (text[24:44], key._raw[:16], b"not a key but found")
    (project.folder / "parts").write_bytes(b"|||".join(bytes(byte ^ 0x55 for byte in part) for part in parts))
    (project.folder / "some.key").write_bytes(key.pem())
    no_ptrace = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-all") if os.geteuid() == 0 else ()
    for place in ("env:SIGN_KEY", "/dev/fd/{}"):
        with (project.folder / "some.key").open("rb") as file:
            words = ("verify", "site", "--release=r1", f"--sign-key={place.format(file.fileno())}")
            command = [*no_ptrace, sys.executable, "-m", "postdeploy", *words]
            given = {"SIGN_KEY": key.pem().decode()} if place.startswith("env") else {}
            known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
            launched = subprocess.run(
                command, cwd=project.folder, env=known | {"CONTROL": "not a key but found"} | given,
                pass_fds=() if given else (file.fileno(),), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        assert launched.returncode == 0, launched.stdout + launched.stderr
        assert gate(project)[0] == 0
        seen = json.loads((project.folder / "seen.json").read_bytes())
        assert seen.pop("parent's environment") in {0, "PermissionError"}
        assert seen == {
            "control": [1, True], "memory": 0, "environment": 0, "argv": 0, "descriptors": [], "parent's argv": 0,
            "parent's memory": "PermissionError",
        }  # fmt: skip
