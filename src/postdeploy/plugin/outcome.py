"""What a report says beside pytest's own: which check it is, and what came of it, as JSON builtins."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, Final

import pytest

from postdeploy.domain.matcher import show
from postdeploy.domain.result import Attempt, CheckResult, Fault, Finding, Outcome
from postdeploy.errors import BrowserUnavailableError
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS, retry_after
from postdeploy.plugin.activity import Activity
from postdeploy.plugin.items import CheckItem
from postdeploy.plugin.keys import ACTIVITY, EXECUTION, PAYLOAD, PLANNED, RESULT
from postdeploy.plugin.masking import mask
from postdeploy.plugin.protocol import overran

__all__: list[str] = []

_PRIVATE: Final = "playwright._impl._errors"
"""Where Playwright keeps its exceptions, which people know as those of ``playwright.sync_api``."""

_TARGET_ERRORS: Final = frozenset(
    {
        ("builtins", "AssertionError"),
        ("builtins", "Failed"),  # pytest.fail's, which says that it lives there
        (_PRIVATE, "TimeoutError"),
        ("httpx2", "HTTPStatusError"),
        ("httpx2", "TransportError"),
        ("httpx2", "TooManyRedirects"),
        ("postdeploy.errors", "ProbeError"),
        ("postdeploy.domain.strict_json", "UnreadableError"),
    }
)
"""Classes of exceptions that speak of the target; any other exception of a test means that we could not tell."""

_OWN_ERRORS: Final = frozenset(
    ("httpx2", name) for name in ("UnsupportedProtocol", "LocalProtocolError", "PoolTimeout", "ProxyError")
)
"""Classes below the ones above that speak of the test or of this machine."""

_LONGEST: Final = 2000

_COLOURS: Final = re.compile("\x1b\\[[0-9;]*m")
"""What pytest puts into its messages on a terminal."""

_RUNNERS: Final = frozenset({"_pytest.python", "pytest_timeout"})
"""Modules whose ``pytest.fail`` speaks of the test: it is async without a plugin, or it hung."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach what the journal needs, and mask secrets in what pytest keeps."""
    report = yield
    planned = item.stash.get(PLANNED, None)
    if planned is not None:
        payload = _payload(item, call, report)
        if payload is not None:
            payload["check"] = planned.id
            if learnt := item.config.stash[EXECUTION].learnt(failed=not _passed(payload)):
                payload["learnt"] = learnt
            setattr(report, PAYLOAD, payload)  # the journal masks it, and so does who sends it elsewhere
        if call.excinfo is not None and isinstance(call.excinfo.value, BrowserUnavailableError):
            report.longrepr = call.excinfo.getrepr(style="value")  # no line of a test can do anything about it
        mask(report, item.config.stash[EXECUTION].redactor)
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, Any] | None:
    """Letters and words for the outcomes that pytest does not know."""
    payload = getattr(report, PAYLOAD, None) or {}
    result = payload.get("result")
    if not result:
        return None
    if result["outcome"] in {"blocked", "not_run"}:
        word = result["outcome"].replace("_", " ")
        return word, word[0], (word.upper(), {"yellow": True})
    if result["outcome"] == "errored":
        return "error", "E", ("ERRORED", {"red": True})
    if result["outcome"] == "passed" and any(a["outcome"] != "passed" for a in result["attempts"]):
        return "flaky", "~", ("FLAKY", {"yellow": True})
    return None


def _passed(payload: dict[str, Any]) -> bool:
    return bool((payload.get("result") or payload.get("attempt") or {"outcome": "passed"})["outcome"] == "passed")


