"""Old evidence judged again: what would another policy have done? Nothing is sent, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from postdeploy.domain.decision import decide
from postdeploy.domain.document import iso
from postdeploy.domain.evidence import Evidence, EvidenceError, fold
from postdeploy.domain.mode import Mode
from postdeploy.domain.policy import Action, Policy
from postdeploy.domain.verdict import Verdict
from postdeploy.errors import JournalError
from postdeploy.journal import EVIDENCE_FILE, read_journal
from postdeploy.lazy_dataclass import dataclass, replace

__all__ = ["Replayed", "find_journals", "replay", "tell"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run: the verdict that it had, and the one that it has under the policy; or why neither can be said.

    ``deploy`` is false for what decided about none: scheduled runs, parts of a run, a run that was met before.
    """

    journal: Path
    started: str = ""
    target: str = ""
    release: str | None = None
    was: Verdict | None = None
    would_be: Verdict | None = None
    problem: str | None = None
    sha256: str = ""
    deploy: bool = True

    @property
    def changed(self) -> bool:
        """Whether the pipeline would have acted otherwise."""
        return bool(self.was and self.would_be and self.was.action is not self.would_be.action)


def find_journals(places: Iterable[Path]) -> Iterator[Path]:
    """Journals by name; of a folder, every journal below it."""
    for place in places:
        if place.is_dir():
            yield from sorted(place.rglob(EVIDENCE_FILE))
        else:
            yield place


def replay(journals: Iterable[Path], policy: Policy | None) -> list[Replayed]:
    """Judge each run again, oldest first; without a policy, each under its own."""
    runs = sorted((_replay(journal, policy) for journal in journals), key=lambda run: (run.started, str(run.journal)))
    met: set[str] = set()
    return [_once(run, met) for run in runs]


def _once(run: Replayed, met: set[str]) -> Replayed:
    """A copy of a run that was met before, such as the newest one of a monitor, is told and not counted."""
    if run.sha256 in met:
        return replace(run, deploy=False)
    met |= {run.sha256} - {""}
    return run


def _replay(journal: Path, policy: Policy | None) -> Replayed:
    try:
        content = read_journal(journal)
        evidence = fold(content.records)
    except (JournalError, EvidenceError) as error:
        return Replayed(journal, problem=str(error))
    return Replayed(
        journal,
        iso(evidence.run["started"]),
        str(evidence.target["name"]),
        evidence.release.expected,
        decide(evidence),
        decide(evidence, policy),
        sha256=content.sha256,
        deploy=evidence.run.get("mode") != Mode.MONITOR and not _is_part(evidence),
    )


def _is_part(evidence: Evidence) -> bool:
    """Whether others belong to it: only what was made of all of them decided."""
    named = [word for word in evidence.narrowed_by if word.startswith("--shard ")]
    return "vantage" in evidence.run or bool(named and "shards" not in evidence.run)


def tell(runs: list[Replayed]) -> Iterator[str]:
    """A line for each run, and one for all of them."""
    for run in runs:
        if run.was is None or run.would_be is None:
            yield f"{run.journal}: {run.problem}"
            continue
        about = f"{run.started}  {run.target}  {run.release or '-'}"
        sign = "->" if run.changed else "=="
        yield f"{about}  {_word(run.was)} {sign} {_word(run.would_be)}  {run.journal}"
    judged = [run for run in runs if run.would_be is not None]
    deploys = [run for run in judged if run.deploy]
    others = f"; {n} scheduled runs, parts and copies are not counted" if (n := len(judged) - len(deploys)) else ""
    yield _all(deploys, len(runs) - len(judged)) + others


def _all(runs: list[Replayed], unread: int) -> str:
    actions = [run.would_be.action for run in runs if run.would_be is not None]
    blocked = len(actions) - actions.count(Action.PROMOTE)
    text = f"would have blocked {blocked} of {len(runs)} deployments"
    if blocked:
        text += f" ({actions.count(Action.ROLLBACK)} rolled back, {actions.count(Action.HOLD)} held)"
    text += f"; {sum(run.changed for run in runs)} otherwise than they were"
    return f"{text}; {unread} could not be read" if unread else text


def _word(verdict: Verdict) -> str:
    return f"{verdict.action.value} ({verdict.reason.value})"
