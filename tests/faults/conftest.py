"""The fault suite: each test is a row of the fault matrix, or a part of one.

A test says so with ``@pytest.mark.row("F06", "-k narrows")``, asks for ``workers`` where a run is part of the fault,
and compares with ``run.require(Expected(...))`` or ``compare(Expected(...), Observed(...))``. ``make faults`` runs them
all and writes docs/reference/fault-matrix.md; a row without a test, a skipped and a wrong one are red. See ``rows.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.expected import Expected, Observed
from tests.faults.project import Project
from tests.faults.records import FOLDER_VARIABLE, RowRecord, write_record
from tests.faults.rows import ROWS
from tests.faults.server import FaultServer, serve

_PAIRS: pytest.StashKey[list[tuple[Expected, Observed]]] = pytest.StashKey()

Compare = Callable[..., None]


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark."""
    config.addinivalue_line("markers", "row(id, fault): this test is a row of the fault matrix, or a part of one")


def pytest_itemcollected(item: pytest.Item) -> None:
    """A row that the matrix does not have is a mistake."""
    for mark in item.iter_markers("row"):
        if mark.args[0] not in {row.id for row in ROWS}:
            raise pytest.UsageError(f"{item.nodeid}: tests/faults/rows.py has no row {mark.args[0]}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what became of a row, if somebody wants to know."""
    report = yield
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and (report.when == "call" or not report.passed):
        workers = getattr(item, "callspec", None) and item.callspec.params.get("workers")  # type: ignore[attr-defined]
        for mark in item.iter_markers("row"):
            row, fault = mark.args
            noted = item.stash.get(_PAIRS, None)
            write_record(Path(folder), item.nodeid, RowRecord(row, fault, workers, report.outcome, tuple(noted or ())))
    return report


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """``compare(Expected(...), Observed(...), "what was said")``: asserts, and keeps both for the table."""
    pairs = request.node.stash.setdefault(_PAIRS, [])

    def compare(expected: Expected, observed: Observed, said: str = "") -> None:
        pairs.append((expected, observed))
        wrong = expected.wrong(observed)
        assert not wrong, f"{', '.join(wrong)}: expected {expected}; observed {expected.show(observed)}\n{said}"

    return compare


@pytest.fixture(scope="session")
def one_server() -> Iterator[FaultServer]:
    """The fault server of this process."""
    with serve() as server:
        yield server


@pytest.fixture
def server(one_server: FaultServer) -> FaultServer:
    """The fault server, as new."""
    one_server.reset()
    return one_server


@pytest.fixture(params=[0, 2], ids=["n0", "n2"])
def workers(request: pytest.FixtureRequest) -> int:
    """The value of ``-n``."""
    number: int = request.param
    return number


@pytest.fixture
def project(tmp_path: Path, server: FaultServer, workers: int, compare: Compare) -> Project:
    """A project that verifies the fault server, with and without workers."""
    return Project(tmp_path, server.url, workers, compare)


@pytest.fixture
def alone(tmp_path: Path, server: FaultServer, compare: Compare) -> Project:
    """A project that verifies the fault server without workers, where they change nothing."""
    return Project(tmp_path, server.url, 0, compare)


@pytest.fixture
def root() -> None:
    """What only root can do; a skipped row is red, so that nobody takes it for proven."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
