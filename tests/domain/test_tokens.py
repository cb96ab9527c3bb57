from __future__ import annotations

import pytest

from postdeploy.domain.secret import Secret
from postdeploy.domain.tokens import cookies, issued, kept

TOKEN = "a7Bq-1zzKK20"


@pytest.mark.parametrize(
    ("headers", "body", "secrets"),
    [
        ([("Set-Cookie", f'sid="{TOKEN}"; Path=/')], b"", [Secret("sid", TOKEN)]),
        ([("set-cookie", "theme=dark"), ("set-cookie", "lang=aaaaaaaaaaaaaa"), ("etag", f"sid={TOKEN}")], b"", []),
        ([], b'{"access_token": "a7Bq-1zzKK20", "name": "a7Bq-1zzKK21"}', [Secret("access_token", TOKEN)]),
        ([], b'{"user": {"sessionId" : "a7Bq-1zzKK20"}}', [Secret("sessionId", TOKEN)]),
        ([], b'{"token": "aaaaaaaaaaaaaa", "secret": "short", "keys": "a7Bq-1zzKK20"}', []),
        ([], b'{"token": "' + "€€€€€€".encode() + b'"}', []),
        ([], b'{"name": "a7Bq-1zzKK20"}', []),
        ([], b" " * 64 * 1024 + b'{"token": "a7Bq-1zzKK20"}', []),
    ],
    ids=[
        "cookie", "other cookies and headers", "member", "nested member", "weak members", "few characters",
        "other members", "far behind",
    ],
)  # fmt: skip
def test_what_a_login_issues(headers: list[tuple[str, str]], body: bytes, secrets: list[Secret]) -> None:
    """Cookies and members named like a token are secret, where they are long and varied enough to be masked."""
    assert list(issued("POST", headers, body)) == secrets


def test_reading_issues_nothing() -> None:
    """What everybody gets for asking is no secret."""
    assert list(issued("GET", [("set-cookie", f"sid={TOKEN}")], b'{"token": "a7Bq-1zzKK20"}')) == []


def test_what_a_browser_keeps_is_secret_by_its_name() -> None:
    """Cookies and stored values whose names say so, and members of stored JSON; the rest, and what is short, is not."""
    pairs = [
        ("session_id", "s3ss10n-4711-abc"),
        ("connect.sid", "connected-4711-abc"),
        ("theme", "dark-and-stormy-night-7"),
        ("csrftoken", "short-1"),
        ("auth", "aaaaaaaaaaaaaaaa"),
        ("state", '{"user": {"access_token": "t0ken-within-json-1"}}'),
        ("video", "not-a-credential-77"),
    ]
    found = {secret.name: secret.reveal() for secret in kept(pairs)}
    assert found == {
        "session_id": "s3ss10n-4711-abc",
        "connect.sid": "connected-4711-abc",
        "access_token": "t0ken-within-json-1",
    }


def test_cookies_of_an_answer() -> None:
    """One header may hold several, a line each; what is no cookie is passed over."""
    headers = [("Set-Cookie", "sid=abcdefghijkl; Path=/\nother=mnopqrstuvwx"), ("set-cookie", "empty"), ("x", "sid=1")]
    assert list(cookies(headers)) == [("sid", "abcdefghijkl"), ("other", "mnopqrstuvwx")]


def test_a_name_without_end_takes_no_time() -> None:
    """A hostile answer cannot keep us busy: this would take years, were names tried in every way to split them."""
    assert list(issued("POST", (), b'{"' + b"ti" * 20_000 + b'oken": 1}')) == []
