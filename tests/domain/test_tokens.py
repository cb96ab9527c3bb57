from __future__ import annotations

import pytest

from postdeploy.domain.secret import Secret
from postdeploy.domain.tokens import issued

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
