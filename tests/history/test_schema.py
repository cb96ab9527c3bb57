from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from postdeploy.history import postgresql, schema, sqlite
from postdeploy.history.database import Database, open_database
from postdeploy.history.place import Place
from postdeploy.history.reading import target_names

RELEASED = (
    "76d83696933e1737d857040b78ece97f1ede4fe10decde0f706f2639f1491d90",
    "21d88687618d04b06cc29df0ea6015cbf5f40b511680eb496b04e551afbeb35a",
)
"""SHA-256 of each migration. Databases have run these: a new step is added at the end, and none is changed."""


def test_no_migration_was_changed() -> None:
    """Every step is what databases have run already; a new one is pinned as it is added."""
    digests = tuple(hashlib.sha256("\0".join(step).encode()).hexdigest() for step in schema.MIGRATIONS)
    assert digests == RELEASED, "databases have run this: add another migration, and its digest here"


def test_older_databases_are_brought_up_to_date(
    place: Place, opened: Callable[[Place], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first version has written is there after an upgrade to the newest, which is made once."""
    with monkeypatch.context() as older:
        for module in (schema, sqlite, postgresql):
            older.setattr(module, "MIGRATIONS", schema.MIGRATIONS[:1])
        history = open_database(place, create=True)
        history.execute("INSERT INTO targets (name) VALUES ('production')")
        history.close()
    for _ in range(2):
        assert target_names(opened(place)) == ["production"]
