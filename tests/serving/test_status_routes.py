from __future__ import annotations

import json
from pathlib import Path

import pytest

from postdeploy.domain.retention import Retention
from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from postdeploy.history.writing import write_run
from postdeploy.serving.refreshed import BusyError
from postdeploy.serving.remembered import Remembered
from postdeploy.serving.route import BadRequestError, Request, Response
from postdeploy.serving.status_routes import status_routes
from tests.history.memories import NOW, check, run


def ask(remembered: Remembered, path: str, query: str = "") -> Response:
    """What is answered."""
    return status_routes(remembered)[path].handler(Request("GET", path, query))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A history of two targets, of which one is down."""
    place = Place(file=tmp_path / "history.sqlite3")
    history = open_database(place, create=True)
    write_run(history, run("r1", check("a", "failed")), Retention(), now=NOW)
    write_run(history, run("r2", check("a"), target="production"), Retention(), now=NOW)
    history.close()
    return place


def remembered(place: Place, target: str = "staging") -> Remembered:
    """The history of a target, with clocks that stand."""
    return Remembered(place, target, wall=lambda: NOW, clock=lambda: 0.0)


def test_the_page_of_the_target(place: Place) -> None:
    """People get the page and programs the same as JSON, about this target alone; the root leads to the page."""
    pages = remembered(place)
    page, told = ask(pages, "/status"), ask(pages, "/status.json")
    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    assert b"Something is broken" in page.body
    assert b"production" not in page.body
    (target,) = json.loads(told.body)["targets"]
    assert (told.status, target["name"], target["down"]) == (200, "staging", True)
    root = ask(pages, "/")
    assert (root.status, root.headers["location"]) == (302, "/status")


def test_of_a_target_without_a_run(place: Place) -> None:
    """It is said that nothing is remembered yet."""
    assert b"No run is remembered yet." in ask(remembered(place, "development"), "/status").body


@pytest.mark.parametrize("away", ["missing", "no database", "busy"])
def test_a_history_that_is_away(tmp_path: Path, away: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page says so with 503, and neither where the history is nor what it said; programs are told in JSON."""
    file = tmp_path / "secret-place.sqlite3"
    if away == "no database":
        file.write_bytes(b"this is no database, as anybody can see" * 99)
    pages = remembered(Place(file=file))
    if away == "busy":
        monkeypatch.setattr(type(pages.pages), "get", lambda _: (_ for _ in ()).throw(BusyError))
    page, told = ask(pages, "/status"), ask(pages, "/status.json")
    assert page.status == told.status == 503
    assert page.headers["retry-after"] == told.headers["retry-after"] == "15"
    assert b"The status is not known at the moment" in page.body
    assert json.loads(told.body)["error"] in page.body.decode()
    assert b"secret-place" not in page.body + told.body


def test_a_question_is_none(place: Place) -> None:
    """What nobody knows is refused, never ignored."""
    for path in ("/", "/status", "/status.json"):
        with pytest.raises(BadRequestError):
            ask(remembered(place), path, "target=production")
