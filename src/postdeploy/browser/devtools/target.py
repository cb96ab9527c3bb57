"""One thing that runs in a browser context: a page, a frame of another site in it, or a worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from postdeploy.browser.devtools.arrival import Arrival
from postdeploy.browser.devtools.connection import Facts, Session
from postdeploy.browser.devtools.console import console_call, log_entry, uncaught
from postdeploy.browser.devtools.traffic import Frame, Traffic
from postdeploy.browser.refusal import close_side_doors
from postdeploy.guard.pace import Pace, StoppedError
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["Settings", "Target"]

_BINDING: Final = "__postdeploy"
_NO_SERVICE_WORKERS: Final = """
if (self.ServiceWorkerContainer) ServiceWorkerContainer.prototype.register = async () => {
  console.warn("Service Worker registration blocked by postdeploy");
};
"""
_AUTO_ATTACH: Final = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
_VIEWPORT: Final = {"width": 1280, "height": 720, "screenWidth": 1280, "screenHeight": 720, "deviceScaleFactor": 1}
_MEDIA: Final = {
    "prefers-color-scheme": "light",
    "prefers-reduced-motion": "no-preference",
    "forced-colors": "none",
    "prefers-contrast": "no-preference",
}
_DOCUMENTS: Final = frozenset({"page", "iframe"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What all targets of a context share.

    Args:
        emit: told the name of an event of Playwright's and what it is about.
        traffic: follows the requests.
        socket: why a WebSocket may not be opened; None where sockets are nobody's business.
        headers: added to every request.
        guarded: whether requests are stopped until they are judged.
        sealed: whether ways to send that nobody sees are taken away.
        pace: when WebSockets may be opened.
    """

    emit: Callable[[str, Any], None]
    traffic: Traffic
    socket: Callable[[str], str | None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    guarded: bool = False
    sealed: bool = False
    pace: Pace | None = None


class Target:
    """Listens to a target from before its first line runs.

    Args:
        session: the session that is attached to it.
        facts: what the browser says of it.
        settings: those of its context.
        page: the page that it is a part of; None if it is one.
    """

    def __init__(self, session: Session, facts: Facts, settings: Settings, page: Target | None = None) -> None:
        self.session = session
        self.kind = str(facts["type"])
        self.id = str(facts["targetId"])
        self.page = page or self
        self.url = ""
        self.arrival = Arrival(session, self.id)
        self.loaded = session.expect()
        self.on_document: Callable[[], None] = lambda: None
        self.on_load: Callable[[], None] = lambda: None
        self._settings = settings
        self._parts: list[Target] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._handlers: Mapping[str, Callable[[Facts], None]] = {
            "Inspector.targetCrashed": lambda _facts: self.fail("Page crashed"),
            "Log.entryAdded": self._on_log,
            "Page.domContentEventFired": self._on_content,
            "Page.frameDetached": self._on_frame_detached,
            "Page.frameNavigated": self._on_frame_navigated,
            "Page.javascriptDialogOpening": self._on_dialog,
            "Page.loadEventFired": lambda _facts: self.on_load(),
            "Page.navigatedWithinDocument": self._on_moved,
            "Runtime.bindingCalled": self._on_binding,
            "Runtime.consoleAPICalled": lambda facts: settings.emit("console", console_call(facts)),
            "Runtime.exceptionThrown": lambda facts: settings.emit("weberror", uncaught(facts)),
            "Target.attachedToTarget": self._on_attached,
            "Target.detachedFromTarget": self._on_detached,
        }
        session.listener = self._hear
        self.ready = [session.start(method, **parameters) for method, parameters in self._preparation()]

    def frame(self, number: str) -> Frame:
        """The frame with this id; a page has the id of its main frame."""
        main = self.kind == "page" and number == self.id
        return Frame(self.page, None if main else self.page)

    def fail(self, text: str) -> None:
        """It will never answer again."""
        self.session.fail(text)

    def end(self) -> None:
        """It is not there any more."""
        self.fail("Target page has been closed")
        self._settings.traffic.end(self.session.number)
        for part in self._parts:
            part.end()
        for task in self._opening:
            task.cancel()
        self.session.end()

    def _preparation(self) -> Iterator[tuple[str, Facts]]:
        yield "Network.enable", {}
        if self._settings.headers:
            yield "Network.setExtraHTTPHeaders", {"headers": dict(self._settings.headers)}
        if self._settings.guarded:
            yield "Network.setCacheDisabled", {"cacheDisabled": True}
        if self._settings.guarded and self.kind != "worker":  # whose requests are those of its page
            yield "Fetch.enable", {"patterns": [{"urlPattern": "*", "requestStage": "Request"}]}
        if self.kind in _DOCUMENTS:
            yield from self._document_preparation()
        yield "Runtime.enable", {}
        yield "Target.setAutoAttach", _AUTO_ATTACH
        yield "Runtime.runIfWaitingForDebugger", {}

    def _document_preparation(self) -> Iterator[tuple[str, Facts]]:
        yield "Page.enable", {}
        yield "Log.enable", {}
        if self.kind == "page":
            yield "Emulation.setDeviceMetricsOverride", {**_VIEWPORT, "mobile": False}
            yield "Emulation.setFocusEmulationEnabled", {"enabled": True}
        features = [{"name": name, "value": value} for name, value in _MEDIA.items()]
        yield "Emulation.setEmulatedMedia", {"media": "", "features": features}
        yield "Page.addScriptToEvaluateOnNewDocument", {"source": _NO_SERVICE_WORKERS, "runImmediately": True}
        if self._settings.sealed:
            yield "Page.addScriptToEvaluateOnNewDocument", {"source": close_side_doors(), "runImmediately": True}
        if self._settings.socket is not None:
            yield "Runtime.addBinding", {"name": _BINDING}
            yield "Page.addScriptToEvaluateOnNewDocument", {"source": _sockets(), "runImmediately": True}

    def _hear(self, method: str, facts: Facts) -> None:
        self.arrival.hear(method, facts)
        handler = self._handlers.get(method)
        if handler is not None:
            handler(facts)
        elif (follow := self._settings.traffic.handlers.get(method)) is not None:
            follow(self, facts)

    def _on_log(self, facts: Facts) -> None:
        message = log_entry(facts)
        if message is not None:
            self._settings.emit("console", message)

    def _on_content(self, _facts: Facts) -> None:
        if self.url and not self.loaded.done():
            self.loaded.set_result(None)

    def _on_frame_navigated(self, facts: Facts) -> None:
        frame = facts["frame"]
        self._settings.traffic.leave(frame["id"], frame["loaderId"])
        if frame["id"] == self.id:
            self.url = frame["url"] + frame.get("urlFragment", "")
            self.on_document()

    def _on_frame_detached(self, facts: Facts) -> None:
        if facts.get("reason") != "swap":
            self._settings.traffic.leave(facts["frameId"])

    def _on_moved(self, facts: Facts) -> None:
        if facts["frameId"] == self.id:
            self.url = facts["url"]

    def _on_dialog(self, facts: Facts) -> None:
        """Nobody is there to answer."""
        self.session.post("Page.handleJavaScriptDialog", accept=facts["type"] == "beforeunload")

    def _on_binding(self, facts: Facts) -> None:
        """A page asks whether it may open a WebSocket."""
        if facts["name"] != _BINDING or self._settings.socket is None:
            return
        asked, context = json.loads(facts["payload"]), facts["executionContextId"]
        permitted = self._settings.socket(str(asked["url"])) is None
        if permitted and self._settings.pace is not None:
            task = asyncio.ensure_future(self._open_socket(asked["id"], context, self._settings.pace))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self._answer_socket(asked["id"], context, permitted=permitted)

    async def _open_socket(self, number: str, context: int, pace: Pace) -> None:
        try:
            await pace.wait()
        except StoppedError:
            self._answer_socket(number, context, permitted=False)
        else:
            pace.ended()  # what comes over it is no answer
            self._answer_socket(number, context, permitted=True)

    def _answer_socket(self, number: str, context: int, *, permitted: bool) -> None:
        answer = f"globalThis.{_BINDING}?.({json.dumps(number)}, {json.dumps(permitted)})"
        self.session.post("Runtime.evaluate", expression=answer, contextId=context, silent=True)

    def _on_attached(self, facts: Facts) -> None:
        session, found = self.session.child(facts["sessionId"]), facts["targetInfo"]
        if found["type"] in {"iframe", "worker"}:
            self._parts.append(Target(session, found, self._settings, self.page))
        else:
            session.post("Runtime.runIfWaitingForDebugger")
            self.session.post("Target.detachFromTarget", sessionId=session.number)

    def _on_detached(self, facts: Facts) -> None:
        for part in [part for part in self._parts if part.session.number == facts["sessionId"]]:
            self._parts.remove(part)
            part.end()


@cache
def _sockets() -> str:
    text = (files("postdeploy.browser.devtools") / "sockets.js").read_text(encoding="utf-8")
    return text.replace("BINDING", _BINDING)
