"""A browser context: the pages that are open in it, and everything that happens there as events of Playwright's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from postdeploy.browser.devtools.connection import Facts, Session
from postdeploy.browser.devtools.target import Settings, Target
from postdeploy.browser.devtools.traffic import Request, Traffic
from postdeploy.browser.task import Allowed, PageTask
from postdeploy.browser.watch import Watch
from postdeploy.guard.pace import Pace

__all__ = ["Context"]


class Context:
    """Follows the page of a task and whatever it opens; ``watch`` is told, and ``adopt`` which page is the task's."""

    def __init__(self, task: PageTask, watch: Watch, adopt: Callable[[Target], None]) -> None:
        self.targets: dict[str, Target] = {}
        self._adopt: Callable[[Target], None] | None = adopt
        self._listeners: defaultdict[str, list[Callable[[Any], object]]] = defaultdict(list)
        allowed = task.allowed
        guarded = allowed is not None and task.routed

        def socket(url: str) -> str | None:
            reason = allowed("GET", url) if allowed else None
            if reason is not None:
                watch.refuse_socket(url, reason)
            return reason

        learn = task.redactor.learn if task.redactor is not None else None
        self._traffic = Traffic(self._emit, watch.refuse, allowed, task.pace, stops=guarded, learn=learn)
        self._settings = Settings(
            emit=self._emit,
            traffic=self._traffic,
            socket=socket if guarded else None,
            headers=task.headers,
            guarded=guarded,
            sealed=guarded and task.sealed,
            pace=task.pace,
        )
        watch.follow(self)
        if allowed is not None and not guarded:
            self._note(allowed, watch)
            self.on("websocket", self._count_socket(socket, task.pace))

    def on(self, event: str, f: Callable[[Any], object]) -> None:
        """Call ``f`` at each event of this name."""
        self._listeners[event].append(f)

    def _note(self, allowed: Allowed, watch: Watch) -> None:
        """Tell of the requests that the proxy refuses."""

        def on_request(request: Request) -> None:
            reason = allowed(request.method, request.url)
            if reason is not None:
                watch.refuse(request, reason)

        self.on("request", on_request)

    def attached(self, session: Session, facts: Facts) -> None:
        """Something was opened, the page of the task first."""
        target = self.targets[facts["targetId"]] = Target(session, facts, self._settings)
        adopt, self._adopt = self._adopt, None
        if adopt is not None:
            adopt(target)

    def detached(self, session: str) -> None:
        """Something was closed, if it is of this context."""
        for number, target in tuple(self.targets.items()):
            if target.session.number == session:
                del self.targets[number]
                target.end()

    def end(self) -> None:
        """All of it is closed."""
        for target in self.targets.values():
            target.end()
        self._traffic.close()

    def _count_socket(self, judge: Callable[[str], str | None], pace: Pace | None) -> Callable[[str], None]:
        """Judge a WebSocket that is opened without a question, and count it."""

        def opened(url: str) -> None:
            if judge(url) is None and pace is not None and pace.counts(url):
                pace.note()
                pace.ended()

        return opened

    def _emit(self, event: str, fact: Any) -> None:
        for listener in self._listeners[event]:
            listener(fact)
