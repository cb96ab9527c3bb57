"""Turning suites into pytest items, and noticing what was planned and is not going to run."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postdeploy.config import is_suite, load_suite
from postdeploy.domain.check import Check
from postdeploy.domain.evidence import PlannedCheck
from postdeploy.domain.result import CheckResult, Outcome
from postdeploy.errors import ConfigurationError
from postdeploy.plugin.keys import EXECUTION, PAYLOAD, PLANNED, RECORDER, RESULT
from postdeploy.plugin.python_checks import plan_python, prepare_python

__all__ = ["CheckErroredError", "CheckFailedError", "CheckItem", "SuiteFile"]


class CheckFailedError(AssertionError):
    """A declared check failed: the target is wrong."""


class CheckErroredError(Exception):
    """A declared check errored: we could not tell."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Take YAML files that hold checks."""
    if file_path.suffix in {".yaml", ".yml"} and is_suite(file_path):
        suite: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
        return suite
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, Any]:
    """Send configuration problems along with the report, so that the process with the journal knows of them."""
    report = yield
    problems = getattr(collector, "problems", None)
    if problems:
        setattr(report, PAYLOAD, {"problems": problems})
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Note every item before anything is deselected, and what is missing afterwards."""
    execution = config.stash[EXECUTION]
    planned = list(_plan(items, execution))
    _require_unique(planned)
    everything = list(items)
    result = yield
    missing = len(set(map(id, everything)) - set(map(id, items)))
    narrowed = list(_narrowed_by(session, missing))
    execution.declared = [item.check for item in items if isinstance(item, CheckItem)]
    execution.plan = {"checks": [check.to_json() for check in planned], "narrowed_by": narrowed}
    if not execution.settings.worker:
        items.sort(key=lambda item: isinstance(item, CheckItem))
    recorder = config.stash.get(RECORDER, None)
    if recorder is not None:
        recorder.plan(execution.plan)
    return result


def _plan(items: Iterable[pytest.Item], execution: Any) -> Iterator[PlannedCheck]:
    for item in items:
        if isinstance(item, CheckItem):
            planned = _plan_declared(item.check)
        else:
            planned = plan_python(item, execution.target)
            prepare_python(item, planned, execution.target)
        item.stash[PLANNED] = planned
        yield planned


def _plan_declared(check: Check) -> PlannedCheck:
    return PlannedCheck(
        id=check.id,
        name=check.name,
        kind=check.kind.value,
        severity=check.severity,
        path=check.path,
        line=check.line,
        owner=check.owner,
        runbook=check.runbook,
        services=check.services,
        may_repeat=check.may_repeat,
    )


def _require_unique(planned: list[PlannedCheck]) -> None:
    seen: dict[str, PlannedCheck] = {}
    for check in planned:
        first = seen.setdefault(check.id, check)
        if first is not check:
            raise pytest.UsageError(
                f"{check.path}:{check.line}: the check id '{check.id}' is already used at {first.path}:{first.line}; "
                "give one of them another 'id'"
            )


def _narrowed_by(session: pytest.Session, missing: int) -> Iterator[str]:
    config, option = session.config, session.config.option
    asked = {
        "-k": option.keyword,
        "-m": option.markexpr,
        "--deselect": option.deselect,
        "--lf": getattr(option, "lf", False),
        "--sw": getattr(option, "stepwise", False),
    }
    if missing:
        named = [name for name, value in asked.items() if value]
        yield ", ".join(named) if named else f"a conftest or a plugin ({missing} left out)"
    for name in ("ignore", "ignore_glob"):
        if getattr(option, name, None):
            yield f"--{name.replace('_', '-')}"
    if _names_a_part(config):
        yield "the paths on the command line"


def _names_a_part(config: pytest.Config) -> bool:
    """Whether the command line names something else than all of ``testpaths``."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    if any("::" in argument for argument in config.args):
        return True
    whole = {(config.rootpath / path).resolve() for path in config.getini("testpaths")}
    given = {Path(config.invocation_params.dir, argument).resolve() for argument in config.args}
    return bool(whole) and not whole <= given


class SuiteFile(pytest.File):
    """A declared suite."""

    problems: list[dict[str, Any]] | None = None

    def collect(self) -> Iterator[CheckItem]:
        """One item a check."""
        execution = self.config.stash[EXECUTION]
        try:
            checks = load_suite(self.path, self.config.rootpath, execution.target)
        except ConfigurationError as error:
            self.problems = [{"text": str(problem)} for problem in error.problems]
            raise
        for check in checks:
            yield CheckItem.from_parent(self, name=check.name, check=check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002  # pytest passes it
        """A configuration error is its own message."""
        if isinstance(excinfo.value, ConfigurationError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class CheckItem(pytest.Item):
    """A declared check; the engine runs it, this waits for its result."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        for name in dict.fromkeys((check.kind.value, check.severity.value, *check.tags)):
            self.add_marker(_marker(name, self.config))

    def runtest(self) -> None:
        """Wait for the result and speak pytest's language."""
        result = self.config.stash[EXECUTION].result(self.check.id)
        self.stash[RESULT] = result
        if result.outcome is Outcome.FAILED:
            raise CheckFailedError(_first_line(result))
        if result.outcome is Outcome.ERRORED:
            raise CheckErroredError(_first_line(result))
        if result.outcome is not Outcome.PASSED:
            pytest.skip(f"{result.outcome.value.replace('_', ' ')}: {result.reason}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ARG002  # pytest passes it
        """One line: the summary at the end says the rest."""
        if isinstance(excinfo.value, CheckFailedError | CheckErroredError):
            return f"{self.check.path}:{self.check.line}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (0-based) and name."""
        return self.path, self.check.line - 1, self.name


def _first_line(result: CheckResult) -> str:
    last = result.last
    if last is not None and last.findings:
        return str(last.findings[0])
    return result.reason or "no reason was given"


def _marker(name: str, config: pytest.Config) -> pytest.MarkDecorator:
    known = config.stash.setdefault(_MARKERS, {})
    if name not in known:
        config.addinivalue_line("markers", f"{name}: a tag, kind or severity of declared checks")
        known[name] = getattr(pytest.mark, name)
    return known[name]


_MARKERS: pytest.StashKey[dict[str, pytest.MarkDecorator]] = pytest.StashKey()
