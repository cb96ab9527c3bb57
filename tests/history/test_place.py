from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.errors import HistoryError
from postdeploy.history.place import parse_place

HERE = Path("/srv/checks")


@pytest.mark.parametrize(
    ("given", "file"),
    [("a.db", "/srv/checks/a.db"), ("sqlite:a.db", "/srv/checks/a.db"), ("/var/a.db", "/var/a.db"),
     ("sqlite:///var/a.db", "/var/a.db"), (" a.db ", "/srv/checks/a.db")],
)  # fmt: skip
def test_files(given: str, file: str) -> None:
    """A path is relative to the folder that is given."""
    assert parse_place(given, HERE).file == Path(file)


@pytest.mark.parametrize("given", ["", "sqlite:", "mysql://a/b", "https://a", "a\0b"])
def test_no_place(given: str) -> None:
    """What is neither a file nor PostgreSQL is refused."""
    with pytest.raises(HistoryError, match="no place of a history"):
        parse_place(given, HERE)


@pytest.mark.parametrize(
    ("given", "shown"),
    [("postgres://u:s3cret@db/h", "postgresql://u:***@db/h"), ("postgresql://db/h", "postgresql://db/h"),
     ("postgresql://u:s3@cret@db/h", "postgresql://u:***@db/h"),
     ("postgresql+psycopg://u@db/h?password=s3cret&x=1", "postgresql://u@db/h?password=***&x=1")],
)  # fmt: skip
def test_passwords_are_not_shown(given: str, shown: str) -> None:
    """A URL may hold a password; what is shown of it does not."""
    place = parse_place(given, HERE)
    assert str(place) == shown
    assert place.password == (None if "***" not in shown else "s3@cret" if "s3@cret" in given else "s3cret")
