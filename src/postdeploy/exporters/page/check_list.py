"""The checks: a line each, and behind it what was expected, every attempt, how to repeat it, and what it left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from postdeploy.exporters.page.markup import both, clock, code, fact, link, milliseconds, place, text, within
from postdeploy.exporters.reading import issue_name

__all__ = ["ATTENTION", "check_list"]

Document = Mapping[str, Any]
View = Mapping[str, Any]

ATTENTION: Final = ("failed", "errored", "blocked", "flaky", "not_run")
"""What somebody should look at."""

_OPENED: Final = 3
_PHASES: Final = ("dns", "connect", "tls", "first_byte", "transfer")
_NAMED: Final = 20
"""Percent of a bar: as much as the name of a phase needs."""


def check_list(
    views: Sequence[View], outcomes: Sequence[tuple[str, int]], pictures: Mapping[str, str]
) -> Iterator[str]:
    """The section, in parts; checks to look at are shown first, and alone until somebody asks for the others."""
    yield f'<section id="checks" tabindex="-1"><h2>{both("checks")}</h2>'
    if not views:
        yield f"<p>{both('nothing')}</p></section>"
        return
    yield f"""
{_tools(views, outcomes)}
<p id="shown" role="status"><b id="count">{len(views)}</b> / {len(views)} {both("checks_unit")}</p>
<p id="none" hidden>{both("none_match")}</p>
<div class="list">
"""
    for number, view in enumerate(views, 1):
        yield _check(number, view, pictures)
    yield "</div></section>"


def _tools(views: Sequence[View], outcomes: Sequence[tuple[str, int]]) -> str:
    look = sum(count for name, count in outcomes if name in ATTENTION)
    narrowed = 0 < look < len(views)
    buttons = [_filter("attention", look, pressed=True)] if narrowed else []
    buttons.append(_filter("", len(views), pressed=not narrowed))
    buttons += [_filter(name, count, pressed=False) for name, count in outcomes]
    return f"""<div class="tools">
