"""Imports what runs of pytest and of the command line import, listens, and forks for each who asks.

Started by ``tests/warm_python.py`` as ``python -m tests.warm_server SOCKET``; ends when its standard input does.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Never

from tests.warm_python import BIG, WarmPython

_NAMED: Final = (
    "postdeploy.plugin.hooks",
    "pytest_timeout",
    "pytest_rerunfailures",
    "xdist.plugin",
    "xdist.looponfail",
)
"""Plugins that command lines name: pytest warns of those that were imported before it could rewrite their asserts."""

_MORE: Final = (
    "pytest", "execnet", "execnet.gateway_io", "xdist.dsession", "xdist.remote", "xdist.workermanage",
    "xdist.scheduler", "pycurl", "httpx2", "yaml", "wsproto", "jsonpath_rfc9535", "jinja2", "ssl", "http.client",
    "email.parser", "unittest", "pdb", "doctest", "logging.handlers", "concurrent.futures.thread", "asyncio",
    "encodings.idna", "difflib", "zipfile", "sqlite3", "socketserver", "pprint",
)  # fmt: skip

_INTERRUPTED: Final = 0x100 + signal.SIGINT
"""No exit status: Python ends itself with the signal that nobody caught."""

_NEW_NETWORK, _NEW_MOUNTS, _SLAVE, _BIND = 0x40000000, 0x20000, 0x84000, 0x1000
"""CLONE_NEWNET and CLONE_NEWNS of <sched.h>; MS_SLAVE | MS_REC and MS_BIND of <sys/mount.h>."""


class _Server:
    """Forks for all who ask; ``wait`` returns in each child, with what it was asked for."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(f"{path}~")
        self._listener.listen(64)
        Path(f"{path}~").rename(path)  # who finds it can connect
        self._ended, self._wake = os.pipe()
        self._children: dict[int, socket.socket] = {}
        for each in (self._ended, self._wake):
            os.set_blocking(each, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait(self) -> tuple[dict[str, Any], list[int]]:
        """Until somebody asks, again and again; leaves Python when nobody can any more."""
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready = select.select([0, self._listener.fileno(), self._ended], [], [])[0]
            if self._ended in ready:
                self._reap()
            if self._listener.fileno() in ready and (asked := self._fork()):
                return asked
            if 0 in ready:
                Path(self._path).unlink()
                Path(self._path).parent.rmdir()
                sys.exit()

    def _fork(self) -> tuple[dict[str, Any], list[int]] | None:
        connection, _ = self._listener.accept()
        wish, descriptors, _, _ = socket.recv_fds(connection, BIG, 3)
        if not (pid := os.fork()):
            connection.close()
            self._close()
            return json.loads(wish), descriptors
        for each in descriptors:
            os.close(each)
        self._children[pid] = connection
        connection.send(str(pid).encode())
        return None

    def _close(self) -> None:
        """In the child: nothing of the server is left."""
        signal.set_wakeup_fd(-1)
        for each in (self._listener, *self._children.values()):
            each.close()
        os.close(self._ended)
        os.close(self._wake)

    def _reap(self) -> None:
        os.read(self._ended, 4096)
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                connection = self._children.pop(found[0])
                with contextlib.suppress(OSError):  # nobody waits for it any more
                    connection.send(str(os.waitstatus_to_exitcode(found[1])).encode())
                connection.close()


def _enter(namespace: str) -> None:
    """Do what ``ip netns exec`` does before it starts a program; a name server of the namespace's own included."""
    library = ctypes.CDLL(None, use_errno=True)
    with Path("/run/netns", namespace).open("rb") as file:
        done = library.setns(file.fileno(), _NEW_NETWORK) or library.unshare(_NEW_MOUNTS)
    done = done or library.mount(b"", b"/", b"none", _SLAVE, None)
    own = Path("/etc/netns", namespace, "resolv.conf")
    if not done and own.exists():
        done = library.mount(bytes(own), b"/etc/resolv.conf", b"none", _BIND, None)
    if done:
        raise OSError(ctypes.get_errno(), "namespace")


def _become(wish: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Be the process that was asked for."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    for descriptor in descriptors:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(wish["env"])
    time.tzset()
    os.chdir(wish["cwd"])
    if wish["group"] is not None:
        with contextlib.suppress(PermissionError):  # it is one of another session
            os.setpgid(0, wish["group"])
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGCHLD, signal.SIG_DFL)):
        signal.signal(number, default)
    _fresh_streams()
    sys.dont_write_bytecode = bool(wish["env"].get("PYTHONDONTWRITEBYTECODE"))
    sys.path[1:1] = filter(None, wish["env"].get("PYTHONPATH", "").split(os.pathsep))
    importlib.invalidate_caches()


