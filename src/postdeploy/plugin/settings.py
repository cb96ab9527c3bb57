"""The one object that reads the options; a run without a target does without it."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from postdeploy.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from postdeploy.domain.shard import Shard

__all__ = ["Settings"]

_WRITES: Final = "--allow-writes"
_BY_HISTORY: Final = "history"
_HISTORY: Final = "POSTDEPLOY_HISTORY"  # as domain.retention has it, which a run without a target does not load


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a run, read once.

    Args:
        fail_on_flaky: pytest-rerunfailures' own option, which it does not heed with xdist.
        invoked_from: the folder in which the command was typed.
        dry: something is printed, nothing is verified, and reports stay as they are.
        sends: whether the engine may send anything; not with ``--setup-only``, which can never pass.
        worker: the name of this process among xdist's workers, if it is one.
        shard_by: a verdict whose durations balance the parts.
        shard_by_run: the run of the history that does so; empty for the newest one.
        formats: the reports to write beside the verdict.
        otlp_endpoint: where the otlp report is sent as well; None leaves it to the environment.
        allure_folder: what allure-pytest writes into, if it writes.
        monitor: whether it is a scheduled run, after no deploy.
        writes: whether the command line lets a protected target be written to; a worker is told by its controller.
    """

    target: str
    targets_file: Path
    reports: Path
    root: Path
    invoked_from: Path = Path()
    release: str | None = None
    deadline: float | None = None
    run_id: str | None = None
    baseline: Path | None = None
    history: str | None = None
    browser: str | None = None
    only: tuple[str, ...] = ()
    vantage: str | None = None
    shard: Shard | None = None
    shard_by: Path | None = None
    shard_by_run: str | None = None
    lock: str | None = None
    monitor: bool = False
    show_plan: bool = False
    fail_on_flaky: bool = False
    dry: bool = False
    sends: bool = True
    worker: str | None = None
    formats: tuple[str, ...] = ()
    otlp_endpoint: str | None = None
    allure_folder: Path | None = None
    writes: bool = False

    @staticmethod
    def reports_of(config: pytest.Config) -> Path | None:
        """Where this run will report, before all options are known; None if it will not."""
        option = config.known_args_namespace
        return None if _shows_only(option) else _path(option.reports, config, "reports")

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """The only reader of ``config.option``."""
        option = config.option
        root = config.rootpath
        dry = _shows_only(option)
        return cls(
            target=option.target,
            targets_file=_path(option.targets, config, "targets.yaml"),
            reports=_path(option.reports, config, "reports"),
            root=root,
            invoked_from=config.invocation_params.dir,
            release=option.release or None,
            deadline=_duration(option.deadline),
            run_id=_name(option.run_id),
            baseline=_path(option.baseline, config, "") if option.baseline else None,
            history=option.history or os.environ.get(_HISTORY) or None,
            browser=option.browser_executable,
            only=tuple(option.only),
            vantage=_vantage(option.vantage),
            shard=_shard(option.shard, option.shard_by),
            **_balance(option.shard_by, config),
            lock=option.lock,
            monitor=_monitors(option),
            show_plan=option.show_plan,
            fail_on_flaky=bool(getattr(option, "fail_on_flaky", False)),
            dry=dry,
            sends=not (dry or option.setuponly or option.setupplan),
            worker=getattr(config, "workerinput", {}).get("workerid"),
            formats=_formats(option.report + ["otlp"] * bool(option.otlp_endpoint)),
            otlp_endpoint=_endpoint(option.otlp_endpoint),
            allure_folder=_allure_folder(option),
            writes=_typed_writes(config),
        )


def _monitors(option: Any) -> bool:
    if option.monitor and option.shard:
        raise pytest.UsageError("--monitor says how a target is, which --shard, a part of a run, cannot")
    return bool(option.monitor)


def _balance(given: str | None, config: pytest.Config) -> dict[str, Any]:
    """A verdict file, or ``history`` with or without a run."""
    word, _, run = (given or "").partition(":")
    if word == _BY_HISTORY:
        return {"shard_by_run": run}
    return {"shard_by": _path(given, config, "")} if given else {}


def _shard(given: str | None, balance: str | None) -> Shard | None:
    if given is None:
        if balance:
            raise pytest.UsageError("--shard-by says how --shard deals out checks, and there is no --shard")
        return None
    from postdeploy.domain.shard import Shard

    try:
        return Shard.parse(given)
    except ValueError as error:
        raise pytest.UsageError(f"--shard: {error}") from error


def _formats(given: list[str]) -> tuple[str, ...]:
    if not given:
        return ()
    from postdeploy.reports import parse_formats

    try:
        return parse_formats(given)
    except ValueError as error:
        raise pytest.UsageError(f"--report: {error}") from error


def _endpoint(given: str | None) -> str | None:
    if not given:
        return None
    from postdeploy.otlp_receiver import Receiver

    try:
        Receiver.of(given, {})
    except ValueError as error:
        raise pytest.UsageError(f"--otlp-endpoint: {error}") from error
    return str(given)


def _allure_folder(option: Any) -> Path | None:
    """As allure-pytest itself reads it."""
    given = getattr(option, "allure_report_dir", None)
    return Path(given).absolute() if given else None


def _typed_writes(config: pytest.Config) -> bool:
    """Whether the permission was typed for this very target: neither a file nor a variable of the environment counts.

    Raises pytest.UsageError where it is about another target, or was not typed.
    """
    given = config.option.allow_writes
    if given is None or hasattr(config, "workerinput"):
        return False
    if given != config.option.target:
        raise pytest.UsageError(f"--allow-writes={given} is not about --target={config.option.target}")
    words = [str(word) for word in config.invocation_params.args]
    if f"{_WRITES}={given}" not in words and (_WRITES, given) not in itertools.pairwise(words):
        raise pytest.UsageError(f"{_WRITES} counts only where it is typed: not in addopts, not in PYTEST_ADDOPTS")
    return True


def _name(given: str | None) -> str | None:
    """A run's name becomes part of file names and of headers."""
    if given and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:@=+-]{0,199}", given):
        raise pytest.UsageError(f"--run-id: {given!r} is not a name of letters, digits and _.:@=+-")
    return given


def _vantage(given: str | None) -> str | None:
    """It becomes part of file names."""
    if not given:
        return None
    from postdeploy.domain.policy import VANTAGE_NAME

    if not re.fullmatch(VANTAGE_NAME, given):
        raise pytest.UsageError(f"--vantage: {given!r} is not a name of small letters, digits and -")
    return given


def _duration(given: str | None) -> float | None:
    from postdeploy.config.durations import seconds_of

    try:
        return seconds_of(given) if given else None
    except ValueError as error:
        raise pytest.UsageError(f"--deadline: {error}") from error


def _path(given: str | None, config: pytest.Config, default: str) -> Path:
    """A path from the command line is relative to where the command was typed."""
    return config.invocation_params.dir / given if given else config.rootpath / default


def _shows_only(option: Any) -> bool:
    """Whether pytest was asked to print something instead of running tests."""
    names = ("collectonly", "show_plan", "lock", "showfixtures", "show_fixtures_per_test", "markers", "help", "version")
    return any(bool(getattr(option, name, None)) for name in (*names, "cacheshow"))
