"""A seat belt with an alarm: Python code that goes around our clients is stopped where Python can see it.

An audit hook sees sockets, processes and ctypes of the interpreter; libcurl and libuv, which connect without it, are
watched at their Python surface. It is no sandbox: other C extensions stay open, see docs/explanation/guard.md.

The hook can never be removed, so it is installed once a process and does nothing while nobody is fastened in.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, Final

from postdeploy.errors import GuardRefusalError
from postdeploy.guard.peers import Peers

__all__ = ["SeatBelt", "by_ourselves", "require_seen"]

UNSEEN: Final = "postdeploy.unseen"
_OURS: Final = ("postdeploy-", "look-up of ")
_SOCKETS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_PROCESSES: Final = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})
_LIBRARIES: Final = frozenset({"ctypes.dlopen", "ctypes.dlsym"})
_EVENTS: Final = _SOCKETS | _PROCESSES | _LIBRARIES
_SYMBOLS: Final = frozenset(
    {
        *("connect", "send", "sendto", "sendmsg", "sendmmsg", "socket", "dlopen", "syscall"),
        *("system", "popen", "fork", "vfork", "clone", "posix_spawn", "posix_spawnp"),
        *("execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe"),
    }
)
_INET: Final = 2  # the parts of an address that are host and port

_exempt = threading.local()  # not of a context: Playwright's greenlets have others than the test that waits for them
_fastened: list[SeatBelt] = []  # the audit hook has no other way to know; at most one, the last one wins
_installed: list[bool] = []


@contextlib.contextmanager
def by_ourselves() -> Iterator[None]:
    """Around what our own clients and browsers do on a test's thread: it has been asked about already."""
    _exempt.depth = getattr(_exempt, "depth", 0) + 1
    try:
        yield
    finally:
        _exempt.depth -= 1


class SeatBelt:
    """Fastened around the code of tests.

    Args:
        peers: where sockets may go.
        programs: names of programs that may be started.
        alarm: told of every attempt that was refused.
    """

    def __init__(self, peers: Peers, programs: frozenset[str], alarm: Callable[[str], None]) -> None:
        self._peers = peers
        self._programs = programs
        self._alarm = alarm
        self._before: frozenset[threading.Thread] = frozenset()
        self._who = ""

    def wear(self) -> None:
        """Install the hook, and leave threads that are there already alone: they are not those of tests."""
        self._before = frozenset(threading.enumerate()) - {threading.current_thread()}
        from postdeploy.guard.libraries import watch_libraries

        watch_libraries()
        if not _installed:
            _installed.append(True)
            sys.addaudithook(_on_event)

    @contextlib.contextmanager
    def fastened(self, who: str) -> Iterator[None]:
        """Refuse what goes around us while this context lasts; ``who`` is named in the alarm."""
        self._who = who
        _fastened.append(self)
        try:
            yield
        finally:
            _fastened.remove(self)

    def require(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise GuardRefusalError, after the alarm, for an event that may not be."""
        if self._is_ours():
            return
        refused = self._judge(event, arguments)
        if refused is not None:
            what, allow = refused
            message = f"{self._who} tried to {what} beside the clients of this plugin: refused"
            self._alarm(message)
            raise GuardRefusalError(message, allow=allow)

    def _is_ours(self) -> bool:
        if getattr(_exempt, "depth", 0):
            return True
        thread = threading.current_thread()
        return thread.name.startswith(_OURS) or thread in self._before

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> tuple[str, str | None] | None:
        if event == UNSEEN:
            return f"connect by {arguments[0]}", None
        if event in _SOCKETS:
            return self._socket(arguments[-1])
        if event in _PROCESSES:
            return self._process(arguments[0])
        return _library(event, arguments)

    def _socket(self, address: Any) -> tuple[str, str | None] | None:
        if not isinstance(address, tuple) or len(address) < _INET:
            return None  # such as a path of AF_UNIX, or a socket that is connected
        host, port = str(address[0]), int(address[1])
        if self._peers.permit(host, port):
            return None
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"connect to {where}", f'connect: ["{where}"]'

    def _process(self, program: Any) -> tuple[str, str | None] | None:
        name = PurePath(_text(program).split(" ", 1)[0]).name
        if name in self._programs:
            return None
        return f"start {name}", f'programs: ["{name}"]'


def _library(event: str, arguments: tuple[Any, ...]) -> tuple[str, str | None] | None:
    name = _text(arguments[-1])
    if event == "ctypes.dlsym":
        return (f"use {name} of a C library", None) if name in _SYMBOLS else None
    return None if arguments[0] is None else (f"load the C library {name}", None)


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if _fastened and event in _EVENTS:
        _fastened[-1].require(event, arguments)


def require_seen(library: str) -> None:
    """Raise GuardRefusalError for a library that connects unseen: it does not say where, so it may go nowhere."""
    if _fastened:
        _fastened[-1].require(UNSEEN, (library,))
