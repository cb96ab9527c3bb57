"""What every file passes that is written after the run: its secrets are masked, and nothing leaves that still has one.

As after the run itself, the second look shares no code with the masking.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from postdeploy.domain.redaction import Redactor
from postdeploy.domain.secret import parts
from postdeploy.guard.artifacts import scrubbed
from postdeploy.guard.batches import batches, joined
from postdeploy.guard.leaks import Traces

__all__ = ["SecretLeftError", "Sieve"]


class SecretLeftError(Exception):
    """A file still holds a secret, or cannot be looked into; the text names no value."""


class Sieve:
    """Takes the secrets that a redactor knows out of files."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._traces = Traces((secret.name, part) for secret in redactor.known for part in parts(secret.reveal()))

    def __call__(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Contents by name, as they may be written. Raises SecretLeftError."""
        passed: dict[str, bytes] = {}
        for batch in batches(files.items()):
            if len(batch) > 1 and self._holds_none(joined((*map(os.fsencode, batch), *batch.values()))):
                passed |= batch
            else:
                passed |= {name: self._masked(name, content) for name, content in batch.items()}
        return passed

    def _holds_none(self, whole: bytes) -> bool:
        try:
            return scrubbed(whole, self._redactor) == whole and not self._traces.within(whole)
        except ValueError:
            return False

    def _masked(self, name: str, content: bytes) -> bytes:
        clean = scrubbed(content, self._redactor)
        try:
            found = self._traces.within(clean) | self._traces.within(os.fsencode(name))
        except ValueError as error:
            raise SecretLeftError(f"it cannot be looked into for secrets ({error}), so it was not written") from error
        if found:
            raise SecretLeftError(f"it holds {', '.join(sorted(found))} after masking, so it was not written")
        return clean
