"""Importing this package past pytest's hook that rewrites asserts: there are none here that it could explain.

The hook takes on every module of a distribution that has a plugin. It reads the source of each beside its bytecode,
which for a run of ours takes longer than all else that its imports cost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder

__all__ = ["own_modules_first"]


@contextmanager
def own_modules_first() -> Iterator[None]:
    """Until the end of the context the modules of this package are found before anybody else is asked."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.meta_path.remove(finder)


class _Finder:
    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path) if name.startswith("postdeploy.") else None
