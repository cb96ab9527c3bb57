from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.domain.policy import OnMaintenance
from postdeploy.domain.target import Control, Location, Login, Maintenance, Target
from tests.config.test_targets import with_service

Load = Callable[..., Target]
Problems = Callable[..., list[str]]

WHOLE = """\
control:
  url: https://status.example.org/ping
  name: example.org
  skew: 30s
  timeout: 500ms
  expires: {word: 2027-01-31, other: never}
  notice: 14
  login: {post: "web:/login", test: {email: mail, password: word}, control: {email: mail, password: other}}
secrets: {mail: anne@b.test, word: password-1, other: password-2}
allow: ["POST web:/login"]
maintenance: {header: X-Maintenance, contains: back soon}
policy: {on_maintenance: hold}
"""


def test_everything_that_a_control_may_say(load: Load) -> None:
    """A control URL, a name, bounds, and a login whose bodies name secrets; maintenance and what it means."""
    target = load(with_service(WHOLE))
    login = Login(
        Location("web", "/login"), {"email": "mail", "password": "word"}, {"email": "mail", "password": "other"}
    )
    expires = {"word": "2027-01-31", "other": "never"}
    assert target.control == Control("https://status.example.org/ping", "example.org", 30.0, 0.5, login, expires, 14)
    assert target.maintenance == Maintenance("x-maintenance", "back soon")
    assert target.policy.on_maintenance is OnMaintenance.HOLD


def test_nothing_is_needed(load: Load) -> None:
    """A target without a control has the defaults."""
    target = load(with_service("access: read-only"))
    assert (target.control, target.maintenance) == (Control(), Maintenance())
    assert target.policy.on_maintenance is OnMaintenance.FAIL


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("control: {url: example.org}", "4:20: 'url' must begin with http:// or https://"),
        (
            "control: {url: http://web.test/up}",
            "4:20: 'url' is on the target itself, so it tells nothing beside it (choose one that does not fail",
        ),
        ("control: {name: a b}", "4:21: 'name' takes a host name such as example.com, not 'a b'"),
        ("control: {login: {post: 'web:/x', test: {}, control: {}}}", "names no key of the body"),
        (
            "control: {login: {post: 'web:/x', test: {a: pin}, control: {a: pni}}}\nsecrets: {pin: pin-12345678}",
            "'a' names the secret 'pni', which target 'staging' does not have (did you mean 'pin'?)",
        ),
        ("control: {login: {post: 'web:/x', test: {a: pin}, control: {a: pin}}}", "(name it under 'secrets')"),
        (
            "control: {login: {post: 'web:/x', test: {a: pin}, control: {a: pin}}}\nsecrets: {pin: pin-12345678}",
            "4:29: 'post' is not allowed by read-only access (add to 'allow': \"POST web:/x\")",
        ),
        (
            "control: {expires: {pni: 2027-01-31}}\nsecrets: {pin: pin-12345678}",
            "4:25: 'pni' is no secret of target 'staging' (did you mean 'pin'?)",
        ),
        ("control: {expires: {pin: 2027-01-31}}", "'pin' is no secret of target 'staging' (name it under 'secrets')"),
        (
            "control: {expires: {pin: 2027-02-30}}\nsecrets: {pin: pin-12345678}",
            "4:30: 'pin' takes a day such as 2026-12-01, or never, not '2027-02-30'",
        ),
        ("control: {expires: soon}", "'expires' takes a mapping, not 'soon'"),
        ("control: {notice: 0}", "'notice' takes a whole number from 1 to 365, not '0'"),
        ("control: {ulr: http://x.test}", "unknown key 'ulr' (did you mean 'url'?)"),
        ("control: 5", "'control' takes a mapping"),
        ("policy: {on_maintenance: rollback}", "'on_maintenance' takes fail or hold"),
    ],
)
def test_mistakes(target_problems: Problems, text: str, problem: str) -> None:
    """Every mistake in a control is told with its place."""
    assert any(problem in found for found in target_problems(with_service(text))), target_problems(with_service(text))
