"""What the pages of one Python test said and asked for, and what is kept of them when the test fails."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postdeploy.browser.evidence import SCREENSHOT, TRACE, kept, write_logs
from postdeploy.browser.film import may_be_filmed, without_film
from postdeploy.browser.tokens import learn_cookies, learn_sync
from postdeploy.browser.veil import FRAMES, evaluation, picture, take_by, value_of, world
from postdeploy.browser.watch import Watch, without
from postdeploy.domain.matcher import show
from postdeploy.domain.observation import ConsoleMessage, FailedRequest, without_refused
from postdeploy.domain.redaction import Redactor
from postdeploy.domain.result import Finding

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

__all__ = ["PageRecorder"]

_SCREENSHOT: Final = 3000
_PATIENCE: Final = 8.0


class PageRecorder:
    """Listens to the contexts of one test.

    Args:
        trace: whether to record a trace, which costs 40 %.
        release_header: the response header that names the release, if there is one.
        counts: whether an answer from this URL is an answer of the target.
        redactor: knows the secrets that no picture may show.
    """

    def __init__(
        self,
        *,
        trace: bool = False,
        release_header: str | None = None,
        counts: Callable[[str], bool] | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self._redactor = redactor
        self.watch = Watch(release_header, counts)
        self._trace = trace
        self._contexts: list[BrowserContext] = []
        self._console: list[re.Pattern[str]] = []
        self._requests: list[re.Pattern[str]] = []

    def follow(self, context: BrowserContext) -> None:
        """Listen to a context, and trace it if that was asked for."""
        self.watch.follow(context)
        self._contexts.append(context)
        if self._redactor is not None:
            learn_sync(context, self._redactor)
        if self._trace:
            context.tracing.start(screenshots=may_be_filmed(self._redactor), snapshots=True, sources=False)

    def learn(self) -> None:
        """Learn the credentials that the contexts have been given, before anybody reports on the test."""
        if self._redactor is not None:
            for context in self._contexts:
                learn_cookies(context, self._redactor)

    def allow_console(self, pattern: str) -> None:
        """Expect console errors in which this regular expression is found."""
        self._console.append(re.compile(pattern))

    def allow_requests(self, pattern: str) -> None:
        """Expect failed requests in which (``METHOD url: reason``) this regular expression is found."""
        self._requests.append(re.compile(pattern))

    @property
    def console(self) -> tuple[ConsoleMessage, ...]:
        """The console errors and uncaught exceptions that nobody expected."""
        return without(without_refused(self.watch.console, self.watch.requests), self._console)

    @property
    def requests(self) -> tuple[FailedRequest, ...]:
        """The failed requests that nobody expected."""
        return without((item for item in self.watch.requests if not item.refused), self._requests)

    @property
    def refusals(self) -> tuple[FailedRequest, ...]:
        """The requests that we did not let leave this machine."""
        return tuple(item for item in self.watch.requests if item.refused)

    @property
    def exchanges(self) -> int:
        """How often the target answered."""
        return self.watch.exchanges

    @property
    def releases(self) -> Mapping[str, int]:
        """The releases that answered, and how often each."""
        return self.watch.releases

    def findings(self) -> tuple[Finding, ...]:
        """What went wrong in the pages, whatever the test itself asserted."""
        seen = {"console": self.console, "requests": self.requests}
        return tuple(
            Finding("mismatch", subject, "empty", show([str(item) for item in items]))
            for subject, items in seen.items()
            if items
        )

    def keep(
        self, folder: Path, *, patience: float = _PATIENCE, kill: Callable[[], None] = lambda: None
    ) -> tuple[str, ...]:
        """Write screenshot, trace and logs of a test that failed; the paths below ``folder``, as it was given.

        A page that does not answer would be waited for without end: after ``patience`` seconds ``kill`` ends it.
        """
        write_logs(folder, self.watch.console, self.watch.requests)
        watchdog = threading.Timer(patience, kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            self.learn()
            for context in self._contexts:
                with contextlib.suppress(Exception):  # a page that cannot be pictured: the logs are there
                    for page in context.pages[-1:]:
                        self._picture(page, folder / SCREENSHOT)
            self._stop(folder / TRACE)
        finally:
            watchdog.cancel()
        return kept(folder)

    def _picture(self, page: Page, path: Path) -> None:
        session = page.context.new_cdp_session(page)

        def aside(script: str) -> Any:
            made = session.send(*world(session.send(FRAMES)))
            return value_of(session.send(*evaluation(script, made)))

        content = take_by(picture(self._redactor), aside, lambda: page.screenshot(timeout=_SCREENSHOT))
        if content is not None:
            path.write_bytes(content)

    def discard(self) -> None:
        """Keep nothing of a test that passed."""
        self._stop(None)

    def _stop(self, path: Path | None) -> None:
        contexts, self._contexts = self._contexts, []
        for number, context in enumerate(contexts if self._trace else ()):
            with contextlib.suppress(Exception):  # the browser may be gone, and the trace with it
                context.tracing.stop(path=path if number == 0 else None)
                if path is not None:
                    without_film(path, self._redactor)
