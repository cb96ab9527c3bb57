from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postdeploy.domain.observation import (
    SUBJECTS,
    ConsoleMessage,
    DnsObservation,
    FailedRequest,
    HttpObservation,
    Observation,
    PageObservation,
    TcpObservation,
    TlsObservation,
    UnreadableError,
    WebsocketObservation,
    read_json,
)
from postdeploy.domain.selection import MISSING


def http(body: bytes = b"", *headers: tuple[str, str], status: int = 200) -> HttpObservation:
    """An answer."""
    return HttpObservation(
        place="web:/", duration=0.25, method="GET", url="http://a.test/", status=status, headers=headers, body=body
    )


def page(**options: object) -> PageObservation:
    """A page."""
    facts = {"place": "web:/", "duration": 0.5, "status": 200, "title": "Home", "url": "http://a.test/"}
    return PageObservation(**(facts | options))  # type: ignore[arg-type]  # the options of each test


def websocket(*messages: str) -> WebsocketObservation:
    """A session."""
    return WebsocketObservation(place="web:/ws", duration=0.1, messages=messages)


TLS = TlsObservation(
    place="a.test:443",
    duration=0.1,
    days_left=12.34,
    trusted=False,
    trust_error="certificate has expired (verify code 10)",
    version="TLSv1.3",
    cipher="TLS_AES_256_GCM_SHA384",
    issuer="CN=R11, O=Let's Encrypt",
    subject_name="a.test",
    names=("a.test",),
)
EXAMPLES: dict[str, Observation] = {
    "http": http(b"{}"),
    "tls": TLS,
    "dns": DnsObservation(place="a.test", duration=0.1, addresses=("10.0.0.1",)),
    "tcp": TcpObservation(place="a.test:22", duration=0.1, banner="SSH"),
    "websocket": websocket('{"a": 1}'),
    "page": page(),
}


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_subject_has_an_answer(kind: str) -> None:
    """Each word that may stand under ``expect`` can be asked of its observation."""
    for name in SUBJECTS[kind]:
        EXAMPLES[kind].subject(name)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_other_words_are_not_answered(kind: str) -> None:
    """Only the words of the vocabulary can be asked, whatever attributes there are."""
    for name in ("place", "phases", "subject", "__class__", ""):
        with pytest.raises(UnreadableError, match="knows no"):
            EXAMPLES[kind].subject(name)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_within_is_the_duration(kind: str) -> None:
    """Every observation can be asked how long it took."""
    assert EXAMPLES[kind].subject("within") == EXAMPLES[kind].duration


def test_plain_observations_have_no_excerpt() -> None:
    """An observation that has nothing to show shows nothing."""
    assert EXAMPLES["dns"].excerpt() == ""


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        (b'\xef\xbb\xbf"bom"', "bom"),
        ('"한"'.encode("utf-16"), "한"),
        ("1", 1),
        ('{"a": {"b": 1}, "b": 1}', {"a": {"b": 1}, "b": 1}),
    ],
)
def test_read_json(body: bytes | str, document: object) -> None:
    """JSON is read from text and from bytes of the encodings that it may have."""
    assert read_json(body) == document


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "not JSON: Expecting value at line 1 column 1"),
        (b'{"a": 1,}', "not JSON: "),
        (b'{"a": 1} x', "not JSON: Extra data at line 1 column 10"),
        (b"NaN", "not JSON: NaN is not a JSON number"),
        (b"[-Infinity]", "not JSON: -Infinity is not a JSON number"),
        (b'{"a": 1, "a": 2}', 'JSON with the key "a" twice in one object'),
        (b'[{"b": {"a": 1, "a": 1}}]', 'JSON with the key "a" twice in one object'),
        (b'"\xff"', "not JSON: bytes that are not utf-8 at offset 1"),
        (b"[" * 100_000, "not JSON that can be read: nested too deeply"),
        (b"9" * 5000, "not JSON that can be read: "),
        (b"", "not JSON: "),
    ],
    ids=lambda value: str(value)[:30],
)
def test_strict_json(body: bytes, message: str) -> None:
    """What is not JSON, or JSON that two readers read differently, is unreadable, with what and where."""
    with pytest.raises(UnreadableError) as caught:
        read_json(body)
    assert str(caught.value).startswith(message)


def test_message_of_a_long_key_is_short() -> None:
    """A hostile key does not fill the report."""
    with pytest.raises(UnreadableError) as caught:
        read_json(json.dumps({"k" * 10_000: 1})[:-1] + "," + json.dumps({"k" * 10_000: 1})[1:])
    assert len(str(caught.value)) < 120


def test_repeated_key_among_many_is_found_at_once() -> None:
    """A large object with one repeated key costs no more than reading it."""
    body = "{" + ",".join(f'"k{number}":0' for number in range(50_000))
    start = time.process_time()
    read_json(body + "}")
    middle = time.process_time()
    with pytest.raises(UnreadableError):
        read_json(body + ',"k49999":0}')
    assert time.process_time() - middle < 200 * (middle - start)


@given(st.binary(max_size=50) | st.text(max_size=50))
def test_reading_raises_nothing_else(body: bytes | str) -> None:
    """Whatever comes is a document or unreadable."""
    with suppress(UnreadableError):
        read_json(body)


def test_json_of_an_answer() -> None:
    """The body of an answer is read as JSON when it is asked for."""
    assert http(b'{"a": 1}').subject("json") == {"a": 1}


def test_json_of_an_empty_answer() -> None:
    """An empty body is not JSON, and says so."""
    with pytest.raises(UnreadableError, match="the body is empty"):
        http().subject("json")


def test_body_of_an_answer() -> None:
    """The body as text shows what is not UTF-8."""
    assert http("한".encode() + b"\xff").subject("body") == "한\\xff"


