"""The pages of one Python test: what they asked for, and what is kept of them when the test fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Final

import pytest
from _pytest.outcomes import Failed

from postdeploy.domain.result import Finding
from postdeploy.engine.places import below, evidence_folder
from postdeploy.errors import GuardRefusalError
from postdeploy.guard.courtesy import TOO_MANY_REQUESTS
from postdeploy.plugin.keys import ACTIVITY, PLANNED
from postdeploy.plugin.protocol import is_overdue

if TYPE_CHECKING:
    from postdeploy.plugin.execution import Execution

__all__ = ["PAGES", "PageProblemsError", "TestPages"]


_PATIENCE: Final = 8.0
"""Seconds for picture and trace of a test that failed."""

_OVERDUE: Final = 1.2
"""The same after its timeout: a page that does not answer then loses its browser."""


class PageProblemsError(Failed, AssertionError):
    """The test itself passed, but its pages had console errors or failed requests: these are the ``findings``.

    Shown without a traceback, as no line of the test raised it.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings), pytrace=False)


class TestPages:
    """One for each test that opens a context; ``recorder`` listens."""

    __test__ = False

    def __init__(self, item: pytest.Item, execution: Execution, kill: Callable[[], None]) -> None:
        from postdeploy.browser.recorder import PageRecorder

        target = execution.target
        attempt = getattr(item, "execution_count", 1)
        self._item = item
        self._kill = kill
        self._pace = execution.fence.pace
        self._held = self._pace.held()
        self._reports = execution.settings.reports
        self._folder = evidence_folder(self._reports, item.stash[PLANNED].id, attempt)
        last = attempt >= target.policy.confirm.attempts or not item.stash[PLANNED].may_repeat
        self.recorder = PageRecorder(
            trace=last,
            release_header=target.release.header if target.release else None,
            counts=lambda url: target.locate(url) is not None,
            redactor=execution.redactor,
        )

    def report(self) -> None:
        """Tell the test's record what the target answered."""
        activity = self._item.stash[ACTIVITY]
        activity.exchanges += self.recorder.exchanges
        activity.releases |= dict.fromkeys(self.recorder.releases)
        for request in self.recorder.requests:
            if request.status == TOO_MANY_REQUESTS:
                activity.limited()
            if request.status >= 500 and activity.fault is None:  # noqa: PLR2004  # 5xx, RFC 9110 §15.6
                activity.fault = (request.url, f"http_{request.status}")

    def keep(self) -> None:
        """Keep screenshot, trace and logs of a test that failed; one whose time is over ends soon."""
        patience = _OVERDUE if is_overdue(self._item) else _PATIENCE
        kept = self.recorder.keep(self._folder, patience=patience, kill=self._kill)
        self._item.stash[ACTIVITY].evidence += [below(self._reports, path) for path in kept]

    def require_undisturbed(self, error: BaseException) -> None:
        """A test whose page we kept from sending, or kept waiting, may fail because of that: nobody can tell."""
        if self.recorder.refusals and isinstance(error, Exception):
            refused = self.recorder.refusals[0]
            raise GuardRefusalError(f"the guard stopped {refused}; so this cannot be judged: {error}") from error
        held = self._pace.held() - self._held
        if held > 0 and "Timeout" in f"{type(error).__name__} {error}":
            text = f"requests waited {held:.1f} s for the budget of the run; so this cannot be judged: {error}"
            raise GuardRefusalError(text) from error

    def close(self) -> None:
        """Keep nothing more."""
        self.recorder.discard()


PAGES: pytest.StashKey[TestPages] = pytest.StashKey()


def _require_clean(findings: Sequence[Finding]) -> None:
    if findings:
        raise PageProblemsError(findings)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A page check fails on console errors and failed requests, unless it allows them."""
    pages = item.stash.get(PAGES, None)
    try:
        result = yield
        findings = pages.recorder.findings() if pages else ()
        _require_clean(findings)
    except BaseException as error:
        if pages:
            pages.report()
            pages.keep()
            pages.require_undisturbed(error)
        raise
    if pages:
        pages.recorder.learn()
        pages.report()
    return result
