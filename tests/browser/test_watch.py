from __future__ import annotations

import re

import pytest

from postdeploy.browser.faults import navigation_fault
from postdeploy.browser.watch import clean, console_error, page_error, request_failure, response_failure, without
from postdeploy.domain.observation import ConsoleMessage, FailedRequest


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("한글 ok\n\tnext", "한글 ok\n\tnext"),
        ("a\ud800b", "a\\ud800b"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("x" * 3000, "x" * 2000 + "…"),
    ],
)
def test_foreign_text(text: str, cleaned: str) -> None:
    """Foreign text is made valid, visible and short; what is fine stays as it is."""
    assert clean(text) == cleaned


def test_only_errors_count() -> None:
    """Of what a page writes to its console only errors are told, with their place where it is known."""
    place = {"url": "http://x/a.js", "line": 2, "column": 4}

    assert console_error("error", "boom", place) == ConsoleMessage("boom", "http://x/a.js:3:5")
    assert console_error("error", "404", {"url": "http://x/", "line": 0, "column": 0}) == ConsoleMessage(
        "404", "http://x/"
    )
    assert console_error("error", "boom", {}) == ConsoleMessage("boom")
    assert console_error("warning", "careful", place) is None


def test_uncaught_exception() -> None:
    """An exception is told with its name."""
    assert page_error("TypeError", "x is null", {}) == ConsoleMessage("Uncaught TypeError: x is null")
    assert page_error(None, "thrown text", {}) == ConsoleMessage("Uncaught Error: thrown text")


def test_requests_that_fail() -> None:
    """Answers of 400 and above fail, and requests without an answer, but not those that the page calls off."""
    assert response_failure("GET", "http://x/", 399) is None
    assert response_failure("GET", "http://x/", 400) == FailedRequest("GET", "http://x/", "HTTP 400", 400)
    assert request_failure("GET", "http://x/", "net::ERR_ABORTED") is None
    assert request_failure("GET", "http://x/", None) == FailedRequest("GET", "http://x/", "failed")


def test_allowed_ones() -> None:
    """What matches a pattern is taken out."""
    items = [FailedRequest("GET", "http://x/a", "HTTP 404"), FailedRequest("GET", "http://x/b", "HTTP 500")]

    assert without(items, [re.compile("HTTP 4..$")]) == tuple(items[1:])
    assert without(items, []) == tuple(items)


@pytest.mark.parametrize(
    ("text", "code", "target_fault"),
    [
        ("Page.goto: net::ERR_CONNECTION_REFUSED at http://x/", "connection_refused", True),
        ("net::ERR_CERT_DATE_INVALID at https://x/", "certificate_expired", True),
        ("net::ERR_CERT_WEAK_KEY at https://x/", "certificate_untrusted", True),
        ("net::ERR_SSL_BAD_RECORD_MAC_ALERT at https://x/", "tls_handshake", True),
        ("net::ERR_SOMETHING_NEW at https://x/", "navigation_failed", True),
        ("net::ERR_INTERNET_DISCONNECTED at https://x/", "network_unreachable", False),
        ("net::ERR_PROXY_CONNECTION_FAILED", "proxy_failed", False),
        ("Page.goto: Page crashed", "page_crashed", False),
        ("Target page, context or browser has been closed", "page_closed", False),
        ("something else", "browser_error", False),
    ],
)
def test_navigation_fault(text: str, code: str, target_fault: bool) -> None:
    """Each text of the browser has a code, and what is not known to be the target's fault is not called so."""
    error = navigation_fault(text, "https://x/")

    assert (error.code, error.target_fault) == (code, target_fault)
    assert "https://x/" in error.message
