"""postdeploy.lock: the ids of all checks, one a line and sorted, so that a change of it can be reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from postdeploy.domain.lock import Lock
from postdeploy.errors import ConfigProblem, ConfigurationError

__all__ = ["LOCK_FILE", "load_lock", "render_lock"]

LOCK_FILE: Final = "postdeploy.lock"

_SCHEMA: Final = "postdeploy/lock/1"
_WAY_OUT: Final = "run: postdeploy lock"


def load_lock(path: Path) -> Lock | None:
    """The lock, None where there is none. Raises ConfigurationError for a file that is no lock."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    try:
        raw = json.loads(content)
    except json.JSONDecodeError as error:
        raise _wrong(path, f"not JSON: {error.msg}", error.lineno, error.colno) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"not JSON: {error}") from error
    if problem := next(_problems(raw), None):
        raise _wrong(path, problem)
    return Lock(path.name, tuple(raw["checks"]))


def render_lock(checks: Iterable[str]) -> str:
    """The text of the file."""
    document = {"schema": _SCHEMA, "checks": sorted(set(checks))}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _problems(raw: Any) -> Iterator[str]:
    if not isinstance(raw, dict) or raw.get("schema") != _SCHEMA:
        yield f"not a lock of schema {_SCHEMA!r}"
        return
    checks = raw.get("checks")
    if raw.keys() != {"schema", "checks"} or not isinstance(checks, list):
        yield "a lock has a list 'checks' and nothing else"
    elif not all(isinstance(check, str) for check in checks):
        yield "a check is named by its id, a text"
    elif len(set(checks)) != len(checks):
        yield "one check stands twice"


def _wrong(path: Path, message: str, line: int = 0, column: int = 0) -> ConfigurationError:
    return ConfigurationError([ConfigProblem(path.name, line, column, message, _WAY_OUT)])
