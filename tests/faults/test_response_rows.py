from __future__ import annotations

import gzip
import itertools
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.expected import rollback
from tests.faults.project import Project, Run
from tests.faults.raw_server import RawServer, serve_raw

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = b'{"status": "ok"}'
IN_CHUNKS = b"10\r\n" + OK + b"\r\n0\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIPPED = HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"
MIB = 1 << 20


@pytest.fixture
def raw() -> Iterator[RawServer]:
    """Give a server of raw answers."""
    with serve_raw() as server:
        yield server


def body(content: bytes, headers: bytes = b"") -> bytes:
    """A well-formed answer."""
    return HEAD + headers + b"Content-Length: %d\r\n\r\n" % len(content) + content


def endless(first: bytes, piece: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    """Send something, and then the same piece until nobody takes it."""

    def script(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in itertools.repeat(None):
            connection.sendall(piece)
            time.sleep(pause)

    return script


def bomb() -> bytes:
    """A gzip file that unpacks to 2 GiB: a packed MiB of zeros, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * 2048


def results(run: Run) -> dict[str, dict[str, Any]]:
    """Every check of the verdict by its name."""
    return {check["name"]: check for check in run.document["checks"]}


def codes(check: dict[str, Any]) -> set[str]:
    """The typed reasons of all attempts at a check."""
    return {finding["code"] for attempt in check["attempts"] for finding in attempt["findings"]}


def verify(project: Project, paths: dict[str, str], timeout: float, python: str) -> Run:
    """One run with a declared check and a Python test for each path."""
    project.suite(
        "\n".join(f"- {{name: '{path}', get: 'api:{path}', timeout: {timeout}s, {how}}}" for path, how in paths.items())
    )
    project.tests(f"""
        @pytest.mark.parametrize("path", {sorted(paths)!r})
        def test_it(api, path):
            answer = api.get(path, timeout={timeout})
            {python}
    """)
    project.conftest("""
        import resource

        def pytest_unconfigure(config):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            config.rootpath.joinpath("peak").write_text(str(peak))
    """)
    return project.run()


def peak(folder: Path) -> float:
    """MiB that the run had in memory at most."""
    return int((folder / "peak").read_text()) / 1024


@pytest.mark.row("R01", "bodies, headers and hints without end")
def test_what_does_not_end_is_refused_within_time_and_memory(alone: Project, raw: RawServer, tmp_path: Path) -> None:
    """Every bomb and every trickle is a failure of the target, by the deadline and a second, within 128 MiB."""
    healthy = Project(tmp_path / "healthy", raw.url, 0, alone.compare)
    calm = verify(healthy, {"/ok": "expect: {status: 200}"}, 1, "assert answer.status_code == 200")
    assert calm.status == 0, calm.out
    raw.scripts |= {
        "/two-gib": endless(HEAD + b"Content-Length: 2147483648\r\n\r\n", bytes(MIB)),
        "/endless": endless(CHUNKED, b"100000\r\n" + bytes(MIB) + b"\r\n"),
        "/gzip": GZIPPED + bomb(),
        "/gzip-gzip": HEAD + b"Content-Encoding: gzip, gzip\r\nConnection: close\r\n\r\n" + gzip.compress(bomb()),
        "/slow-head": endless(HEAD, b"X", 0.05),
        "/slow-body": endless(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x", 0.05),
        "/hints": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        "/slow-hints": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.2),
    }
    alone.url = raw.url
    alone.target()
    run = verify(alone, dict.fromkeys(raw.scripts, "expect: {status: 200}"), 1, "assert answer.status_code == 200")
    run.require(rollback())
    found = results(run)
    assert {check["outcome"] for check in found.values()} == {"failed"}
    for name, check in found.items():
        assert all(attempt["duration"] <= 2 for attempt in check["attempts"]), name
        if name in raw.scripts:
            assert codes(check) <= {"protocol_too_large", "timeout"}, name
    assert peak(tmp_path) - peak(tmp_path / "healthy") < 128


def reset(connection: socket.socket) -> None:
    """Break off in the middle of a body."""
    connection.sendall(HEAD + b"Content-Length: 50\r\n\r\n{")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def lines(count: int) -> bytes:
    """Headers."""
    return b"".join(b"X-%d: a\r\n" % number for number in range(count))


def redirect(to: bytes) -> bytes:
    """A redirect."""
    return b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to + b"\r\n\r\n"


MALFORMED: dict[str, tuple[bytes | Callable[[socket.socket], None], str]] = {
    "both-lengths": (CHUNKED[:-2] + b"Content-Length: 16\r\n\r\n" + IN_CHUNKS, "protocol_ambiguous"),
    "two-lengths": (HEAD + b"Content-Length: 16\r\nContent-Length: 17\r\n\r\n" + OK, "protocol_not_http"),
    "negative-length": (HEAD + b"Content-Length: -16\r\n\r\n" + OK, "protocol_not_http"),
    "length-of-letters": (HEAD + b"Content-Length: abc\r\n\r\n" + OK, "protocol_not_http"),
    "length-beyond-numbers": (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n" + OK, "protocol_length"),
    "body-too-short": (HEAD + b"Content-Length: 50\r\n\r\n" + OK, "protocol_truncated"),
    "body-too-long": (HEAD + b"Content-Length: 12\r\n\r\n" + OK, "unreadable"),
    "no-chunks": (CHUNKED + b"zz\r\n" + OK, "protocol_chunks"),
    "cut-chunk": (CHUNKED + b"50\r\n" + OK, "protocol_truncated"),
    "unknown-transfer": (HEAD + b"Transfer-Encoding: banana\r\n\r\n" + OK, "protocol_encoding"),
    "packed-transfer": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + IN_CHUNKS, "protocol_encoding"),
    "zero-byte-in-header": (HEAD + b"X-A: a\0b\r\nContent-Length: 16\r\n\r\n" + OK, "protocol_not_http"),
    "header-without-colon": (HEAD + b"garbage\r\nContent-Length: 16\r\n\r\n" + OK, "protocol_not_http"),
    "no-header": (OK, "protocol_not_http"),
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol_not_http"),
    "nothing": (b"", "protocol_no_answer"),
    "switching": (b"HTTP/1.1 101 Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxxxx", "protocol_upgrade"),
    "status-zero": (b"HTTP/1.1 000 X\r\nContent-Length: 16\r\n\r\n" + OK, "protocol_not_http"),
    "status-of-letters": (b"HTTP/1.1 abc X\r\nContent-Length: 16\r\n\r\n" + OK, "protocol_not_http"),
    "many-headers": (body(OK, lines(600)), "protocol_too_large"),
    "very-many-headers": (body(OK, lines(20_000)), "protocol_too_large"),
    "long-header": (body(OK, b"X-A: " + b"a" * 5_000_000 + b"\r\n"), "protocol_too_large"),
    "many-hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50 + body(OK), "protocol_too_large"),
    "truncated-gzip": (GZIPPED + gzip.compress(OK * 9)[:-12], "protocol_truncated"),
    "no-gzip": (body(OK, b"Content-Encoding: gzip\r\n"), "protocol_encoding"),
    "no-deflate": (body(OK, b"Content-Encoding: deflate\r\n"), "protocol_encoding"),
    "packed-often": (body(OK, b"Content-Encoding: gzip, gzip, gzip, gzip\r\n"), "protocol_encoding"),
    "reset": (reset, "connection_reset"),
    "key-twice": (body(b'{"status": "down", "status": "ok"}'), "unreadable"),
    "not-a-number": (body(b'{"status": "ok", "load": NaN}'), "unreadable"),
    "beyond-a-double": (body(b'{"status": "ok", "load": 1e999}'), "unreadable"),
    "deep": (body(b"[" * 100_000 + b"]" * 100_000), "unreadable"),
    "long-number": (body(b'{"status": ' + b"9" * 100_000 + b"}"), "unreadable"),
    "no-utf-8": (body(b'{"status": "\xff\xfe"}'), "unreadable"),
    "half-a-character": (body(rb'{"status": "\udcff"}'), "unreadable"),
    "rot13": (body(OK, b"Content-Type: application/json; charset=rot13\r\n"), "unreadable"),
    "circle": (redirect(b"/circle"), "protocol_redirects"),
    "file": (redirect(b"file:///etc/passwd"), "mismatch"),
    "no-address": (redirect(b"http://[::1:99999999/"), "protocol_redirects"),
}  # fmt: skip
"""What the server sends, and the typed reason that a declared check gives for it."""

ALSO = {"circle": "follow: true, ", "no-address": "follow: true, "}
READS = {"rot13": "body: {contains: ok}"}


@pytest.mark.row("R02", f"{len(MALFORMED)} malformed answers")
def test_malformed_answers_are_failures_with_a_typed_reason(alone: Project, raw: RawServer) -> None:
    """Whatever a server sends, both kinds of checks fail, none of them errors, and the run ends as it should."""
    raw.scripts |= {f"/{name}": script for name, (script, _) in MALFORMED.items()}
    alone.url = raw.url
    alone.target(policy="deadline: 1m")
    paths = {
        f"/{name}": f"{ALSO.get(name, '')}expect: {{status: 200, {READS.get(name, 'json: {$.status: ok}')}}}"
        for name in MALFORMED
    }
    run = verify(alone, paths, 5, 'assert answer.json()["status"] == "ok" == answer.text[12:14]')
    run.require(rollback())
    found = results(run)
    assert {name: check["outcome"] for name, check in found.items() if check["outcome"] != "failed"} == {}
    for name, (_, code) in MALFORMED.items():
        assert code in codes(found[f"/{name}"]), (name, codes(found[f"/{name}"]))
    assert len(found) == 2 * len(MALFORMED)


ATTACK = (
    "::error file=a::pwned\n  ::stop-commands::t\r::add-mask::x\n##[error]pwned\nmid ##[group]x\n"
    "\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b2J\u202edesrever\u2066\n<script>alert(1)</script>\n| [a](b) `c`"
)


def commands(out: str) -> list[str]:
    """What GitHub's runner would obey: actions/runner, ActionCommand.cs."""
    lines = [line.lstrip() for line in re.split(r"\r\n|\r|\n", out)]
    return [line for line in lines if (line.startswith("::") and "::" in line[2:]) or "##[" in line]


@pytest.mark.row("R03", "a body that is echoed on eight ways out")
@pytest.mark.parametrize("how", [("-rA",), ("-s", "--log-cli-level=INFO", "-vv")], ids=["captured", "live"])
def test_foreign_text_steers_nothing(alone: Project, raw: RawServer, how: tuple[str, ...]) -> None:
    """No line of the output is a command of a pipeline, nothing in it is an escape, and no page runs it."""
    raw.scripts["/attack"] = body(ATTACK.encode(), b"Content-Type: text/html\r\n")
    alone.url = raw.url
    alone.target()
    alone.suite("- {name: declared, get: 'api:/attack', expect: {status: 200, body: {eq: fine}}}")
    alone.tests("""
        import logging
        import sys
        import warnings

        @pytest.fixture
        def text(api):
            return api.get("/attack").text

        def test_print(text):
            print(text)
            sys.stderr.write(text)
            assert False

        def test_fail(text):
            pytest.fail(text)

        def test_fail_without_trace(text):
            pytest.fail(text, pytrace=False)

        def test_skip(text):
            pytest.skip(text)

        def test_log(text):
            logging.getLogger().error(text)
            raise AssertionError

        def test_raise(text):
            raise ValueError(text)

        def test_compare(text):
            assert text == ""

        def test_warn(text, record_property):
            record_property("text", text)
            warnings.warn(text)
            assert False

        def test_capsys(text, capsys):
            with capsys.disabled():
                print(text)
            assert False
    """)
    run = alone.run("--report=all", "--junitxml=reports/pytest.xml", *how)
    run.require(rollback())
    assert commands(run.out) == []
    assert not re.search("[\x1b\x9b\x07\u202e\u2066]", run.out)
    assert "pwned" in run.out
    for name in ("report.html", "summary.md"):
        text = (alone.reports / name).read_text(encoding="utf-8")
        assert "<script>alert" not in text, name
        assert "\x1b" not in text
