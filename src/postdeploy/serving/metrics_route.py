"""What Prometheus scrapes: the last run as far as it is proven, and what else is known of the monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from postdeploy import __version__
from postdeploy.exporters.exposition import CONTENT_TYPE, Family, Sample, exposition, labelled
from postdeploy.exporters.prometheus import families
from postdeploy.exporters.reading import moment
from postdeploy.gate import Believed
from postdeploy.serving.route import Request, Response, Route
from postdeploy.serving.verdict_routes import asked_by_query
from postdeploy.standing import Judge, Standing

__all__ = ["metrics_route"]

More = Callable[[], Iterable[Family]]


def metrics_route(judge: Judge, more: More = tuple) -> Route:
    """The handler of ``/metrics``.

    Args:
        judge: believes runs of every mode, and so decides nothing.
        more: families beside those of the verdict; it raises nothing.
    """
    return Route(_Metrics(judge.of_any_mode(), more).answer)


class _Metrics:
    """Remembers the last run that was proven, for the time in which the next one is under way."""

    def __init__(self, judge: Judge, more: More) -> None:
        self._judge = judge
        self._more = more
        self._last: Believed | None = None

    def answer(self, request: Request) -> Response:
        """The text. Raises BadRequestError."""
        asked = asked_by_query(request)
        standing = self._judge.standing(asked)
        if not asked and standing.believed:
            self._last = standing.believed
        text = exposition([*self._families(standing, None if asked else self._last), *self._more()])
        return Response(200, text, CONTENT_TYPE)

    def _families(self, standing: Standing, last: Believed | None) -> Iterator[Family]:
        believed = standing.believed
        if believed is None and _is_recent(last, standing) and self._judge.is_under_way():
            believed = last
        yield from families(believed.document if believed else _unproven(standing, last))
        proven = [Sample(labelled({"target": standing.demand.target}), float(believed is not None))]
        yield Family("postdeploy_proven", "Whether the gate believes what is told of the last run.", proven)


def _is_recent(last: Believed | None, standing: Standing) -> bool:
    demand = standing.demand
    return last is not None and demand.now - moment(last.document["run"]["finished"]) <= demand.max_age


def _times(last: Believed | None) -> dict[str, Any]:
    run = last.document["run"] if last else {}
    return {name: run.get(name) for name in ("started", "finished")}


def _unproven(standing: Standing, last: Believed | None) -> Mapping[str, Any]:
    """As the metrics of a run of which nothing is known but, perhaps, when it ended."""
    return {
        "verdict": standing.verdict,
        "action": standing.action,
        "target": {"name": standing.demand.target},
        "run": {"tool": {"version": __version__}, **_times(last)},
        "release": {"expected": standing.demand.release},
    }
