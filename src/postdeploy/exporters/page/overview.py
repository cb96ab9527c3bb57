"""The upper part of the page: the decision, what it is about, causes, and what happened to the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from postdeploy.exporters.page.markup import both, clock, code, facts, link, text, within
from postdeploy.exporters.reading import run_seconds

__all__ = ["header", "overview", "services"]

Document = Mapping[str, Any]

_SHORT: Final = 5
"""Lines of a list that are shown at once."""


def header(document: Document, outcomes: Iterable[tuple[str, int]]) -> str:
    """The decision and its reason first."""
    counts = "".join(f'<li class="{name}"><b>{count}</b> {both(name)}</li>' for name, count in outcomes)
    release = document["release"]["expected"] or ", ".join(_observed(document))
    return f"""<header class="top {text(document["verdict"])}">
<div class="bar"><span class="product">postdeploy</span><span class="switches">
<button type="button" id="language">{both("language")}</button>
<button type="button" id="theme" {within("theme")} aria-pressed="false"><span aria-hidden="true">◐</span></button>
</span></div>
<p class="about"><b>{text(document["target"]["name"])}</b>{f" · {text(release)}" if release else ""}</p>
<h1><span class="verdict">{both(document["verdict"])}</span> <span class="arrow" aria-hidden="true">→</span> \
<span class="action">{both(document["action"])}</span></h1>
<p class="reason"><strong>{both(document["reason"])}</strong> {code(document["reason"])}</p>
<p class="summary">{text(document["summary"])}</p>
{f'<ul class="counts">{counts}</ul>' if counts else ""}
</header>"""


def overview(document: Document) -> str:
    """What it is about, and what happened to the run and causes before symptoms."""
    warnings = [text(warning) for warning in document.get("warnings", ())]
    return (
        _facts(document)
        + _section("incidents", _incidents(document))
        + _section("causes", _causes(document))
        + _section("warnings", _folded(warnings))
    )


def services(document: Document) -> str:
    """Which services answered."""
    urls = document["target"].get("services", {})
    found = "".join(_service(name, state, urls.get(name)) for name, state in document.get("services", {}).items())
    return _section("services", f'<ul class="services">{found}</ul>' if found else "")


def _section(key: str, content: str) -> str:
    return f"<section><h2>{both(key)}</h2>{content}</section>\n" if content else ""


def _observed(document: Document) -> Iterator[str]:
    return iter(dict.fromkeys(str(seen) for seen in document["release"].get("observed", {}).values() if seen))


def _facts(document: Document) -> str:
    run, release, target = document["run"], document["release"], document["target"]
    ci, budget, baseline = run.get("ci") or {}, document.get("budget", {}), document.get("baseline") or {}
    return facts(
        ("target", text(target["name"])),
        ("expected", text(release["expected"] or "")),
        ("observed", text(", ".join(_observed(document)))),
        ("live_after", f"{release['live_after']:.1f} s" if release.get("live") else ""),
        ("baseline", text(baseline.get("release") or "")),
        ("started", clock(run["started"])),
        ("took", f"{run_seconds(document):.1f} s" if run.get("finished") else ""),
        ("access", text(target.get("access") or "")),
        ("requests", text(budget.get("requests") or "")),
        ("run", code(run["id"])),
        ("pipeline", link(ci.get("url"))),
    )


def _incidents(document: Document) -> str:
    return _folded([f"{code(one['reason'])} {text(one['message'])}" for one in document.get("incidents", ())])


def _causes(document: Document) -> str:
    found = "".join(_cause(cause) for cause in document.get("causes", ()))
    return f'<ol class="causes">{found}</ol>' if found else ""


def _cause(cause: Document) -> str:
    count, name = len(cause["checks"]), text(cause["id"])
    service = f'<span class="service">{text(cause["service"])}</span> ' if cause["service"] else ""
    unit = both("check_unit" if count == 1 else "checks_unit")
    return (
        f'<li id="cause-{name}"><p class="what">{text(cause["summary"])}</p><p class="whose"><code>{name}</code> '
        f'{service}<a href="#checks" data-cause="{name}">{count} {unit}</a></p></li>'
    )


def _service(name: str, state: Document, url: str | None) -> str:
    live = state["live"]
    why = "" if live else f" <span>{text(state['message'] or '')}</span>"
    return (
        f'<li class="{"passed" if live else "failed"}"><b>{text(name)}</b> {both("live" if live else "down")} '
        f'<span class="url">{text(url or "")}</span>{why}</li>'
    )


def _folded(lines: list[str]) -> str:
    """A list of which what is too long stands behind a button of its own."""
    if not lines:
        return ""
    shown, rest = lines[:_SHORT], lines[_SHORT:]
    more = f'<details class="more"><summary>+ {len(rest)}</summary>{_list(rest)}</details>' if rest else ""
    return _list(shown) + more


def _list(lines: Iterable[str]) -> str:
    return f'<ul class="notes">{"".join(f"<li>{line}</li>" for line in lines)}</ul>'
