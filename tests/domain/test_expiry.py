from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from postdeploy.domain.control import ControlProbe, ControlResult, Moment
from postdeploy.domain.decision import decide
from postdeploy.domain.expiry import expiring
from postdeploy.domain.secret import Secret
from postdeploy.domain.target import Control, Target
from postdeploy.domain.verdict import Conclusion, Reason
from tests.domain.builders import attempt, evidence, failed, passed

DAY = 86400
END = datetime(2027, 1, 31, tzinfo=UTC).timestamp()


def token(claims: Any, **more: Any) -> str:
    """A JSON Web Token; nobody looks at its signature."""
    parts = ({"alg": "none", "typ": "JWT"} | more, claims)
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"])


def found(value: str, now: float, **control: Any) -> list[ControlResult]:
    """What is said of a target whose one secret has this value."""
    target = Target("staging", {}, control=Control(**control), secrets={"pin": Secret("pin", value)})
    return list(expiring(target, now))


@pytest.mark.parametrize(
    "value", [token({"exp": END}), "Bearer " + token({"exp": int(END), "pad": "x" * 5}), "opaque-value"]
)
@pytest.mark.parametrize(
    ("left", "code", "said"),
    [
        (8 * DAY, None, ""),
        (7 * DAY, None, ""),
        (7 * DAY - 1, "credentials_expire", "is about to expire: 6 days are left until 2027-01-31 00:00 UTC"),
        (DAY, "credentials_expire", "is about to expire: 1 day is left until 2027-01-31 00:00 UTC"),
        (1, "credentials_expire", "is about to expire: less than a day is left until 2027-01-31 00:00 UTC"),
        (0, "credentials_expired", "has expired: it ended on 2027-01-31 00:00 UTC"),
        (-9 * DAY, "credentials_expired", "has expired: it ended on 2027-01-31 00:00 UTC"),
    ],
)
def test_when_it_is_told(value: str, left: float, code: str | None, said: str) -> None:
    """A token says when it ends, for anything else the target does; it is told a week before, and no sooner."""
    control = {} if "." in value else {"expires": {"pin": "2027-01-31"}}
    results = found(value, END - left, **control)
    if code is None:
        assert results == []
        return
    message = f"the credential 'pin' {said}; renew it, or say under control that it expires never"
    healthy = code == "credentials_expire"
    assert results == [ControlResult(ControlProbe.CREDENTIALS, Moment.START, healthy, END - left, message, code)]


def test_how_long_before() -> None:
    """The notice is the target's to choose."""
    assert found(token({"exp": END}), END - 20 * DAY, notice=30)
    assert not found(token({"exp": END}), END - 2 * DAY, notice=1)


def test_the_target_knows_better() -> None:
    """What the target says of a token counts more than what the token says: one may be expired on purpose."""
    assert found(token({"exp": END}), END + 1, expires={"pin": "never"}) == []
    (late,) = found(token({"exp": END}), END - DAY, expires={"pin": "2027-01-30"})
    assert late.code == "credentials_expired"


@pytest.mark.parametrize(
    "value",
    [
        "opaque-value",
        "a.b.c",
        "eyJhbGci.not-base64!.c2ln",
        "eyJhbGci.W10.c2ln",
        "eyJhbGci." + "W" * 20_000 + ".c2ln",
        token({"exp": END}).removeprefix("eyJ"),
        token({"exp": END}) + ".more",
        token({}),
        token({"exp": "2027-01-31"}),
        token({"exp": True}),
        token({"exp": -1}),
        token({"exp": float("nan")}),
        token({"exp": 1e300}),
        "eyJhbGci." + urlsafe_b64encode(b"[" * 9_000).decode() + ".c2ln",
    ],
    ids=range(14),
)
def test_what_says_nothing_of_its_end(value: str) -> None:
    """Anything but a token with a time that a calendar has is left alone."""
    assert found(value, END + 400 * DAY) == []


def test_what_it_means_for_the_verdict() -> None:
    """One that will expire is a warning and no excuse; one that has is the fault of whoever runs the checks."""
    (soon,) = found(token({"exp": END}), END - 2 * DAY)
    (over,) = found(token({"exp": END}), END)
    good = decide(evidence(passed(), control=(soon,)))
    assert (good.conclusion, good.warnings) == (Conclusion.PASS, (f"control: {soon.message}",))
    refused = failed(attempts=(attempt("failed", status=401), attempt("failed", 2, status=401)))
    assert decide(evidence(refused, control=(soon,))).conclusion is Conclusion.FAIL
    held = decide(evidence(refused, control=(over,)))
    assert (held.conclusion, held.reason) == (Conclusion.INCONCLUSIVE, Reason.RUNNER_FAULT)
    assert over.message in held.summary


def test_each_credential_is_told_once() -> None:
    """Several machines find the same; several credentials are several things to do."""
    (one,) = found(token({"exp": END}), END)
    (other,) = found(token({"exp": END}), END - DAY)
    assert len(decide(evidence(passed(), control=(one, other, one))).warnings) == 2
