"""What is fuzzed: whoever reads what others write comes to an answer or to an error of its own, never to another."""

from __future__ import annotations

import atexit
import contextlib
import copy
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from postdeploy.config import load_suite, load_target
from postdeploy.domain.observation import HttpObservation, UnreadableError
from postdeploy.domain.redaction import Redactor, Secret
from postdeploy.errors import ConfigurationError, ProbeError
from postdeploy.gate import Demand, judge
from postdeploy.guard.artifacts import scrubbed
from postdeploy.guard.leaks import Traces
from postdeploy.guard.unpacking import Unpacker
from postdeploy.journal import render_document
from postdeploy.probes.http_body import decode_body
from tests.fuzz.seeds import RECORDS, SNIPPETS, STAGING, SUITE, TARGETS_FILE, VERDICT

__all__ = ["TARGETS", "fuzz"]

TARGETS: Final[dict[str, tuple[tuple[st.SearchStrategy[Any], ...], Callable[..., None]]]] = {}
"""What is fuzzed, by name."""


def _target(name: str, *strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def keep(function: Callable[..., None]) -> Callable[..., None]:
        TARGETS[name] = (strategies, function)
        return function

    return keep


@cache
def _folder() -> Path:
    """One for all inputs: to make and remove one for each takes most of the time."""
    folder = tempfile.mkdtemp(prefix="postdeploy-fuzz-")
    atexit.register(shutil.rmtree, folder)
    return Path(folder)


def _mutated(text: str) -> st.SearchStrategy[str]:
    """The text with pieces of it cut out, doubled, or replaced by what parsers stumble over."""
    change = st.tuples(st.integers(0, len(text)), st.integers(0, 30), st.sampled_from(SNIPPETS) | st.text(max_size=8))

    def apply(changes: list[tuple[int, int, str]]) -> str:
        changed = text
        for at, length, new in changes:
            changed = changed[:at] + new + changed[at + length :]
        return changed

    return st.lists(change, min_size=1, max_size=4).map(apply)


@_target("targets.yaml", _mutated(TARGETS_FILE) | st.text(max_size=300), st.binary(max_size=4))
def targets_file(text: str, tail: bytes) -> None:
    """targets.yaml."""
    with contextlib.suppress(ConfigurationError):
        path = _folder() / "targets.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass") + tail)
        load_target(path, "staging", {"TOKEN": "tok-5f3a9c77"})


@_target("suite", _mutated(SUITE) | st.text(max_size=300), st.binary(max_size=4))
def suite_file(text: str, tail: bytes) -> None:
    """A declared suite."""
    with contextlib.suppress(ConfigurationError):
        path = _folder() / "suite.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass") + tail)
        load_suite(path, _folder(), STAGING)


_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@_target(
    "verdict", st.lists(st.tuples(st.sampled_from(sorted(VERDICT)), _JSON), max_size=3), st.binary(max_size=8), _JSON
)
def verdict_file(changes: list[tuple[str, Any]], tail: bytes, record: Any) -> None:
    """A verdict and its evidence, before the gate: it never promotes what does not follow from its evidence."""
    document = copy.deepcopy(dict(VERDICT)) | dict(changes)
    path = _folder() / "verdict.json"
    with contextlib.suppress(ValueError):
        path.write_bytes(render_document(document) + tail)
    lines = [json.dumps(each) for each in (*RECORDS, record)]
    (_folder() / "evidence.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ruling = judge(path, Demand("t", None, None, 1e12, 1.8e9))
    assert ruling.status == 30, ruling


_PACKED: Final = st.sampled_from(["gzip", "deflate", "gzip, gzip", "x-gzip", "identity", "br", "gzip, br, deflate"])


@_target("answer", st.binary(max_size=400), _PACKED, st.text(max_size=40), st.lists(st.integers(1, 50), max_size=5))
def answer(body: bytes, packed: str, kind: str, cuts: list[int]) -> None:
    """A body, its encoding and its type: both clients unpack it, or both refuse it."""
    with contextlib.suppress(ProbeError):
        decode_body(body, packed)
    with contextlib.suppress(ProbeError):
        unpacker = Unpacker(
            [name.strip() for name in packed.split(",") if name.strip() in {"gzip", "x-gzip", "deflate"}]
        )
        rest = body
        for cut in cuts:
            b"".join(unpacker.decode(rest[:cut]))
            rest = rest[cut:]
        b"".join((*unpacker.decode(rest), *unpacker.flush()))
    seen = HttpObservation(
        place="a:/", duration=0.1, method="GET", url="http://a.test/", status=200, body=body,
        headers=(("content-type", f"text/plain; charset={kind}"),),
    )  # fmt: skip
    seen.excerpt()
    for subject in ("json", "body"):
        with contextlib.suppress(UnreadableError):
            seen.subject(subject)


_SECRET: Final = st.text(min_size=8, max_size=40).filter(lambda text: len(set(text)) > 3 and text.isprintable())


@_target("artifact", _SECRET, st.binary(max_size=60), st.binary(max_size=60))
def artifact(value: str, before: bytes, after: bytes) -> None:
    """A file that holds a secret: the scrubbing takes it out, and the independent look agrees."""
    data = before + b"\n" + value.encode() + b"\n" + after
    clean = scrubbed(data, Redactor([Secret("s", value)]))
    assert Traces([("s", value)]).within(data) == {"s"}
    assert value.encode() not in clean or set(value) <= set("*")


def fuzz(name: str, chosen: settings) -> None:
    """Try as many inputs as the settings say."""
    strategies, function = TARGETS[name]
    chosen(given(*strategies)(function))()
