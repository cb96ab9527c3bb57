"""What is asked of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from postdeploy.domain.observation import PageObservation
from postdeploy.domain.redaction import Redactor
from postdeploy.guard.pace import Pace
from postdeploy.lazy_dataclass import dataclass, field

__all__ = ["BODY", "Allowed", "PageTask"]

BODY = ""
"""Among the texts of a task: the text of the whole page."""

Allowed = Callable[[str, str], str | None]
"""Method and URL of a request to why it may not leave this machine, or None if it may."""


def _always(_observation: PageObservation) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PageTask:
    """A page to look at.

    Args:
        url: where it is.
        place: the same as people write it, for the observation.
        timeout: seconds from the navigation on, within which ``settled`` must become true.
        selectors: selectors in Playwright's syntax; the observation says of each whether anything visible matches.
        texts: selectors whose text is wanted (of the first match); ``""`` asks for the text of the whole page.
        headers: added to every request of the page.
        evidence: folder for screenshot, trace and logs of a page that does not settle; None keeps nothing.
        trace: whether to record a trace, which costs 40 %.
        settled: whether an observation is the last one that is needed.
        allowed: why a request may not leave this machine; None permits everything and costs nothing.
        routed: whether every request is asked about before it leaves; if not, what the proxy refuses is noted only.
        sealed: whether what no route sees is taken away from the page, where it is routed.
        redactor: knows the secrets that no picture may show, and is told of those that answers bring.
        pace: when requests may go, and who counts them; None lets them go at once, and counts nothing.
    """

    url: str
    place: str
    timeout: float
    selectors: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    evidence: Path | None = None
    trace: bool = False
    settled: Callable[[PageObservation], bool] = _always
    allowed: Allowed | None = None
    routed: bool = True
    sealed: bool = True
    pace: Pace | None = None
    redactor: Redactor | None = None
