"""Histories in both databases; PostgreSQL is a real server, begun once for all tests of a process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import psycopg
import pytest

from postdeploy.history.database import Database, open_database
from postdeploy.history.place import Place

_NUMBERS = count(1)


class Server:
    """A PostgreSQL server on a socket of its own."""

    def __init__(self) -> None:
        self.folder = _folder()
        self._user = None if os.getuid() else "nobody"  # PostgreSQL refuses to run as root
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "--pgdata", str(self.folder / "data"), "--auth=trust", "--username=checker", "--no-sync")
        self.start()

    def start(self) -> None:
        """Begin; answers when this returns."""
        settings = ("listen_addresses=", f"unix_socket_directories={self.folder}", "fsync=off", "max_connections=40")
        words = [word for setting in settings for word in ("-c", setting)]
        self.process = subprocess.Popen(
            [_program("postgres"), "-D", str(self.folder / "data"), *words],
            user=self._user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                assert time.monotonic() < end
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End at once, with every connection."""
        self.process.send_signal(how)
        self.process.wait(30)

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://checker@/{database}?host={self.folder}"

    def create(self) -> Place:
        """A new database, empty."""
        name = f"history{next(_NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return Place(url=self.url(name))

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([_program(program), *words], user=self._user, check=True, capture_output=True, cwd="/")


def _folder() -> Path:
    """One of this process; those of processes that were killed before they could clean up are removed."""
    for old in Path(gettempdir()).glob("pd-pg-*-*"):
        if not Path("/proc", old.name.split("-")[2]).exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(mkdtemp(prefix=f"pd-pg-{os.getpid()}-"))


def _program(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    path = os.pathsep.join([os.environ["PATH"], *map(str, reversed(places))])
    found = shutil.which(name, path=path)
    assert found, f"no program {name!r}: run scripts/install-postgresql.sh"
    return found


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server."""
    server = Server()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where nothing is yet, in either database."""
    if request.param == "sqlite":
        return Place(file=tmp_path / "history.sqlite3")
    server: Server = request.getfixturevalue("server")
    return server.create()


@pytest.fixture
def opened() -> Iterator[Callable[[Place], Database]]:
    """Open databases, which are closed after the test."""
    databases: list[Database] = []

    def open_one(place: Place) -> Database:
        databases.append(open_database(place, create=True))
        return databases[-1]

    yield open_one
    for database in databases:
        database.close()
