"""The end of a run: the verdict is sealed, the exit status follows, and the last words are said."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from postdeploy.domain.status import ExitStatus
from postdeploy.lazy_dataclass import dataclass
from postdeploy.plugin.keys import CONSOLE, RECORDER
from postdeploy.plugin.monitoring import follow_up
from postdeploy.plugin.recorder import Recorder
from postdeploy.plugin.unheard import silence

if TYPE_CHECKING:
    from postdeploy.reports import Report

__all__ = ["concluded"]


@dataclass(slots=True)
class _Ending:
    status: int | None = None


@contextmanager
def concluded(config: pytest.Config) -> Generator[_Ending]:
    """Seal when pytest and every other plugin are done, also if one of them raised; ``status`` becomes ours."""
    try:
        with _sealed(config) as ending:
            yield ending
    finally:
        if CONSOLE in config.stash:
            config.stash[CONSOLE].close()
        silence()


@contextmanager
def _sealed(config: pytest.Config) -> Generator[_Ending]:
    ending = _Ending()
    try:
        yield ending
    except BaseException as error:
        recorder = config.stash.get(RECORDER, None)
        if recorder is not None and recorder.verdict is None:
            usage = isinstance(error, pytest.UsageError)
            recorder.incident("config_error" if usage else "internal_error", f"{error}".strip() or repr(error))
            _conclude(config, recorder, pytest.ExitCode.USAGE_ERROR if usage else pytest.ExitCode.INTERNAL_ERROR)
        elif recorder is not None:  # refused before there was anything to verify
            _say_published(recorder)
            follow_up(recorder)
        raise
    recorder = config.stash.get(RECORDER, None)
    if recorder is not None:
        ending.status = _conclude(config, recorder, int(ending.status or 0))
    elif not (hasattr(config, "workerinput") or _plan_was_asked_for(config)):
        ending.status = int(ending.status or 0) or _nothing_verified()


def _plan_was_asked_for(config: pytest.Config) -> bool:
    """Whether somebody typed it: what comes from an ini file or the environment may not look like a pass."""
    return any(str(word).startswith(("--show-plan", "--lock")) for word in config.invocation_params.args)


def _nothing_verified() -> int:
    sys.stderr.write("postdeploy: a target was named and nothing was verified: this is no pass\n")
    return int(ExitStatus.HOLD)


def _conclude(config: pytest.Config, recorder: Recorder, pytest_exit: int) -> int:
    from postdeploy.domain.verdict import exit_status
    from postdeploy.plugin.last_words import say_kept, say_last_words, say_leaks, say_unsealed

    leaks: list[str] = []
    try:
        if recorder.memory is not None:
            recorder.memory.wait()
        leaks = recorder.cleanse()
        status = exit_status(recorder.verdict or recorder.seal(pytest_exit))
    except Exception as error:  # noqa: BLE001  # whatever it is: there is no verdict
        say_unsealed(recorder.path, error)
        return int(pytest.ExitCode.INTERNAL_ERROR)
    finally:
        recorder.signals.restore()
    reports = list(_published(recorder))
    kept = recorder.remember()
    follow_up(recorder)
    with suppress(OSError):  # nobody listens: the verdict is on disk
        say_last_words(config, recorder, reports)
        say_kept(recorder, kept)
        say_leaks(leaks)
    return status


def _say_published(recorder: Recorder) -> None:
    """Write the reports of a run that pytest says nothing of but its error."""
    for report in _published(recorder):
        with suppress(OSError):
            sys.stderr.write(f"postdeploy: {report.line}\n")


def _published(recorder: Recorder) -> Iterator[Report]:
    settings = recorder.settings
    if not (settings.formats or settings.allure_folder):
        return iter(())
    from postdeploy.plugin.publication import publish

    return publish(recorder.path, recorder.document, settings, recorder.sieve())
