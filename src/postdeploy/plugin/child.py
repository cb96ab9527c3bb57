"""pytest with just the plugins of a verification: ``python -m postdeploy.plugin.child PYTEST-ARGUMENTS``.

Plugins that are handed over need not be looked for among all installed distributions, as ``-p`` does for each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
import pytest_rerunfailures
import pytest_timeout

from postdeploy.plugin import activation, hooks

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Run pytest; returns its exit status."""
    assert activation  # noqa: S101  # imported here, before pytest watches every import for asserts to rewrite
    return int(pytest.main(list(arguments), plugins=[hooks, pytest_timeout, pytest_rerunfailures]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
