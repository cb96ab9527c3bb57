"""What the checks of a run were made from: its files and plugins, by digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from postdeploy.domain.reading import mapping, text
from postdeploy.lazy_dataclass import dataclass

__all__ = ["Suite"]


@dataclass(frozen=True, slots=True)
class Suite:
    """The files that checks were collected from, with whatever shaped the collection; SHA-256 by path."""

    files: Mapping[str, str]

    @classmethod
    def from_json(cls, raw: object) -> Suite:
        """Back from JSON. Raises TypeError on anything else."""
        return cls({path: text(digest) for path, digest in mapping(raw).items()})

    def digest(self, plugins: object) -> str:
        """SHA-256 over the canonical JSON of the files and of pytest's plugins with their versions."""
        canonical = json.dumps({"files": dict(self.files), "plugins": plugins}, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
