"""What a pipeline demands of a verdict, and the questions that the gate asks it: is it about this, of this run, now?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from postdeploy.domain.document import SCHEMA, iso
from postdeploy.domain.mode import Mode, mode_of
from postdeploy.domain.status import status_of
from postdeploy.errors import RefusedError
from postdeploy.lazy_dataclass import dataclass, field

if TYPE_CHECKING:
    from postdeploy.signing import PublicKey

__all__ = ["QUESTIONS", "Demand"]

_SKEW: Final = 60.0
"""Seconds by which the clocks of the run, of ``gate begin`` and of the gate may differ."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the verdict must be about.

    Args:
        target: its name.
        release: what was deployed; None only if the run was not told either.
        run_id: the run, if the pipeline named it.
        max_age: seconds since the run finished.
        now: seconds since the epoch.
        begun: when the pipeline named the run, seconds since the epoch; it cannot have started before.
        urls: URLs of services by name; those that are not named may be any.
        config: digest of the target's configuration.
        suite: digest of the suite.
        status: the exit status that the run ended with.
        keys: one of these must have signed the verdict; without any, nobody need have.
        modes: what the run may have been made for; only after a deploy is anything decided.
    """

    target: str
    release: str | None
    run_id: str | None
    max_age: float
    now: float
    begun: float | None = None
    urls: Mapping[str, str] = field(default_factory=dict)
    config: str | None = None
    suite: str | None = None
    status: int | None = None
    keys: tuple[PublicKey, ...] = ()
    modes: tuple[str, ...] = (Mode.GATE.value,)


def _ask_form(document: Mapping[str, Any], _demand: Demand) -> None:
    if document["schema"] != SCHEMA:
        raise RefusedError(f"the schema is {document['schema']!r}, this gate reads {SCHEMA!r}")
    if document["state"] != "sealed":
        raise RefusedError(
            f"the run {document['run']['id']} started at {document['run']['started']} and never finished"
        )


def _ask_mode(document: Mapping[str, Any], demand: Demand) -> None:
    mode = mode_of(document["run"])
    if mode not in demand.modes:
        raise RefusedError(f"the verdict is of a run in mode {mode!r}, which was made to decide about no deploy")


def _ask_target(document: Mapping[str, Any], demand: Demand) -> None:
    if document["target"]["name"] != demand.target:
        raise RefusedError(f"the verdict is about target '{document['target']['name']}', not '{demand.target}'")


def _ask_release(document: Mapping[str, Any], demand: Demand) -> None:
    expected = document["release"]["expected"]
    if expected != demand.release:
        asked = f"'{demand.release}'" if demand.release is not None else "no release; name it with --release"
        about = f"release '{expected}'" if expected is not None else "no release in particular"
        raise RefusedError(f"the verdict is about {about}, the gate was asked about {asked}")


def _ask_run(document: Mapping[str, Any], demand: Demand) -> None:
    if demand.run_id is not None and document["run"]["id"] != demand.run_id:
        raise RefusedError(f"the verdict is of run {document['run']['id']}, not {demand.run_id}")


def _ask_services(document: Mapping[str, Any], demand: Demand) -> None:
    services = document["target"].get("services", {})
    for name, url in demand.urls.items():
        if services.get(name) != url.rstrip("/"):
            raise RefusedError(f"the verdict is about service {name} at {services.get(name)}, not at {url}")


def _ask_config(document: Mapping[str, Any], demand: Demand) -> None:
    found = document["target"].get("config", {}).get("digest")
    if demand.config is not None and found != demand.config:
        raise RefusedError(f"the run was configured by {found}, not by {demand.config}; targets.yaml differs")


def _ask_suite(document: Mapping[str, Any], demand: Demand) -> None:
    if demand.suite is None:
        return
    found = document["suite"]["digest"] if document["suite"] else None
    if found != demand.suite:
        raise RefusedError(f"the run was of suite {found}, not of {demand.suite}; its files or plugins differ")


def _ask_status(document: Mapping[str, Any], demand: Demand) -> None:
    if demand.status is None:
        return
    promised = status_of(document["verdict"], document["action"], document["reason"])
    if promised != demand.status:
        text = f"the run ended with status {demand.status}, its verdict is {document['verdict']} (status {promised})"
        raise RefusedError(text)


def _ask_time(document: Mapping[str, Any], demand: Demand) -> None:
    run, begun = document["run"], demand.begun
    started, finished = _seconds(run["started"]), _seconds(run["finished"])
    if begun is not None and demand.now < begun - _SKEW:
        raise RefusedError(f"gate begin was in the future, at {iso(begun)}; compare the clocks")
    if begun is not None and started < begun - _SKEW:
        raise RefusedError(f"the run started at {run['started']}, before gate begin at {iso(begun)}")
    if finished < started:
        raise RefusedError("the run finished before it started")
    if finished > demand.now + _SKEW:
        raise RefusedError(f"the run finished in the future, at {run['finished']}; compare the clocks")
    if demand.now - finished > demand.max_age:
        age = demand.now - finished
        raise RefusedError(f"the verdict is stale: {age:.0f} s old, at most {demand.max_age:.0f} s are allowed")


def _seconds(text: Any) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise RefusedError(f"the time {text!r} has no zone")
    return moment.timestamp()


QUESTIONS: Final[tuple[Callable[[Mapping[str, Any], Demand], None], ...]] = (
    _ask_form,
    _ask_mode,
    _ask_target,
    _ask_release,
    _ask_run,
    _ask_time,
    _ask_services,
    _ask_config,
    _ask_suite,
    _ask_status,
)
"""In this order; each raises RefusedError."""
