"""How items are spread over workers: as asked, but all declared checks to one, and nothing before all is ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

__all__ = ["TogetherScheduling"]

_DECLARED: Final = "declared checks"


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """xdist's scheduling by scope, with one scope for all declared checks.

    Args:
        config: pytest's.
        log: xdist's.
        mode: how Python tests are spread: a value of ``--dist``.
        prepare: called once, when everything is collected and before the first item is handed out.
    """

    def __init__(self, config: pytest.Config, log: Any, mode: str, prepare: Callable[[], None]) -> None:
        super().__init__(config, log)
        self._mode = mode
        self._prepare = prepare

    def schedule(self) -> None:
        """Hand out the items."""
        if self.collection is None:
            self._prepare()
        super().schedule()

    def remove_node(self, node: Any) -> str | None:
        """A worker is gone. What it was running is not run again, nor are declared checks that it had begun.

        Neither may be repeatable, and xdist would run what killed one worker in the next one.
        """
        work = self.assigned_work.get(node, {})
        crashed = next((item for unit in work.values() for item, done in unit.items() if not done), None)
        for scope, unit in list(work.items()):
            begun = scope == _DECLARED and crashed in unit
            unit.update((item, True) for item in unit if begun or item == crashed)
            if all(unit.values()):
                del work[scope]
        super().remove_node(node)
        return None if crashed is None else str(crashed)

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        if path.endswith((".yaml", ".yml")):
            return _DECLARED
        if self._mode == "loadfile":
            return path
        if self._mode == "loadgroup" and "@" in nodeid:
            return nodeid.rsplit("@", 1)[1]
        return str(super()._split_scope(nodeid)) if self._mode == "loadscope" else nodeid
