from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from postdeploy.config import load_target, problems, target_identity
from postdeploy.config.receivers import load_receivers
from postdeploy.domain.receiver import HttpReceiver, MailReceiver

HOOK = "https://hooks.test/services/T0123456789ABCDEFGH?sig=0123456789abcdef"
HEAD = 'targets:\n  staging:\n    services: {web: "https://web.test"}\n'


def write(folder: Path, notify: str) -> Path:
    """A targets file with this under ``notify``."""
    path = folder / "targets.yaml"
    path.write_text(HEAD + "    notify:\n" + textwrap.indent(textwrap.dedent(notify).strip() + "\n", "      "))
    return path


def test_every_kind(tmp_path: Path) -> None:
    """Each kind is read in its short and its long form, with its defaults."""
    (tmp_path / "key").write_text("a" * 32 + "\n")
    path = write(
        tmp_path,
        """
        a: {slack: "${HOOK}"}
        b: {teams: "${env:HOOK}"}
        c: {discord: "https://discord.test/x"}
        d: {pagerduty: "${file:key}"}
        e: {pagerduty: {key: "${file:key}", url: "https://events.eu.test/v2/enqueue"}}
        f: {webhook: "http://127.0.0.1:9000/hook"}
        g: {webhook: {url: "${HOOK}", sign_with: "${cmd:printf whsec_AAAA}"}}
        h: {email: {to: a@b.test, from: c@d.test, server: smtp.test}}
        i:
          email:
            {to: [a@b.test, e@f.test], from: c@d.test, server: "[::1]:2525", security: tls, user: u, password: "${PW}"}
        """,
    )
    receivers, wrong = load_receivers(path, "staging", {"HOOK": HOOK, "PW": "0123456789"})
    assert wrong == ()
    read = {each.name: each for each in receivers}
    assert {name: each.kind for name, each in read.items()} == {
        "a": "slack", "b": "teams", "c": "discord", "d": "pagerduty", "e": "pagerduty", "f": "webhook",
        "g": "webhook", "h": "email", "i": "email",
    }  # fmt: skip
    http = {name: each for name, each in read.items() if isinstance(each, HttpReceiver)}
    assert http["a"].url.reveal() == http["b"].url.reveal() == HOOK
    assert {http[name].key.reveal() for name in "de"} == {"a" * 32}  # type: ignore[union-attr]
    assert [http[name].url.reveal() for name in "de"] == [
        "https://events.pagerduty.com/v2/enqueue", "https://events.eu.test/v2/enqueue",
    ]  # fmt: skip
    assert http["g"].key is not None
    assert http["g"].key.reveal() == "whsec_AAAA"
    plain, login = read["h"], read["i"]
    assert isinstance(plain, MailReceiver)
    assert isinstance(login, MailReceiver)
    assert (plain.to, plain.host, plain.port, plain.security) == (("a@b.test",), "smtp.test", 587, "starttls")
    assert (login.host, login.port, login.security, login.user) == ("::1", 2525, "tls", "u")


@pytest.mark.parametrize(
    ("notify", "said"),
    [
        ("a: {slak: x}", "'a' takes one of|unknown key 'slak' (did you mean 'slack'?)"),
        ("a: {slack: 'https://a.test', teams: 'https://a.test'}", "'a' takes one of slack, teams, discord, "),
        ("a: {slack: 'http://a.test/x'}", "'slack' is sent over http, where others can read it (write https://)"),
        ("a: {slack: 'ftp://a.test/x'}", "'slack' is not a URL that begins with https://"),
        ("a: {slack: 'https://'}", "'slack' is not a URL that begins with https://"),
        ("a: {slack: 'https://[x'}", "'slack' is not a URL"),
        ("a: {pagerduty: short}", "'pagerduty' is no routing key of PagerDuty"),
        ("a: {email: {to: [a], from: c@d.test, server: s}}", "takes an address such as team@example.com, not 'a'"),
        ("a: {email: {to: 'a@b.test', from: 'c@d.test', server: 's:99999'}}", "'server' takes a host, "),
        ("a: {email: {to: 'a@b.test', from: 'c@d.test'}}", "'server' is missing"),
        ("A: {slack: 'https://a.test'}", "'A' is no name of a receiver"),
        ("a: {webhook: {sign_with: x}}", "'url' is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_validate(tmp_path: Path, notify: str, said: str) -> None:
    """Every mistake is found without a variable being set."""
    told = "\n".join(map(str, problems(write(tmp_path, notify), (), tmp_path, {})))
    assert any(part in told for part in said.split("|")), told


def test_a_value_is_never_shown(tmp_path: Path) -> None:
    """What a variable holds stays out of messages, also where it cannot be used."""
    path = write(tmp_path, 'a: {slack: "${HOOK}"}\nb: {pagerduty: "${HOOK}"}\nc: {slack: "https://c.test/x"}')
    receivers, wrong = load_receivers(path, "staging", {"HOOK": "xoxb-very-secret value"})
    assert [each.name for each in receivers] == ["c"]
    assert len(wrong) == 2
    assert "very-secret" not in repr((receivers, wrong))


def test_a_run_needs_none_of_it(tmp_path: Path) -> None:
    """A run starts without these variables, and its configuration is the same whoever is told."""
    path = write(tmp_path, 'a: {slack: "${HOOK}"}\nb: {webhook: {url: "${HOOK}", sign_with: "${cmd:false}"}}')
    digest = load_target(path, "staging", {}).config_digest
    assert target_identity(path, "staging", {}).digest == digest
    assert load_target(path, "staging", {"HOOK": HOOK}).config_digest == digest
    assert load_target(path, "staging", {"HOOK": "what no receiver takes"}).config_digest == digest
    path.write_text(HEAD)
    assert load_target(path, "staging", {}).config_digest == digest
    assert load_receivers(path, "staging", {}) == ((), ())


def test_targets_inherit(tmp_path: Path) -> None:
    """``extends`` merges receivers by name."""
    path = write(tmp_path, "a: {slack: 'https://a.test/x'}")
    path.write_text(
        path.read_text() + "  production:\n    extends: staging\n    notify: {b: {discord: 'https://b.test'}}\n"
    )
    receivers, _ = load_receivers(path, "production", {})
    assert [each.name for each in receivers] == ["a", "b"]
