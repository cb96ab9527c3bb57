"""What the tests of this repository need of pytest; users of the plugin need no conftest."""

from __future__ import annotations

pytest_plugins = ["pytester"]
