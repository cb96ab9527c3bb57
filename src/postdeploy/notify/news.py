"""The news about a target, from what is known now to those who were told something else: one call for every caller."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from postdeploy.config.receivers import load_receivers
from postdeploy.errors import PostdeployError
from postdeploy.notify.message import message_of
from postdeploy.notify.sender import Delivery, is_news, send_all
from postdeploy.notify.told import Told, place_of, standing_word
from postdeploy.standing import Standing

__all__ = ["Place", "tell"]

_PAGE = "report.html"


class Place:
    """Where things are.

    Args:
        targets: the targets file, whose ``notify`` says who is told.
        reports: the reports folder.
        told: the file that says who was told what; None is the one beside the reports folder.
        link: where to read on, if the verdict does not say.
    """

    def __init__(self, targets: Path, reports: Path, told: Path | None = None, link: str | None = None) -> None:
        self.targets = targets
        self.told = told or place_of(reports)
        self.link = link
        page = reports / _PAGE
        self.report = str(page) if page.is_file() else None


def tell(
    standing: Standing,
    place: Place,
    warn: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
    *,
    always: bool = False,
) -> list[Delivery]:
    """Tell whoever has not heard this yet; ``always`` tells everybody, and remembers nothing.

    ``warn`` hears whatever goes wrong. Raises ConfigurationError if the targets file cannot be read or has no such
    target.
    """
    receivers, problems = load_receivers(place.targets, standing.demand.target, environment)
    for problem in problems:
        warn(str(problem))
    told, word = _told(place.told, standing.demand.target, warn), standing_word(standing)
    news = [
        (receiver, message_of(standing, before=told.words.get(receiver.name), link=place.link, report=place.report))
        for receiver in receivers
        if always or is_news(word, told.words.get(receiver.name), receiver)
    ]
    deliveries = send_all(news)
    for failure in _failures(deliveries):
        warn(failure)
    if not always:
        heard = {each.receiver.name for each in deliveries if each.problem is None}
        silent = {receiver.name for receiver in receivers} - {each.receiver.name for each in deliveries}
        _remember(told, word, heard | silent, warn)
    return deliveries


def _told(path: Path, target: str, warn: Callable[[str], None]) -> Told:
    try:
        return Told.read(path, target)
    except PostdeployError as error:
        warn(f"{error}; it is taken for a first time")
        return Told(path, target)


def _failures(deliveries: list[Delivery]) -> Iterator[str]:
    for each in deliveries:
        if each.problem is not None:
            yield f"{each.receiver.name} ({each.receiver.kind}) was not told: {each.problem}"


def _remember(told: Told, word: str, names: set[str], warn: Callable[[str], None]) -> None:
    """Whoever heard it, or had nothing to hear; whoever could not be told is told the next time."""
    before = dict(told.words)
    told.words |= dict.fromkeys(sorted(names), word)
    try:
        if told.words != before:
            told.write()
    except PostdeployError as error:
        warn(str(error))
