"""How items are spread over workers: as asked, but all declared checks to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    import pytest

__all__ = ["TogetherScheduling"]


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """xdist's scheduling by scope, with one scope for all declared checks."""

    def __init__(self, config: pytest.Config, log: Any, mode: str) -> None:
        super().__init__(config, log)
        self._mode = mode

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        if path.endswith((".yaml", ".yml")):
            return "declared checks"
        if self._mode == "loadfile":
            return path
        if self._mode == "loadgroup" and "@" in nodeid:
            return nodeid.rsplit("@", 1)[1]
        return str(super()._split_scope(nodeid)) if self._mode == "loadscope" else nodeid
