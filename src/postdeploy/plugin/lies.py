"""What pytest only warns of although the test verified nothing: raised as an error, or found in the source."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from postdeploy.plugin.items import CheckItem

__all__ = ["lies_in_source", "marks_known", "unknown_mark"]

_RAISED: Final = (
    pytest.PytestReturnNotNoneWarning,
    pytest.PytestUnhandledThreadExceptionWarning,
    pytest.PytestUnraisableExceptionWarning,
)

_Filter = Callable[[str], bool]


@contextmanager
def _raised(*kinds: type[Warning]) -> Iterator[None]:
    """Nothing that the command line, an ini file or a mark says of warnings holds for these."""
    with warnings.catch_warnings():
        for kind in kinds:
            warnings.simplefilter("error", kind)
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """A thread or a finaliser that broke, in setup."""
    if isinstance(item, CheckItem):  # which runs nothing of anybody's
        return (yield)
    with _raised(*_RAISED):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that returned something, a thread or a finaliser that broke."""
    if isinstance(item, CheckItem):  # which runs nothing of anybody's
        return (yield)
    with _raised(*_RAISED):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """A thread or a finaliser that broke, in teardown."""
    if isinstance(item, CheckItem):  # which runs nothing of anybody's
        return (yield)
    with _raised(*_RAISED):
        return (yield)


@contextmanager
def marks_known() -> Iterator[None]:
    """A mark that nobody registered is an error while this holds, also where pytest only warns."""
    with _raised(pytest.PytestUnknownMarkWarning):
        yield


def unknown_mark(config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException]) -> str | None:
    """The place of a mark that nobody registered and the one that was meant, if that is what was raised."""
    word = _unknown(excinfo.value)
    if word is None:
        return None
    from difflib import get_close_matches

    known = [line.split(":")[0].split("(")[0].strip() for line in config.getini("markers")]
    close = get_close_matches(word, known, 1)
    hint = f"did you mean '{close[0]}'?" if close else "register it under 'markers' in pytest's configuration"
    return f"{_place(config, excinfo)}: unknown mark '{word}' ({hint})"


def _unknown(error: BaseException) -> str | None:
    """The word; pytest says it in one of two sentences, by whether its markers are strict."""
    text = str(error)
    if isinstance(error, pytest.PytestUnknownMarkWarning):
        return text.removeprefix("Unknown pytest.mark.").split(" ")[0]
    head, found, _ = text.partition(" not found in `markers` configuration option")
    return head.strip("'") if found and isinstance(error, pytest.fail.Exception) else None


def _place(config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    entry = next(entry for entry in reversed(excinfo.traceback) if "_pytest" not in Path(entry.path).parts)
    path = Path(entry.path)
    shown = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
    return f"{shown.as_posix()}:{entry.lineno + 1}"


def lies_in_source(collector: pytest.Module) -> list[str]:
    """What the source of a test file says that pytest will not run, or that cannot fail; with the place of each."""
    try:
        tree = ast.parse(collector.path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []  # importing it says what is wrong
    path, _, _ = collector.reportinfo()
    shown = Path(path).relative_to(collector.config.rootpath) if _inside(path, collector) else Path(path)
    found = sorted((*_tuples(tree), *_hidden(tree.body, collector.funcnamefilter, collector.classnamefilter)))
    return [f"{shown.as_posix()}:{line}:{column + 1}: {text}" for line, column, text in found]


def _inside(path: Any, collector: pytest.Module) -> bool:
    return Path(path).is_relative_to(collector.config.rootpath)


def _tuples(tree: ast.AST) -> Iterator[tuple[int, int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
            yield node.lineno, node.col_offset, "assert on a tuple is always true; write assert CONDITION, MESSAGE"


def _hidden(body: list[ast.stmt], function: _Filter, klass: _Filter) -> Iterator[tuple[int, int, str]]:
    """Tests that another one of the same name in the same place takes the place of."""
    first: dict[str, int] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _hidden(node.body, function, klass)
        named = klass if isinstance(node, ast.ClassDef) else function
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and named(node.name):
            if node.name in first:
                text = f"'{node.name}' hides the one at line {first[node.name]}; give one of them another name"
                yield node.lineno, node.col_offset, text
            first[node.name] = node.lineno
