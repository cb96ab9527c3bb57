"""The page's own code is broken, as a bad build would break it."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from demo.faults.base import Fault, FaultError

MAIN = "main.js"


class _Rewritten(Fault):
    """Replaces one place in one file of the page."""

    file: ClassVar[str]
    old: ClassVar[str]
    new: ClassVar[str]

    @override
    def rewrite(self, name: str, text: str) -> str:
        if name != self.file:
            return text
        if self.old not in text:
            raise FaultError(f"{self.name}: {self.file} has no {self.old!r} any more")
        return text.replace(self.old, self.new)


class _Appended(Fault):
    """Adds a statement to the end of the page's script."""

    statement: ClassVar[str]

    @override
    def rewrite(self, name: str, text: str) -> str:
        return f"{text}\n{self.statement}\n" if name == MAIN else text


class ExportBroken(_Rewritten):
    """PNG 저장 raises in the page: no download."""

    name = "export-broken"
    file, old, new = "export.js", "canvas.toBlob(", "canvas.toPngBlob("


class ThemeBroken(_Rewritten):
    """Choosing another theme does nothing."""

    name = "theme-broken"
    file, old, new = "editor.js", "() => this.state.setTheme(theme)", "() => {}"


class MessageNotShown(_Rewritten):
    """A new message does not appear in the preview."""

    name = "message-not-shown"
    file, old, new = "state.js", "this.messages.push(", "void ("


class NothingSaved(_Rewritten):
    """The conversation is gone after a reload."""

    name = "nothing-saved"
    file, old, new = "state.js", "localStorage.setItem(", "void ("


class BlankPage(_Rewritten):
    """The script fails before anything is drawn."""

    name = "blank-page"
    file, old, new = MAIN, "start(new ", "window.talkStudio.start(new "


class ConsoleError(_Appended):
    """An uncaught error when the page loads; everything still works."""

    name = "console-error"
    statement = "window.analytics.page();"


class ForeignRequest(_Appended):
    """The page asks another origin for a pixel (its own policy blocks it)."""

    name = "foreign-request"
    statement = 'new Image().src = "https://metrics.example.com/pixel.gif";'


class FailedRequest(_Appended):
    """The page calls an API route that does not exist."""

    name = "failed-request"
    statement = 'void fetch("/api/v1/features").then((response) => response.text());'


FAULTS: tuple[type[Fault], ...] = (
    ExportBroken,
    ThemeBroken,
    MessageNotShown,
    NothingSaved,
    BlankPage,
    ConsoleError,
    ForeignRequest,
    FailedRequest,
)
