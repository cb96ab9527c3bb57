"""One page for people: self-contained, without a request, safe whatever the target answered."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import chain
from typing import Any, Final

from postdeploy.exporters import Read
from postdeploy.exporters.page.charts import charts
from postdeploy.exporters.page.check_list import ATTENTION, check_list
from postdeploy.exporters.page.markup import both, text
from postdeploy.exporters.page.overview import header, overview, services
from postdeploy.exporters.reading import duration, message, title

__all__ = ["render"]

Document = Mapping[str, Any]

_PICTURES: Final = 20 * 1024 * 1024
"""Bytes of pictures that the page may hold; the others stay beside it, with a link."""

_ORDER: Final = ("failed", "errored", "blocked", "flaky", "not_run", "passed", "skipped")

_COLOURS: Final = {"pass": "0b6b3a", "fail": "b3172b"}


def render(document: Document, read: Read) -> bytes:
    """The page."""
    views = sorted((_view(check) for check in document.get("checks", ())), key=_rank)
    numbers = {view["id"]: number for number, view in enumerate(views, 1)}
    states = [view["state"] for view in views]
    outcomes = [(name, count) for name in _ORDER if (count := states.count(name))]
    listed = check_list(views, outcomes, dict(_pictures(document, read)))
    sections = (listed, charts(document, numbers)) if _troubled(states) else (charts(document, numbers), listed)
    page = chain((_beginning(document, outcomes),), *sections, (_end(document),))
    return b"".join([part.encode("utf-8", "backslashreplace") for part in page])  # whole, it is copied once


def _beginning(document: Document, outcomes: Iterable[tuple[str, int]]) -> str:
    return f"""<!doctype html>
<html lang="en" data-language="en">
{_head(document)}
<body>
<a class="skip" href="#checks">{both("skip")}</a>
{header(document, outcomes)}
<main>
{overview(document)}
"""


def _end(document: Document) -> str:
    return f"""
{services(document)}
</main>
{_footer(document)}
<script>{_asset("report.js")}</script>
</body>
</html>
"""


def _troubled(states: Collection[str]) -> bool:
    """Whether checks come first: where all is well, hundreds of them say less than their pictures."""
    return not states or any(state in ATTENTION for state in states)


def _head(document: Document) -> str:
    """Nothing may be loaded but what is in the page, and no script may run but ours."""
    digest = base64.b64encode(hashlib.sha256(_asset("report.js").encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    colour = _COLOURS.get(document["verdict"], "7a4b00")
    icon = f"<svg xmlns='http://www.w3.org/2000/svg'><circle cx='8' cy='8' r='8' fill='%23{colour}'/></svg>"
    return f"""<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<title>{text(title(document))} · {text(document["target"]["name"])}</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>{_asset("report.css")}</style>
</head>"""


def _footer(document: Document) -> str:
    policy, evidence = document.get("policy", {}), document.get("evidence", {})
    digests = "".join(
        f" · {both(name)} <code>{text(digest[:19])}</code>"
        for name, digest in (("policy", policy.get("digest", "")), ("evidence", evidence.get("sha256", "")))
        if digest
    )
    return f"<footer>postdeploy {text(document['run']['tool']['version'])}{digests}</footer>"


def _view(check: Document) -> dict[str, Any]:
    """A check as the page shows it: flaky is a state of its own."""
    state = "flaky" if check["flaky"] else check["outcome"]
    return {**check, "state": state, "seconds": duration(check), "message": message(check)}


def _rank(check: Document) -> tuple[int, str, int]:
    return _ORDER.index(check["state"]), check["path"], check["line"]


def _pictures(document: Document, read: Read) -> Iterator[tuple[str, str]]:
    """Screenshots by path, as data URLs."""
    left = _PICTURES
    for check in document.get("checks", ()):
        for path in check["evidence"]:
            content = read(path) if path.endswith(".png") else None
            if content and len(content) <= left:
                left -= len(content)
                yield path, "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _asset(name: str) -> str:
    return files("postdeploy.exporters.page").joinpath(name).read_text(encoding="utf-8")