@pytest.mark.parametrize(
    ("name", "value"), [("Cache-Control", "no-store"), ("set-cookie", "a=1, b=2"), ("x-none", MISSING), (None, MISSING)]
)
def test_headers_of_an_answer(name: str | None, value: object) -> None:
    """Headers are found in any case, and repeated ones are one value."""
    headers = (("cache-control", "no-store"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
    assert http(b"", *headers).subject("header", name) == value


@pytest.mark.parametrize(
    ("status", "headers", "redirect"),
    [
        (302, [("location", "/")], True),
        (302, [], False),
        (200, [("location", "/")], False),
        (304, [("location", "/")], False),
    ],
    ids=["redirect", "no location", "not 3xx", "not modified"],
)
def test_redirect(status: int, headers: list[tuple[str, str]], redirect: bool) -> None:
    """A redirect is one that says where to."""
    assert http(b"", *headers, status=status).is_redirect is redirect


@pytest.mark.parametrize(
    ("answer", "excerpt"),
    [
        (http(b"hello", ("content-type", "text/plain")), "HTTP/1.1 200  text/plain\nhello"),
        (http(b"  \n"), "HTTP/1.1 200"),
        (http(b"x" * 700), "HTTP/1.1 200\n" + "x" * 599 + "…"),
    ],
    ids=["whole", "empty", "long"],
)
def test_excerpt_of_an_answer(answer: HttpObservation, excerpt: str) -> None:
    """An excerpt is the head and the beginning of the body, and says where it was cut."""
    assert answer.excerpt() == excerpt


def test_excerpt_of_a_certificate() -> None:
    """A certificate that is not trusted says why, below whose it is."""
    assert TLS.excerpt().splitlines() == [
        "TLSv1.3  a.test  issued by CN=R11, O=Let's Encrypt, 12.3 days left",
        "not trusted: certificate has expired (verify code 10)",
    ]


def test_excerpt_of_a_trusted_certificate() -> None:
    """A trusted certificate is one line."""
    trusted = TlsObservation(**(vars(TLS) | {"trusted": True, "trust_error": None}))
    assert "\n" not in trusted.excerpt()


def test_last_message() -> None:
    """A message is the last one, as text or as JSON, among all of them."""
    seen = websocket("hi", '{"a": 1}')
    assert seen.subject("message") == '{"a": 1}'
    assert seen.subject("json") == {"a": 1}
    assert seen.subject("messages") == ("hi", '{"a": 1}')
    assert seen.subject("connected") is True


def test_no_message() -> None:
    """Where no message came, there is nothing, not an empty text."""
    assert websocket().subject("message") is MISSING
    assert websocket().subject("json") is MISSING


def test_message_that_is_not_json() -> None:
    """A message that is asked for as JSON and is none is unreadable."""
    with pytest.raises(UnreadableError):
        websocket("hi").subject("json")


def test_excerpt_of_messages() -> None:
    """Messages stand a line each."""
    assert websocket("a", "b").excerpt() == "a\nb"


@pytest.mark.parametrize("word", ["visible", "hidden"])
def test_selector_that_was_not_looked_for(word: str) -> None:
    """Of a selector that was never looked for, nothing is known: it is neither visible nor hidden."""
    seen = page(seen={"#on": True, "#off": False})
    assert seen.subject(word, "#on") is True
    assert seen.subject(word, "#off") is False
    assert seen.subject(word, "#other") is MISSING
    assert seen.subject(word) is MISSING


def test_text_of_a_page() -> None:
    """The text of a page, or of one of its elements."""
    seen = page(body_text="Hello", texts={"h1": "Title"})
    assert seen.subject("text") == "Hello"
    assert seen.subject("text", "h1") == "Title"
    assert seen.subject("text", "h2") is MISSING


def test_noise_of_a_page() -> None:
    """Console errors and failed requests are texts that can be matched."""
    seen = page(
        console=(ConsoleMessage("boom", "http://a.test/a.js:1:2"), ConsoleMessage("bang")),
        requests=(FailedRequest("GET", "http://a.test/x", "HTTP 404", 404),),
    )
    assert seen.subject("console") == ("boom (http://a.test/a.js:1:2)", "bang")
    assert seen.subject("requests") == ("GET http://a.test/x: HTTP 404",)
    assert seen.excerpt().splitlines() == [
        "HTTP 200  'Home'  http://a.test/",
        "console: boom (http://a.test/a.js:1:2)",
        "console: bang",
        "request: GET http://a.test/x: HTTP 404",
    ]


def test_what_we_refused_is_no_finding() -> None:
    """Requests that we stopped, and what the browser says of them, are told apart from those that failed."""
    refused = FailedRequest("POST", "http://web/beacon", "read-only", refused=True)
    seen = PageObservation(
        place="web:/",
        duration=0.1,
        status=200,
        title="",
        url="http://web/",
        console=(
            ConsoleMessage("net::ERR_BLOCKED_BY_CLIENT", "http://web/beacon"),
            ConsoleMessage("net::ERR_BLOCKED_BY_CLIENT", "http://elsewhere/"),
            ConsoleMessage("WebSocket connection to 'http://web/beacon' failed: net::ERR_TUNNEL", "http://web/"),
            ConsoleMessage("boom", "http://web/beacon"),
        ),
        requests=(refused, FailedRequest("GET", "http://web/x", "HTTP 404", 404)),
    )

    assert seen.refusals == (refused,)
    assert seen.subject("console") == ("net::ERR_BLOCKED_BY_CLIENT (http://elsewhere/)", "boom (http://web/beacon)")
    assert seen.subject("requests") == ("GET http://web/x: HTTP 404",)
