"""Every error of postdeploy.

An *error* means that we could not tell; a *failure* (the target is wrong) is data, never an exception of this tree.

    PostdeployError
    ├── ConfigurationError      one or many ConfigProblems in the files or the options
    │   └── SecretMissingError  a secret or variable that the configuration asks for is not there
    ├── ProbeError              a probe could not observe anything; carries a code and whose fault it is
    ├── GuardRefusalError       a request was not allowed to leave this machine
    ├── BrowserUnavailableError no browser was found or it could not be started
    ├── ServerStartError        the server of a target did not become ready
    ├── JournalError            the evidence cannot be written or read back
    ├── DocumentError           a verdict file is missing, unreadable or not one
    ├── HistoryError            the history of earlier runs cannot be opened, read or written
    ├── RefusedError            a verdict proves nothing, or something else than what was asked
    ├── VantageError            nothing can be sent to a vantage, or nothing usable came back from it
    ├── NotificationError       a receiver could not be told
    └── SignatureError          a key, an envelope or a signature is missing or not what it has to be
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = [
    "BrowserUnavailableError",
    "ConfigProblem",
    "ConfigurationError",
    "DocumentError",
    "GuardRefusalError",
    "HistoryError",
    "JournalError",
    "NotificationError",
    "PostdeployError",
    "ProbeError",
    "RefusedError",
    "SecretMissingError",
    "ServerStartError",
    "SignatureError",
    "VantageError",
]


class PostdeployError(Exception):
    """The root of the tree."""


class ConfigProblem(NamedTuple):
    """One thing that is wrong in a file that people write: its place (1-based), what, and a way out if there is one."""

    path: str
    line: int
    column: int
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        """Render as ``path:line:column: message (hint)``."""
        hint = f" ({self.hint})" if self.hint else ""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.message}{hint}"


class ConfigurationError(PostdeployError):
    """The configuration is wrong; ``problems`` lists everything found, not only the first."""

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SecretMissingError(ConfigurationError):
    """A secret or variable that the configuration asks for is not there."""


class ProbeError(PostdeployError):
    """A probe got no observation.

    Args:
        code: a stable word such as ``connection_refused``, ``timeout``, ``dns_not_found`` or ``certificate_expired``.
        message: one sentence for people.
        target_fault: True where the target is to blame (it refused, timed out, broke the protocol), False where we are.
        phases: seconds by phase, as far as the probe got.
    """

    def __init__(
        self, code: str, message: str, *, target_fault: bool = True, phases: dict[str, float] | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.target_fault = target_fault
        self.phases = phases or {}
        super().__init__(message)


class GuardRefusalError(PostdeployError):
    """A request was not allowed to leave this machine; ``allow`` is the line that would permit it."""

    def __init__(self, message: str, *, allow: str | None = None) -> None:
        self.message = message
        self.allow = allow
        super().__init__(f"{message}; to allow it: {allow}" if allow else message)


class BrowserUnavailableError(PostdeployError):
    """No browser was found or it could not be started; the message says which command installs one."""


class ServerStartError(PostdeployError):
    """The server of a target did not become ready in time, or ended."""


class JournalError(PostdeployError):
    """The evidence cannot be written or read back."""


class DocumentError(PostdeployError):
    """A verdict file is missing, unreadable, or not a verdict."""


class HistoryError(PostdeployError):
    """The history of earlier runs cannot be opened, read or written."""


class NotificationError(PostdeployError):
    """A receiver could not be told; the message continues a sentence that begins with its name, and holds no secret."""


class SignatureError(PostdeployError):
    """A key, an envelope or a signature is missing or not what it has to be."""


class RefusedError(PostdeployError):
    """A verdict proves nothing, or something else than what was asked; the message is one sentence."""


class VantageError(PostdeployError):
    """Nothing can be sent to a vantage, or nothing that can be used came back from it."""
