"""Fuzzing guided by coverage (atheris, libFuzzer): bytes that reach new branches of a reader are changed further.

``python -m tests.fuzz.guided READER SECONDS FOLDER`` ends with the input that led to an unexpected error, or with how
many inputs were tried. FOLDER is for what is found on the way.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import atheris

_INSTRUMENTED: Final = ["postdeploy", "yaml"]

with atheris.instrument_imports(include=_INSTRUMENTED):
    from postdeploy.config import load_suite, load_target
    from postdeploy.domain.charset import charset_of
    from postdeploy.domain.observation import HttpObservation, UnreadableError
    from postdeploy.domain.strict_json import read_json
    from postdeploy.domain.tokens import issued
    from postdeploy.errors import ConfigurationError, GuardRefusalError, ProbeError
    from postdeploy.gate import Demand, judge
    from postdeploy.guard.courtesy import retry_after
    from postdeploy.guard.outgoing import refusal
    from postdeploy.guard.redirects import Hop, following
    from postdeploy.guard.unpacking import PACKINGS, Unpacker
    from postdeploy.journal import render_document
    from postdeploy.probes.http_body import decode_body

from tests.fuzz import seeds  # noqa: E402  # what is instrumented is imported first

__all__ = ["READERS"]

_PACKED: Final = ("", "gzip", "deflate", "gzip, gzip", "x-gzip", "identity", "br", "gzip, br, deflate")
_KINDS: Final = ("application/json", "text/html; charset=", 'text/plain; charset="', "x")
_STATUSES: Final = (200, 204, 301, 302, 303, 307, 308, 404, 429, 503)


class _Readers:
    """What is fuzzed; files are written to one folder, again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def targets(self, data: bytes) -> None:
        """targets.yaml."""
        path = self._folder / "targets.yaml"
        path.write_bytes(data)
        with contextlib.suppress(ConfigurationError):
            load_target(path, "staging", {"TOKEN": "tok-5f3a9c77"})

    def suite(self, data: bytes) -> None:
        """A declared suite."""
        path = self._folder / "suite.yaml"
        path.write_bytes(data)
        with contextlib.suppress(ConfigurationError):
            load_suite(path, self._folder, seeds.STAGING)

    def verdict(self, data: bytes) -> None:
        """A verdict and its evidence before the gate: without evidence that leads there, it never promotes."""
        verdict, _, evidence = data.partition(b"\n\n")
        if len(verdict) < _SHORT:  # as if somebody had sealed this evidence
            verdict = render_document(dict(seeds.VERDICT) | {"evidence": _digest(evidence)})
        (self._folder / "verdict.json").write_bytes(verdict)
        (self._folder / "evidence.jsonl").write_bytes(evidence)
        ruling = judge(self._folder / "verdict.json", Demand("t", None, None, 1e12, 1.8e9))
        assert ruling.status != 0, ruling

    def answer(self, data: bytes) -> None:
        """An answer: what it is packed with, its type, where it leads, its body; both clients read it, or refuse it."""
        packed, kind, status = (
            table[byte % len(table)] for table, byte in zip(_TABLES, data[:3].ljust(3), strict=True)
        )
        head, _, body = data[3:].partition(b"\n")
        text = head.decode("utf-8", "surrogateescape")
        _unpack(body, str(packed))
        _look(str(kind) + text, int(status), body)
        _lead(text, int(status))


def _digest(evidence: bytes) -> dict[str, object]:
    seal = hashlib.sha256(evidence).hexdigest()
    return {"file": "evidence.jsonl", "sha256": seal, "records": evidence.count(b"\n")}


_SHORT: Final = 4
_TABLES: Final = (_PACKED, _KINDS, _STATUSES)


def _unpack(body: bytes, packed: str) -> None:
    with contextlib.suppress(ProbeError):
        decode_body(body, packed)
    with contextlib.suppress(ProbeError):
        unpacker = Unpacker([name.strip() for name in packed.split(",") if name.strip() in PACKINGS])
        half = len(body) // 2
        b"".join((*unpacker.decode(body[:half]), *unpacker.decode(body[half:]), *unpacker.flush()))


def _look(kind: str, status: int, body: bytes) -> None:
    headers = (("content-type", kind), ("set-cookie", kind), ("retry-after", kind))
    seen = HttpObservation(
        place="a:/", duration=0.1, method="POST", url="http://a.test/", status=status, body=body, headers=headers
    )
    seen.excerpt()
    for subject in ("json", "body"):
        with contextlib.suppress(UnreadableError):
            seen.subject(subject)
    with contextlib.suppress(UnreadableError):
        read_json(body)
    with contextlib.suppress(UnreadableError):
        charset_of(kind)
    list(issued("POST", headers, body))
    retry_after(kind)


def _lead(location: str, status: int) -> None:
    hop = Hop("GET", "https://a.test/x", {"X-Api-Key": "k", "Accept": "*/*"})
    with contextlib.suppress(ValueError, GuardRefusalError):
        onward = following(hop, status, location)
        if onward is not None and refusal(seeds.STAGING, onward.method, onward.url) is None:
            assert onward.url.lower().startswith("https://a.test"), onward


READERS: Final = ("targets", "suite", "verdict", "answer")
"""What is fuzzed, by name."""


def _seeds() -> Mapping[str, list[bytes]]:
    """Where each reader begins."""
    verdict = render_document(dict(seeds.VERDICT))
    evidence = "".join(json.dumps(record) + "\n" for record in seeds.RECORDS).encode()
    bodies = (
        b'{"status": "ok", "token": "abcdefghijkl"}',
        gzip.compress(b"{}" * 20),
        zlib.compress(b"x" * 50),
        b"\xff",
    )
    return {
        "targets": [seeds.TARGETS_FILE.encode()],
        "suite": [seeds.SUITE.encode()],
        "verdict": [verdict + b"\n\n" + evidence, b"\n\n" + evidence],
        "answer": [bytes([n, n, n]) + b"https://a.test/y\n" + body for n in range(8) for body in bodies],
    }


def main(name: str, seconds: int, found: Path) -> None:
    """Fuzz one reader for so long."""
    begin, corpus = found / "seeds", found / "corpus"
    for place in (begin, corpus):
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        reader: Callable[[bytes], None] = getattr(_Readers(Path(folder)), name)
        with atheris.instrument_imports(include=_INSTRUMENTED):  # what is imported where it is used
            for number, seed in enumerate(_seeds()[name]):
                (begin / f"{number}").write_bytes(seed)
                reader(seed)
        limits = (f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10", "-max_len=4096")
        words = (f"-dict={seeds.dictionary(found / 'words')}", f"-artifact_prefix={found}/")
        atheris.Setup(["fuzz", *limits, *words, str(corpus), str(begin)], reader)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
