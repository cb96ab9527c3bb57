"""``postdeploy init``: a first ``targets.yaml`` and a first suite, which are valid and can be run as they are."""

from __future__ import annotations

import argparse
import os
import sys
from errno import EEXIST
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from postdeploy.errors import ConfigProblem

__all__ = ["add"]

_DOCS: Final = "https://github.com/talkstudio/pytest-postdeploy/blob/main/docs/reference"

_TARGETS: Final = """\
# Where your environments are. Every key: {docs}/targets.md
targets:
  {target}:
    services:
      web: {url}
    # Wait until the release that was deployed answers, as in: postdeploy verify {target} --release "$COMMIT"
    # release: {{from: "web:/build-info.json", json: $.commit, within: 3m}}
    # Where an answer tells that this machine has a network; with it, silence of the target is the target's fault.
    # control: {{url: https://example.com/}}
"""

_SUITE: Final = """\
# What must hold. Every key: {docs}/suites.md
checks:
  - name: the front page answers
    get: web:/
    expect: {status: {lt: 400}, within: 5s}

  # In a browser (pip install 'pytest-postdeploy[ui]'): errors on the console and failed requests fail it, too.
  # - name: the front page loads
  #   page: web:/
  #   expect: {title: {matches: .+}}
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("init", help="write a first targets.yaml and a first suite")
    parser.add_argument("url", metavar="URL", help="where the application answers, such as https://staging.example.com")
    parser.add_argument("--target", default="staging", metavar="NAME", help="the target's name (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    texts = {
        Path("targets.yaml"): _TARGETS.format(target=arguments.target, url=arguments.url, docs=_DOCS),
        Path("suites", "smoke.yaml"): _SUITE.replace("{docs}", _DOCS),
    }
    try:
        _require_new(texts)
        if found := _problems(texts):
            print(*found, sep="\n", file=sys.stderr)
            return 4
        _write(texts)
    except FileExistsError as error:
        print(f"postdeploy: {error.filename} is there already, and nothing was written", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return 1
    print(*(f"wrote {path}" for path in texts), sep="\n")
    print(f"next: postdeploy plan {arguments.target}, then postdeploy verify {arguments.target}")
    return 0


def _require_new(texts: Mapping[Path, str]) -> None:
    """One of two files is not written, either. Raises FileExistsError."""
    for path in texts:
        if os.path.lexists(path):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(path))


def _problems(texts: Mapping[Path, str]) -> list[ConfigProblem]:
    """What the reader of the files would say of a name or a URL, before anything is there to be mended."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from postdeploy.config import problems

    with TemporaryDirectory(prefix="postdeploy-init-") as folder:
        targets, suite = (Path(folder, path.name) for path in texts)
        targets.write_text(texts[Path("targets.yaml")], encoding="utf-8")
        suite.write_text(texts[Path("suites", "smoke.yaml")], encoding="utf-8")
        return [problem._replace(path="targets.yaml") for problem in problems(targets, [suite], Path(folder), {})]


def _write(texts: Mapping[Path, str]) -> None:
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
