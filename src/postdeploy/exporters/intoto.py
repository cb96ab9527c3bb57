"""The verdict as an in-toto Statement v1 with the predicate test-result v0.1, unsigned: for tools that sign.

What ``--sign-key`` signs is the same statement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from postdeploy.documents import render_document
from postdeploy.domain.attestation import render_statement, statement
from postdeploy.exporters import Read

__all__ = ["render"]


def render(document: Mapping[str, Any], _read: Read) -> bytes:
    """The file; one of its subjects is the file of the verdict, which is the document as we write it."""
    return render_statement(statement(document, hashlib.sha256(render_document(document)).hexdigest())) + b"\n"
