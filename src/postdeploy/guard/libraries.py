"""Libraries that connect without Python's knowledge, watched where Python calls them: libcurl and libuv."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

from postdeploy.guard.seat_belt import require_seen

__all__ = ["watch_libraries"]

_WATCHED: Final = "_postdeploy_watched"
_LIBUV: Final = ("create_connection", "create_datagram_endpoint", "sock_connect", "subprocess_exec", "subprocess_shell")


def watch_libraries() -> None:
    """Watch what is imported already, and uvloop when it comes; harmless when repeated."""
    curl = sys.modules.get("pycurl")
    if curl is not None and not hasattr(curl, _WATCHED):
        _watch_curl(curl)
    if "uvloop" in sys.modules:
        _watch_uvloop(sys.modules["uvloop"])
    elif not any(isinstance(finder, _UvloopFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _UvloopFinder())


def _watch_curl(curl: Any) -> None:
    """A test's own handles and multi handles; those of ours are on a thread of their own."""
    names = {"Curl": ("perform", "perform_rb", "perform_rs"), "CurlMulti": ("add_handle",)}
    for kind, methods in names.items():
        base = getattr(curl, kind)
        setattr(curl, kind, type(kind, (base,), {name: _watched(getattr(base, name), "libcurl") for name in methods}))
    setattr(curl, _WATCHED, True)


def _watch_uvloop(uvloop: Any) -> None:
    if not hasattr(uvloop.Loop, _WATCHED):
        for name in _LIBUV:
            setattr(uvloop.Loop, name, _watched(getattr(uvloop.Loop, name), "uvloop"))
        setattr(uvloop.Loop, _WATCHED, True)


def _watched(method: Callable[..., Any], library: str) -> Callable[..., Any]:
    @functools.wraps(method, updated=())
    def watched(*arguments: Any, **options: Any) -> Any:
        require_seen(library)
        return method(*arguments, **options)

    return watched


class _UvloopFinder:
    """Has uvloop watched as soon as it is imported."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """As of a finder of importlib."""
        if name != "uvloop":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _watch_uvloop(module)

            loader.exec_module = exec_module
        return spec
