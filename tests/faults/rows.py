"""Every row that the fault matrix must have: its id, what goes wrong, and how it has to be run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ROWS", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One fault.

    Args:
        id: its letter and number.
        fault: what goes wrong, in a few words.
        workers: the values of ``-n`` that it must be run with; none where no run is part of it.
    """

    id: str
    fault: str
    workers: tuple[int, ...] = (0, 2)


_ALONE: Final = (0,)
_SPREAD: Final = (2,)
_NO_RUN: Final = ()

ROWS: Final = (
    Row("F01", "the suite is empty"),
    Row("F02", "everything is skipped"),
    Row("F03", "everything is marked xfail, or passes although it is"),
    Row("F04", "an optional dependency of the suite is missing"),
    Row("F05", "a marker on a test is misspelt"),
    Row("F06", "-k narrows the suite"),
    Row("F07", "PYTEST_ADDOPTS or the ini file narrows the suite"),
    Row("F08", "--deselect, --ignore, --lf and their like narrow the suite"),
    Row("F09", "a conftest drops items"),
    Row("F10", "pytest was asked to print or to set up, not to run"),
    Row("F11", "the plugin is disabled"),
    Row("F12", "the plugin is disabled, and an older pass is there"),
    Row("F13", "the target is misspelt, empty, or named twice"),
    Row("F14", "pytest.exit(returncode=0)"),
    Row("F15", "os._exit(0) in a test"),
    Row("F16", "another plugin sets the exit status to 0"),
    Row("F17", "another plugin swallows the tests"),
    Row("F18", "another plugin forges reports"),
    Row("F19", "a test verifies nothing of the target"),
    Row("F20", "reruns hide a failure"),
    Row("F21", "another plugin sets the exit status late"),
    Row("F22", "a lie that pytest only warns of"),
    Row("F23", "python -O"),
    Row("F24", "a conftest or a test file cannot be imported"),
    Row("F25", "an internal error"),
    Row("F26", "a late hook raises"),
    Row("F27", "a worker dies in a test", _SPREAD),
    Row("F28", "a report cannot be serialised"),
    Row("F29", "the target answers with a lone surrogate"),
    Row("F30", "the conftest of one worker fails", _SPREAD),
    Row("F31", "a worker dies at its end", _SPREAD),
    Row("F32", "the workers collect different checks", _SPREAD),
    Row("F33", "a test hangs"),
    Row("F34", "a test swallows its timeout"),
    Row("F35", "SIGTERM, SIGHUP, SIGINT"),
    Row("F36", "SIGKILL"),
    Row("F37", "a CI system cancels the step"),
    Row("F38", "the disk is full"),
    Row("F39", "no inodes, descriptors or memory are left, or the folder is read-only"),
    Row("F40", "each system call on the verdict fails"),
    Row("F41", "the verdict is truncated, torn, or no JSON", _NO_RUN),
    Row("F42", "the verdict is stale", _NO_RUN),
    Row("F43", "standard output is closed, or goes through tee"),
    Row("F44", "the reports folder is removed, left, or a link"),
    Row("N01", "the runner's link is down"),
    Row("N02", "the target is down, the runner is not"),
    Row("N03", "the resolver is dead; the name does not exist"),
    Row("N04", "429, 503 with Retry-After, a maintenance page"),
    Row("N05", "the credentials of the tests have expired"),
    Row("N06", "the runner's clock is wrong"),
    Row("N07", "TLS: expired, self-signed, wrong host, outdated"),
    Row("N08", "a part of all requests fails", _ALONE),
    Row("N09", "another release answers"),
    Row("P01", "a call that writes to a read-only target"),
    Row("P02", "a way off the target's hosts: redirects, proxies, netrc"),
    Row("P03", "a way off the target's hosts: the browser"),
    Row("P04", "a way around the guarded clients"),
    Row("P05", "too many requests"),
    Row("P06", "a crash between creating and deleting"),
    Row("K01", "secrets in every channel and encoding", _NO_RUN),
    Row("Y01", "hostile YAML", _NO_RUN),
    Row("R01", "answers without end", _NO_RUN),
    Row("R02", "malformed answers", _NO_RUN),
    Row("R03", "answers that speak to terminals, pipelines and pages", _NO_RUN),
    Row("R04", "a browser that is stuck", _NO_RUN),
    Row("I01", "the verdict was tampered with", _NO_RUN),
    Row("I02", "the verdict is of something else, or was used before", _NO_RUN),
)
