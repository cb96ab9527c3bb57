from __future__ import annotations

import pytest

from postdeploy.errors import HistoryError
from postdeploy.history.database import open_database
from postdeploy.history.place import Place

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT (i + 1) % 1000 FROM n) SELECT COUNT(*) FROM n"


def test_no_statement_takes_for_ever(place: Place) -> None:
    """A question ends as an error when our patience does, in both databases, and the next one is answered."""
    open_database(place, create=True).close()
    history = open_database(place, patience=0.5)
    try:
        with pytest.raises(HistoryError, match=r"interrupted|statement timeout"):
            history.rows(ENDLESS)
        assert history.rows("SELECT COUNT(*) FROM runs") == [(0,)]
    finally:
        history.close()
