"""The answers about a verdict, one path for each kind of poller; none says yes to what the gate would not act on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from postdeploy.domain.document import iso
from postdeploy.exporters.escaping import visible
from postdeploy.serving.route import BadRequestError, Request, Response, Route, Routes, json_response, query_of
from postdeploy.standing import ASKED, Judge, Standing

__all__ = ["SCHEMA", "asked_by_query", "verdict_routes"]

SCHEMA: Final = "postdeploy/answer/1"

_CODES: Final = {"promote": 200, "hold": 412, "rollback": 409}
"""By action. Neither 5xx nor 429: clients and proxies repeat those, and lose what they say."""

_NO: Final = 409
_CAUSES: Final = 10
_LONG: Final = 500
_PLAIN: Final = "text/plain; charset=utf-8"
_BOTH: Final = ("GET", "POST")

_Asked = Callable[[Request], dict[str, str]]
_Answer = Callable[[Standing], Response]


def verdict_routes(judge: Judge) -> Routes:
    """By path; ``docs/reference/serve.md`` has the table, with the routes that stand beside these."""
    return {
        "/verdict": _route(judge, _by_code),
        "/argo": _route(judge, _by_content),
        "/flagger/promote": _route(judge, _flagger("promote"), _asked_by_flagger, _BOTH),
        "/flagger/rollback": _route(judge, _flagger("rollback"), _asked_by_flagger, _BOTH),
        "/livez": Route(_well, public=True),
        "/readyz": Route(_well, public=True),
    }


def _route(judge: Judge, answer: _Answer, asked: _Asked | None = None, methods: tuple[str, ...] = ("GET",)) -> Route:
    read = asked or asked_by_query
    return Route(lambda request: answer(judge.standing(read(request))), methods)


def asked_by_query(request: Request) -> dict[str, str]:
    """What the query names. Raises BadRequestError."""
    return _named(query_of(request, ASKED))


def _asked_by_flagger(request: Request) -> dict[str, str]:
    """What the query and the metadata of the webhook name; other metadata is for others. Raises BadRequestError."""
    asked = asked_by_query(request)
    for name, value in _metadata(request.body).items():
        if name in ASKED and asked.setdefault(name, value) != value:
            raise BadRequestError(f"the query and the metadata name another {name}")
    return _named(asked)


def _metadata(body: bytes) -> Mapping[str, Any]:
    if not body.strip():
        return {}
    try:
        return dict(json.loads(body).get("metadata") or {})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadRequestError("the body is not the JSON of a webhook") from error


def _named(asked: dict[str, Any]) -> dict[str, str]:
    """A name without a value is one that was never filled in: it must not become 'any'."""
    for name, value in asked.items():
        if not isinstance(value, str) or not value.strip():
            raise BadRequestError(f"'{name}' is empty")
    return asked


def _by_code(standing: Standing) -> Response:
    """For whatever looks at the status code alone."""
    return json_response(_CODES[standing.action], _content(standing))


def _by_content(standing: Standing) -> Response:
    """For Argo Rollouts, which takes any other code than 2xx for an error and, after some of them, aborts."""
    return json_response(200, _content(standing))


def _flagger(action: str) -> _Answer:
    """200 where this is the action and 4xx otherwise; Flagger repeats 5xx, and shows the text in its events."""

    def answer(standing: Standing) -> Response:
        text = f"{standing.action}: {standing.reason}: {_short(standing.summary)}\n"
        code = 200 if standing.action == action else _NO
        return Response(code, text.encode("utf-8", "backslashreplace"), _PLAIN)

    return answer


def _well(_request: Request) -> Response:
    return Response(200, b"ok\n", _PLAIN)


def _content(standing: Standing) -> dict[str, Any]:
    document = standing.believed.document if standing.believed else None
    return {
        "schema": SCHEMA,
        "verdict": standing.verdict,
        "action": standing.action,
        "reason": standing.reason,
        "summary": _short(standing.summary),
        "status": standing.status,
        "target": standing.demand.target,
        "release": standing.demand.release,
        "asked_at": iso(standing.demand.now),
        "proof": _proof(standing),
        "counts": document["counts"] if document else None,
        "causes": [_short(cause["summary"]) for cause in document["causes"][:_CAUSES]] if document else [],
    }


def _proof(standing: Standing) -> dict[str, Any] | None:
    if standing.believed is None:
        return None
    document, sha256 = standing.believed
    run = document["run"]
    return {"sha256": sha256, "run": run["id"], "finished": run["finished"], "ci": run.get("ci")}


def _short(text: str) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= _LONG else line[:_LONG] + "\N{HORIZONTAL ELLIPSIS}"
