"""Histories in real databases, shared with the tests of the history."""

from __future__ import annotations

from tests.history.conftest import opened, place, server

__all__ = ["opened", "place", "server"]
