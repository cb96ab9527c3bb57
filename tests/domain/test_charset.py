from __future__ import annotations

import pytest

from postdeploy.domain.charset import charset_of
from postdeploy.domain.strict_json import UnreadableError


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/plain; charset=ISO-8859-1", "iso-8859-1"),
        ('text/plain;Charset = "EUC-KR"', "euc-kr"),
        ("text/plain; charset=utf8; boundary=x", "utf8"),
        ("text/plain", "utf-8"),
        ("text/plain; charset=", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_charset_of_an_answer(content_type: str, charset: str) -> None:
    """The character set is the one that the header names, and UTF-8 where it names none."""
    assert charset_of(content_type) == charset


@pytest.mark.parametrize("name", ["rot13", "idna", "utf-7", "latin-11"])
def test_charset_that_is_not_read(name: str) -> None:
    """A codec that is no character set of the web is refused by its name."""
    with pytest.raises(UnreadableError) as caught:
        charset_of(f"text/plain; charset={name}")
    assert str(caught.value) == f"text in the character set '{name}', which is not read"
