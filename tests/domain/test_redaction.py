from __future__ import annotations

import base64
import copy
import html
import json
import logging
import pickle
import shlex
import traceback
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.matcher import show
from postdeploy.domain.redaction import MASK, Redactor, Secret
from postdeploy.domain.spellings import byte_spellings

VALUE = "tok/en+1 \"q\" 'a' <b>&한\\n"
SECRET = Secret("api_token", VALUE)


def trace_of(secret: Secret) -> str:
    """What a traceback says of a secret in an error and in a local variable."""
    try:
        raise ValueError(secret)  # noqa: TRY301  # the traceback is the point
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def logged(secret: Secret) -> str:
    """What a log record says of a secret."""
    return logging.LogRecord("x", 10, "x", 1, "%s %r", (secret, secret), None).getMessage()


@pytest.mark.parametrize(
    "show_it",
    [
        repr,
        str,
        format,
        "{}".format,
        "{!r}".format,
        lambda secret: f"{secret} {secret!r} {secret!s} {secret!a}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # one more way out
        lambda secret: json.dumps({"a": secret}, default=str),
        lambda secret: str({"a": [secret]}),
        lambda secret: repr(pickle.dumps(secret)),
        lambda secret: repr(pickle.loads(pickle.dumps(secret)).reveal()),
        lambda secret: copy.deepcopy(secret).reveal(),
        lambda secret: show({"a": secret}),
        trace_of,
        logged,
    ],
    ids=[
        "repr", "str", "format", "str.format", "str.format repr", "f-string", "percent", "json default", "in a dict",
        "pickle", "unpickled", "copy", "show", "traceback", "logging",
    ],
)  # fmt: skip
def test_secret_never_prints(show_it: Callable[[Secret], str]) -> None:
    """However a secret is shown, its value is not."""
    secret = Secret("api_token", "hunter2-hunter2")
    shown = show_it(secret)
    assert "hunter2" not in shown
    assert MASK in shown


def test_secret_is_not_json() -> None:
    """A secret that would be written as it is, is refused without its value."""
    with pytest.raises(TypeError) as caught:
        json.dumps(SECRET)
    assert VALUE not in str(caught.value)


def test_secret_is_revealed_on_purpose() -> None:
    """There is one way to the value."""
    assert SECRET.reveal() == VALUE


def test_secret_says_its_name() -> None:
    """A report may say which secret it was."""
    assert repr(SECRET) == "Secret('api_token', ***)"


def test_equal_secrets() -> None:
    """Secrets are equal by name and value, and equal ones are one key."""
    assert Secret("a", "x") == Secret("a", "x")
    assert hash(Secret("a", "x")) == hash(Secret("a", "x"))
    assert Secret("a", "x") not in {Secret("a", "y"), Secret("b", "x"), "x"}


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "report": show,
    "URL": quote,
    "URL component": lambda value: quote(value, safe=""),
    "JavaScript": lambda value: quote(value, safe="!~*'()"),
    "form": quote_plus,
    "HTML": html.escape,
    "HTML text": lambda value: html.escape(value, quote=False),
    "shell": shlex.quote,
    "Python": repr,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "Basic": lambda value: base64.b64encode(f"me:{value}".encode()).decode(),
    "Basic, longer": lambda value: base64.b64encode(f"user:{value}".encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("value", [VALUE, "plain-token-1234"], ids=["hard", "plain"])
def test_spellings_are_masked(spelling: str, value: str) -> None:
    """A secret is found as the formats of our reports spell it."""
    spelt = SPELLINGS[spelling](value)
    masked = Redactor([Secret("t", value)]).text(f"before {spelt} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert MASK in masked
    assert spelt[4:-4] not in masked


def test_mask_replaces_every_place() -> None:
    """A secret is masked wherever it stands, and the rest stays."""
    assert Redactor({"t": Secret("t", "abc")}).text("abc, abcd, xabc") == "***, ***d, x***"


def test_longest_secret_first() -> None:
    """A secret that contains another one leaves no rest behind."""
    assert Redactor([Secret("a", "pass"), Secret("b", "password")]).text("password pass") == "*** ***"


def test_empty_secret_masks_nothing() -> None:
    """An empty value is in every text, and no secret."""
    assert Redactor([Secret("a", "")]).text("text…") == "text…"


def test_short_secret_spares_base64() -> None:
    """Too few letters of base64 would be found in what is no secret."""
    assert Redactor([Secret("a", "ab")]).text("YWI x YW") == "YWI x YW"


def test_learnt_secret() -> None:
    """A secret that is learnt while the run goes on is masked from then on, once."""
    redactor = Redactor()
    assert redactor.text("abc") == "abc"
    redactor.learn(Secret("a", "abc"))
    redactor.learn(Secret("b", "abc"))
    assert redactor.text("abc") == MASK


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("got hunter2-hun…", "got ***…"),
        ("got hunt… and hunter2…", "got ***… and ***…"),
        ("got hun…", "got hun…"),
        ("got hunter2-hun", "got hunter2-hun"),
        ("more… hunter2-hunter2", "more… ***"),
        ("hunthunt…", "hunt***…"),
        ("got ...ter2ter2 here", "got ...***ter2 here"),
    ],
)
def test_secret_that_a_limit_cut(text: str, masked: str) -> None:
    """The beginning of a secret in front of a cut is masked, where it is more than chance."""
    assert Redactor([Secret("t", "hunter2-hunter2")]).text(text) == masked


