from __future__ import annotations

from postdeploy.domain.receiver import HttpReceiver, MailReceiver
from postdeploy.domain.secret import Secret

PART = "b00mZ3qXk9TtW2vLr8"


def test_secrets_of_a_url() -> None:
    """A URL, whatever in it nobody can guess, and the key are secret; the words of its path are not."""
    url = Secret("team.url", f"https://hooks.test/services/{PART}?sig=short&more={PART}x")
    key = Secret("team.key", "0123456789abcdef")
    assert [each.reveal() for each in HttpReceiver("team", "slack", url).secrets] == [url.reveal(), PART, f"{PART}x"]
    assert HttpReceiver("team", "webhook", url, key).secrets[-1] == key


def test_secrets_of_mail() -> None:
    """Of mail, the password is secret, where there is one."""
    about = ("team", ("a@b.test",), "c@d.test", "localhost", 25)
    assert MailReceiver(*about).secrets == ()
    password = Secret("team.password", "0123456789abcdef")
    assert MailReceiver(*about, password=password).secrets == (password,)