<div class="filters" role="group" {within("outcome")}>{"".join(buttons)}</div>
<div class="find"><label class="search"><span>{both("search")}</span>
<input type="search" id="search" autocomplete="off" aria-keyshortcuts="/"></label>
<button type="button" id="fold" aria-pressed="false">{both("open_all")}</button></div>
</div>"""


def _filter(state: str, count: int, *, pressed: bool) -> str:
    on = "true" if pressed else "false"
    name = both(state or "all")
    return f'<button type="button" data-state="{state}" aria-pressed="{on}" class="{state}">{name} {count}</button>'


def _check(number: int, view: View, pictures: Mapping[str, str]) -> str:
    state, severity, attempts = view["state"], view["severity"], view["attempts"]
    opened = " open" if state in {"failed", "errored"} and number <= _OPENED else ""
    weight = "" if severity == "critical" else f' <span class="kind">{both(severity)}</span>'
    took = milliseconds(view["seconds"]) if attempts else ""
    cause = text(view["cause"] or "")
    return (
        f'<details class="check {state}" id="check-{number}" data-state="{state}" data-cause="{cause}"{opened}>'
        f'<summary><span class="state">{both(state)}</span> <span class="name">{text(view["name"])}</span> '
        f'<span class="kind">{text(view["kind"])}</span>{weight} <span class="time">{took}</span></summary>'
        f'<div class="body">{_body(view, pictures)}</div></details>\n'
    )


def _body(view: View, pictures: Mapping[str, str]) -> str:
    where = fact("where", code(f"{view['path']}:{view['line']}"))
    about = _about(view["severity"], view["owner"], view["runbook"], tuple(view.get("issues", ())), view["cause"])
    why = "" if view["state"] == "passed" else _why(view)
    return f'{why}<dl class="facts">{where}{about}</dl>{_attempts(view)}{_curl(view)}{_evidence(view, pictures)}'


@lru_cache(maxsize=256)
def _about(severity: str, owner: str | None, runbook: str | None, issues: tuple[str, ...], cause: str | None) -> str:
    """Facts that many checks share."""
    links = ", ".join(link(url, issue_name(url)) for url in issues)
    return (
        fact("severity", both(severity))
        + fact("owner", text(owner or ""))
        + fact("runbook", link(runbook))
        + fact("issue", links)
        + (fact("cause", f'<a href="#cause-{text(cause)}">{text(cause)}</a>') if cause else "")
    )


def _why(view: View) -> str:
    """What was expected and what came, side by side; what has no such two sides is a text."""
    last: Document = next((one for one in reversed(view["attempts"]) if one["outcome"] != "passed"), {})
    wanted, got = (f'<span class="lead" aria-hidden="true">{both(key)}</span>' for key in ("expected", "got"))
    findings = [one for one in last.get("findings", ()) if one["code"] != "assertion"]
    if not findings or last.get("error"):
        return f'<pre class="message" tabindex="0">{text(view["message"])}</pre>' if view["message"] else ""
    rows = "".join(
        f'<tr><th scope="row">{text(one["subject"])}</th><td class="wanted">{wanted}{text(one["expected"])}</td>'
        f'<td class="got">{got}{text(one["observed"])}</td></tr>'
        for one in findings
    )
    head = (
        f'<th scope="col">{both("what")}</th><th scope="col">{both("expected")}</th><th scope="col">{both("got")}</th>'
    )
    return f'<table class="findings"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _attempts(view: View) -> str:
    attempts = view["attempts"]
    if not attempts or (len(attempts) == 1 and not attempts[0].get("phases") and not attempts[0].get("excerpt")):
        return ""
    lines = "".join(_attempt(number, one) for number, one in enumerate(attempts, 1))
    came = "" if view["state"] == "passed" else _came(attempts)
    return f'<ol class="attempts">{lines}</ol>{came}'


def _attempt(number: int, attempt: Document) -> str:
    outcome = attempt["outcome"]
    state = f'<span class="state">{both(outcome)}</span>'
    return (
        f'<li class="attempt {outcome}"><p><b>{both("attempt")} {number}</b> {state} '
        f"{milliseconds(attempt['duration'])} {clock(attempt['started'])}</p>{_phases(attempt.get('phases', {}))}</li>"
    )


def _phases(phases: Mapping[str, float]) -> str:
    """A bar in proportion; names stand where there is room, and all of them in its label."""
    whole = sum(phases.values())
    if not whole:
        return ""
    label = ", ".join([f"{text(name)} {1000 * seconds:.1f} ms" for name, seconds in phases.items()])
    parts = "".join([_phase(name, seconds, 100 * seconds / whole) for name, seconds in phases.items()])
    return f'<div class="phases" role="img" aria-label="{label}" title="{label}">{parts}</div>'


def _phase(name: str, seconds: float, percent: float) -> str:
    told = f"{text(name)} {1000 * seconds:.0f} ms" if percent > _NAMED else ""
    return f'<span class="{name if name in _PHASES else "other"}" style="width:{percent:.2f}%">{told}</span>'


def _came(attempts: Iterable[Document]) -> str:
    """What the target answered, once where it answered the same."""
    excerpts = dict.fromkeys(one["excerpt"] for one in attempts if one.get("excerpt"))
    return "".join(f'<p><b>{both("came")}</b></p><pre tabindex="0">{text(excerpt)}</pre>' for excerpt in excerpts)


def _curl(view: View) -> str:
    if not view["curl"]:
        return ""
    copy = f'<button type="button" class="copy">{both("copy")}</button>'
    return (
        f'<div class="curl"><p><b>{both("reproduce")}</b> {copy}</p><pre tabindex="0">{text(view["curl"])}</pre></div>'
    )


def _evidence(view: View, pictures: Mapping[str, str]) -> str:
    if not view["evidence"]:
        return ""
    files = "".join(_file(path) for path in view["evidence"])
    told = f"<figcaption>{both('screenshot')}</figcaption>"
    shots = "".join(
        f'<figure><img loading="lazy" alt="{text(view["name"])}" src="{pictures[path]}">{told}</figure>'
        for path in view["evidence"]
        if path in pictures
    )
    return f'<div class="evidence"><p><b>{both("evidence")}</b></p><ul>{files}</ul>{shots}</div>'


def _file(path: str) -> str:
    name = text("/".join(path.rsplit("/", 2)[-2:]))
    opened = ""
    if path.endswith("trace.zip"):
        command = text(f"playwright show-trace {path}")
        opened = (
            f" <span>{both('open_trace')}</span> <code>{command}</code> "
            f'<button type="button" class="copy" data-text="{command}">{both("copy")}</button>'
        )
    return f'<li><a href="{place(path)}">{name}</a>{opened}</li>'