def test_tree() -> None:
    """Strings and keys are masked at every depth; numbers and the like stay."""
    redactor = Redactor([Secret("t", "abc")])
    tree = {"abc": ["xabc", ("abc",), {"n": 1, "none": None, 5: True}]}
    assert redactor.tree(tree) == {MASK: ["x***", [MASK], {"n": 1, "none": None, "5": True}]}


def test_tree_without_secrets() -> None:
    """Where there is no secret, nothing is copied."""
    tree: dict[str, object] = {"a": 1}
    assert Redactor().tree(tree) is tree


@given(st.text(min_size=1, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_value_never_survives(value: str, before: str, after: str) -> None:
    """Whatever the value and the text around it, the value does not come out as it was, unless the mask contains it."""
    masked = Redactor([Secret("t", value)]).text(before + value + after)
    assert value not in masked or set(value) <= set(MASK) or value in before + MASK + after


@pytest.mark.parametrize(
    ("line", "suspects"),
    [
        ('{"a": "x hunter2-hunter2"}', True),
        ('{"a": "got hunt..."}', True),
        ('{"a": "got hunt\\u2026"}', True),
        ('{"a": "x"}', False),
    ],
)
def test_suspected_lines(line: str, suspects: bool) -> None:
    """A line of JSON is looked into where a secret may stand in it, whole or cut."""
    assert Redactor([Secret("t", "hunter2-hunter2")]).suspects(line) is suspects


@pytest.mark.parametrize(
    ("keep_length", "masked"), [(False, b"\x00a *** b\xff"), (True, b"\x00a *************** b\xff")]
)
def test_content_of_a_file(keep_length: bool, masked: bytes) -> None:
    """A file is masked byte by byte, with its length kept where that matters."""
    redactor = Redactor([Secret("t", "hunter2-hunter2")])
    assert redactor.content(b"\x00a hunter2-hunter2 b\xff", keep_length=keep_length) == masked


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_content_in_another_encoding(encoding: str) -> None:
    """A file in UTF-16 holds no secret either."""
    masked = Redactor([Secret("t", "hunter2-hunter2")]).content("x hunter2-hunter2 y".encode(encoding))
    assert masked.replace(b"\x00", b"") == b"x *** y"


def test_content_of_a_large_file() -> None:
    """Where a large file lacks a character of a spelling, another spelling of the value is masked all the same."""
    redactor = Redactor([Secret("t", "hunter2-hunter2")])
    spelt = byte_spellings("hunter2-hunter2")
    assert len(spelt) > 5
    for form in spelt:
        assert redactor.content(b"." * 20_000 + form + b"." * 20_000) == b"." * 20_000 + b"***" + b"." * 20_000
    plain = b"hunter1-hunter1" * 2_000
    assert redactor.content(plain) is plain


def test_content_without_secrets() -> None:
    """Where there is no secret, or none in it, a file is left as it is."""
    data = b"\x00\xff"
    assert Redactor().content(data) is data
    assert Redactor([Secret("t", "hunter2-hunter2")]).content(data) is data


def test_content_after_learning() -> None:
    """A secret that is learnt after a file was masked is masked in the next one."""
    redactor = Redactor([Secret("a", "first-1-secret")])
    assert redactor.content(b"first-1-secret second-2-secret") == b"*** second-2-secret"
    assert redactor.content(b"second-2-secret") == b"second-2-secret"
    redactor.learn(Secret("b", "second-2-secret"))
    assert redactor.content(b"first-1-secret second-2-secret") == b"*** ***"


@pytest.mark.parametrize(
    ("pieces", "written"),
    [
        (["got hun", "ter2-hunter2 en", "d hu", "h?", None], ["got ", "*** en", "d ", "huh?", ""]),
        (["got hun", None], ["got ", "hun"]),
        (["plain", "", None], ["plain", "", ""]),
        (["h", "unter2-hunter2", None], ["", "***", ""]),
        ([*list("..hunter2-hunter2"), ".", None], [".", "."] + [""] * 14 + ["***", ".", ""]),
    ],
    ids=["in two pieces", "never finished", "nothing held", "one letter", "letter by letter"],
)
def test_stream(pieces: list[str | None], written: list[str]) -> None:
    """A secret that is written in pieces is masked; what only looked like one comes out when that is known."""
    write = Redactor([Secret("t", "hunter2-hunter2")]).stream()
    assert [write(piece) for piece in pieces] == written


def test_stream_without_secrets() -> None:
    """Where there is no secret, nothing is held."""
    write = Redactor().stream()
    assert [write("abc"), write(None)] == ["abc", ""]


@given(st.lists(st.integers(min_value=1, max_value=40), max_size=4))
def test_stream_says_what_text_says(cuts: list[int]) -> None:
    """Wherever a text is cut into pieces, what is written is the masked text."""
    text = "hunter2- is no secret, hunter2-hunter2 is"
    redactor = Redactor([Secret("t", "hunter2-hunter2")])
    places = [0, *sorted(cuts), len(text)]
    write = redactor.stream()
    pieces = [text[start:end] for start, end in pairwise(places)]
    assert "".join(map(write, [*pieces, None])) == redactor.text(text)


def test_where_values_stand() -> None:
    """Begin and end of each, in any spelling, also where one begins within another."""
    redactor = Redactor([Secret("plain", "abababab"), Secret("odd", "p&ssw rd-1")])
    text = "x abababababab y p%26ssw%20rd-1"
    found = {text[begin:end] for begin, end in redactor.spans(text)}
    assert {(2, 10), (4, 12), (6, 14)} <= set(redactor.spans(text))
    assert "p%26ssw%20rd-1" in found
    assert list(redactor.spans("nothing here")) == []
