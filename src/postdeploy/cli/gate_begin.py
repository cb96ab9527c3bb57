"""``postdeploy gate begin``: a run gets a name that nobody can guess, and finds an empty folder for its reports."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from postdeploy.config import target_identity
from postdeploy.domain.status import ExitStatus
from postdeploy.errors import ConfigurationError, JournalError
from postdeploy.pipeline_state import Begun, PipelineState, default_place, new_run_id
from postdeploy.reports_folder import clear_reports

__all__ = ["begin"]

_USAGE = 4


def begin(arguments: argparse.Namespace) -> int:
    """Print the run id on standard output, where the state lies on standard error; returns the exit status."""
    try:
        identity = target_identity(Path(arguments.targets), arguments.target, os.environ)
        begun = Begun(
            run_id=new_run_id(),
            target=arguments.target,
            release=arguments.release or None,
            begun=time.time(),
            urls=identity.services,
            config=identity.digest,
        )
        path = _remember(begun, arguments)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return _USAGE
    except JournalError as error:
        print(f"gate: {error}", file=sys.stderr)
        return int(ExitStatus.NO_PROOF)
    print(f"gate: run {begun.run_id} is remembered in {path}", file=sys.stderr)
    print(begun.run_id)
    return 0


def _remember(begun: Begun, arguments: argparse.Namespace) -> str:
    state, reports = PipelineState(arguments.state or default_place(os.environ)), Path(arguments.reports)
    if Path(state.folder).resolve().is_relative_to(reports.resolve()):
        raise JournalError(f"{state.folder}: lies in the reports folder, where the run itself writes; choose another")
    clear_reports(arguments.reports)
    return state.open(begun)