def _payload(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> dict[str, Any] | None:
    result = item.stash.get(RESULT, None)
    if isinstance(item, CheckItem):
        if report.when != "call" or result is None:
            return _crashed(item, report)
        report.duration = sum(attempt.duration for attempt in result.attempts)
        return {"result": result.to_json()}
    if result is not None:
        return {"result": result.to_json()} if report.when == "setup" else None
    return _python(item, call, report)


def _crashed(item: CheckItem, report: pytest.TestReport) -> dict[str, Any] | None:
    """A declared check that another plugin broke, or that was interrupted before its result came."""
    if report.passed:
        return None
    reason = f"broke in {report.when}: {_message(report, None)}"
    return {"result": CheckResult(item.check.id, Outcome.ERRORED, reason=reason).to_json()}


def _python(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> dict[str, Any]:
    payload: dict[str, Any] = {"when": report.when}
    if report.skipped:
        return payload | {"skip": _skip_text(report)}
    if hasattr(report, "wasxfail"):
        return payload | {"skip": f"marked xfail: {report.wasxfail}"}
    if report.when == "call" or report.failed:
        payload["attempt"] = _attempt(item, call, report).to_json()
    return payload


def _attempt(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Attempt:
    activity = item.stash.get(ACTIVITY, None) or Activity(item.nodeid)
    outcome = _outcome(call, report, activity)
    failed = outcome is not Outcome.PASSED
    if failed and activity.status == TOO_MANY_REQUESTS:  # a test that expects it has what it wants
        item.config.stash[EXECUTION].traffic.courtesy.limited(activity.ended, retry_after(activity.retry_after))
    message = _message(report, call) if failed else ""
    if not failed and (limit := overran(item, call.duration)) is not None:
        outcome, message = Outcome.ERRORED, f"it took longer than its {limit:g} s and swallowed the timeout"
    findings = _findings(call, report, message) if outcome is Outcome.FAILED else ()
    return Attempt(
        outcome=outcome,
        started=call.start,
        duration=call.duration,
        phases=activity.phases,
        findings=findings,
        error=message if outcome is Outcome.ERRORED else None,
        exchanges=activity.exchanges + len(activity.notes),
        releases=tuple(activity.releases),
        excerpt=activity.excerpt if failed else "",
        curl=activity.curl if failed else None,
        evidence=tuple(activity.evidence),
        fault=Fault(*activity.fault) if failed and activity.fault else None,
        status=activity.status if failed else None,
        code=activity.code if outcome is Outcome.ERRORED else None,
    )


def _outcome(call: pytest.CallInfo[None], report: pytest.TestReport, activity: Activity) -> Outcome:
    if report.passed:
        return Outcome.PASSED if call.excinfo is None else Outcome.ERRORED  # somebody has forged it
    if report.when != "call" or call.excinfo is None:
        return Outcome.ERRORED
    family = {(_home(kind), kind.__name__) for kind in call.excinfo.type.__mro__}
    if not family & _TARGET_ERRORS or family & _OWN_ERRORS or _raised_by_runner(call.excinfo):
        return Outcome.ERRORED
    if activity.code is not None:  # the last thing that it tried came to nothing, and not by the target's fault
        return Outcome.ERRORED
    return Outcome.FAILED


def _raised_by_runner(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether pytest.fail was called by a runner's module rather than by the test."""
    frames = [entry.frame.f_globals.get("__name__") for entry in excinfo.traceback[-2:]]
    return frames[-1] == "_pytest.outcomes" and frames[0] in _RUNNERS


def _home(kind: type) -> str:
    """Where a class lives as far as the table says: httpx2 keeps its exceptions in a private module."""
    return "httpx2" if kind.__module__.startswith("httpx2") else kind.__module__


def _findings(call: pytest.CallInfo[None], report: pytest.TestReport, message: str) -> tuple[Finding, ...]:
    """What the exception itself has found, else its message."""
    found: tuple[Finding, ...] = getattr(call.excinfo.value if call.excinfo else None, "findings", ())
    crash = getattr(report.longrepr, "reprcrash", None)
    return found or (_assertion(crash, message),)


def _assertion(crash: Any, message: str) -> Finding:
    return Finding("assertion", "test", "no failure", message, line=getattr(crash, "lineno", 0) or 0)


def _message(report: pytest.TestReport, call: pytest.CallInfo[None] | None) -> str:
    if report.passed and call is not None and call.excinfo is not None:
        return f"a plugin reports a pass, but the test raised {call.excinfo.exconly(tryshort=True)[:_LONGEST]}"
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    text = _COLOURS.sub("", text).encode("utf-8", "backslashreplace").decode("utf-8").removeprefix(f"{_PRIVATE}.")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _skip_text(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return show(text.removeprefix("Skipped: "), 500).strip('"')
