"""``--lock=write`` and ``--lock=check``: the lock of all checks that were collected; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from postdeploy.config.lock import LOCK_FILE, load_lock, render_lock
from postdeploy.domain.lock import Lock
from postdeploy.errors import ConfigurationError, JournalError
from postdeploy.journal import write_atomically
from postdeploy.plugin.keys import COLLECTED, PLANNED
from postdeploy.plugin.narrowing import narrowed_by
from postdeploy.plugin.settings import Settings

__all__ = ["Locking"]

_STALE: Final = 1


class Locking:
    """Registered as a plugin; takes the place of running anything."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.targets_file.parent / LOCK_FILE
        self._checks_only = settings.lock == "check"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Write or compare; where collection failed pytest says so instead. Raises pytest.UsageError."""
        if session.testsfailed:
            return None
        ids = [item.stash[PLANNED].id for item in session.config.stash.get(COLLECTED, [])]
        self._require_whole(session, len(ids))
        lock = self._load()
        for line in _changes(lock, ids):
            _say(session.config, line)
        if self._checks_only:
            session.testsfailed += _STALE if lock is None or _differ(lock, ids) else 0
        else:
            self._write(ids)
        _say(session.config, self._summary(lock, ids))
        return True

    def _require_whole(self, session: pytest.Session, collected: int) -> None:
        narrowed = narrowed_by(session, collected - len(session.items))
        if narrowed:
            raise pytest.UsageError(f"a lock has all checks, but the suite was narrowed by {', '.join(narrowed)}")

    def _load(self) -> Lock | None:
        """The lock that is there; one that cannot be read is as good as none where it is written anew."""
        try:
            return load_lock(self._path)
        except ConfigurationError as error:
            if self._checks_only:
                raise pytest.UsageError(str(error)) from error
            return None

    def _write(self, ids: list[str]) -> None:
        try:
            write_atomically(self._path, render_lock(ids).encode())
        except JournalError as error:
            raise pytest.UsageError(str(error)) from error

    def _summary(self, lock: Lock | None, ids: list[str]) -> str:
        count = f"{len(ids)} check{'' if len(ids) == 1 else 's'}"
        if not self._checks_only:
            return f"{self._path}: locked {count}"
        if lock is None:
            return f"{self._path}: there is no lock; run: postdeploy lock"
        stale = _differ(lock, ids)
        return f"{self._path}: " + ("stale; run: postdeploy lock" if stale else f"up to date, {count}")


def _differ(lock: Lock, ids: list[str]) -> bool:
    return bool(lock.missing(ids) or lock.new(ids))


def _changes(lock: Lock | None, ids: list[str]) -> Iterator[str]:
    if lock is not None:
        yield from (f"- {check}" for check in lock.missing(ids))
        yield from (f"+ {check}" for check in lock.new(ids))


def _say(config: pytest.Config, line: str) -> None:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    (reporter.write_line if reporter is not None else print)(line)
