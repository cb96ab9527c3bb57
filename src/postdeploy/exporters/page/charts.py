"""The pictures of the page: every attempt on a time line, and how long the phases of an exchange took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from postdeploy.exporters.page.latency import Latency, latencies
from postdeploy.exporters.page.markup import both, milliseconds, text
from postdeploy.exporters.page.timeline import Bar, draw

__all__ = ["charts"]

_LANE: Final = 9
"""Pixels of a lane."""


def charts(document: Mapping[str, Any], numbers: Mapping[str, int]) -> Iterator[str]:
    """Both sections, in parts; ``numbers`` are those of the checks on the page, by id."""
    yield from _timeline(document, numbers)
    yield _latency(latencies(document), numbers)


def _timeline(document: Mapping[str, Any], numbers: Mapping[str, int]) -> Iterator[str]:
    timeline = draw(document)
    if timeline is None:
        return
    marks = "".join(f"<span>{timeline.seconds * part / 4:.1f} s</span>" for part in range(5))
    hint = f"{len(timeline.bars)} {both('attempts')}"
    if any(bar.outcome != "passed" for bar in timeline.bars):
        hint += f" · {both('timeline_hint')}"
    yield f"""<section><h2>{both("timeline")}</h2><p class="hint">{hint}</p>
<div class="timeline"><div class="lanes" style="height:{timeline.lanes * _LANE}px">"""
    for bar in timeline.bars:
        yield _bar(bar, numbers[bar.check])
    yield f"""</div>
<div class="axis" aria-hidden="true">{marks}</div></div></section>
"""


def _bar(bar: Bar, number: int) -> str:
    """One that did not pass leads to its check; the others are only seen, as hundreds of stops would help nobody."""
    told = f"{text(bar.name)}, {bar.number}: {bar.outcome}, {milliseconds(bar.seconds)}"
    at = f'style="left:{bar.left}%;width:{bar.width}%;top:{bar.lane * _LANE}px"'
    if bar.outcome == "passed":
        return f'<i data-check="{number}" {at} title="{told}"></i>'
    return f'<a class="{bar.outcome}" href="#check-{number}" {at} title="{told}" aria-label="{told}"></a>'


def _latency(rows: Sequence[Latency], numbers: Mapping[str, int]) -> str:
    if not rows:
        return ""
    top = max(row.p95 for row in rows) or 1.0
    lines = "\n".join(_phase(row, top, numbers) for row in rows)
    heads = "".join(
        f'<th scope="col"{extra}>{name}</th>'
        for name, extra in (
            (both("phase"), ""), ("p50", ""), ("p95", ""), (both("slowest"), ""),
            ("p95", ' class="wide"'), (both("slowest_check"), ' class="wide"'),
        )
    )  # fmt: skip
    return f"""<section><h2>{both("latency")}</h2><table class="latency"><thead><tr>{heads}</tr></thead><tbody>
{lines}</tbody></table></section>
"""


def _phase(row: Latency, top: float, numbers: Mapping[str, int]) -> str:
    figures = "".join(f"<td>{value:.1f} ms</td>" for value in (row.p50, row.p95, row.most))
    meter = f'<span class="meter {text(row.phase)}" style="width:{100 * row.p95 / top:.1f}%"></span>'
    slowest = f'<a href="#check-{numbers[row.check]}">{text(row.name)}</a>'
    return (
        f'<tr><th scope="row">{text(row.phase)}</th>{figures}<td class="wide">{meter}</td>'
        f'<td class="wide whose">{slowest}</td></tr>'
    )