def _fresh_streams() -> None:
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        errors = "backslashreplace" if name == "stderr" else "strict"
        lines = 1 if name == "stderr" else -1
        stream = open(number, mode, lines, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115  # it stays open
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _run(words: Sequence[str], cwd: str) -> None:
    """What ``python WORDS`` does."""
    sys.orig_argv = [sys.executable, *words]
    if words[0] == "-m":
        sys.path[0] = cwd
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        sys.path[0] = ""
        sys.argv = ["-c"]
        exec(words[-1], main.__dict__)


def _status(words: Sequence[str], cwd: str) -> int:
    """The exit status of Python, and everything that Python does at its end but freeing memory."""
    try:
        _run(words, cwd)
        status: object = 0
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:  # noqa: BLE001  # as Python does
        sys.excepthook(*sys.exc_info())
        status = _INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if not isinstance(status, int | None):
        sys.stderr.write(f"{status}\n")
        status = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return 120
    return status if status == _INTERRUPTED else (status or 0) & 0xFF


def _fork_workers(path: str) -> None:
    """Let execnet, which starts xdist's workers, fork them, too."""
    from execnet.gateway_base import ThreadExecModel

    def popen(words: Sequence[str], **more: Any) -> Any:
        if list(words[1:2]) != ["-u"]:
            return subprocess.Popen(words, **more)
        (inner, stdin), (stdout, outer) = os.pipe(), os.pipe()
        pipes: dict[str, Any] = {"stdin": os.fdopen(stdin, "wb"), "stdout": os.fdopen(stdout, "rb")}
        cwd, group = os.getcwd(), os.getpgrp()  # noqa: PTH109
        process = WarmPython(path).fork(words[1:], cwd, os.environ, (inner, outer, 2), group, **pipes)
        for each in (inner, outer):
            os.close(each)
        return process

    stand_in = types.SimpleNamespace(PIPE=subprocess.PIPE, Popen=popen)
    setattr(ThreadExecModel, "subprocess", stand_in)  # noqa: B010  # it is a property


def _import_all() -> None:
    import postdeploy

    for name in _MORE + _NAMED:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(postdeploy.__path__, "postdeploy."):
        if not module.name.endswith("__main__") and "playwright" not in module.name:
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)
    for module in pkgutil.iter_modules(importlib.import_module("_pytest").__path__, "_pytest."):
        importlib.import_module(module.name)
    _remember_distributions()
    for name in _NAMED:
        sys.modules[name].__doc__ = f"{sys.modules[name].__doc__} PYTEST_DONT_REWRITE"


def _remember_distributions() -> None:
    """Pytest reads the metadata of all that is installed again for each ``-p``; nothing is installed meanwhile."""
    known = tuple(metadata.distributions())
    entry_points = functools.cache(metadata.Distribution.entry_points.fget)  # type: ignore[attr-defined]
    metadata.Distribution.entry_points = property(entry_points)  # type: ignore[assignment,method-assign]
    metadata.distributions = lambda **_: known
    for each in known:
        entry_points(each)


def _main(path: str) -> Never:
    _import_all()
    for name in ("tests", "tests.warm_python"):
        del sys.modules[name]  # a project may have its own
    assert threading.active_count() == 1, "a fork would lose these threads"
    gc.collect()
    gc.freeze()
    wish, descriptors = _Server(path).wait()
    while "serve" in wish:
        for each in descriptors:
            os.close(each)
        _enter(wish["namespace"])
        path = wish["serve"]
        wish, descriptors = _Server(path).wait()
    _become(wish, descriptors)
    _fork_workers(path)
    status = _status(wish["words"], wish["cwd"])
    if status == _INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status)


if __name__ == "__main__":
    _main(sys.argv[1])
