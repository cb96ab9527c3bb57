from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Project

_LATER = (
    "ssl", "concurrent.futures.thread", "httpx2", "playwright", "postdeploy.browser.recorder",
    "postdeploy.domain.decision",
    "postdeploy.engine.runner", "postdeploy.engine.release", "postdeploy.engine.server", "postdeploy.plugin.attempts",
    "postdeploy.plugin.last_words", "postdeploy.plugin.show_plan", "postdeploy.probes.control",
)  # fmt: skip


def test_what_can_wait_is_not_imported_before_the_first_question() -> None:
    """What a run needs later, or may not need, does not keep it from asking its services."""
    script = f"import sys; import postdeploy.plugin.activation; print(*sys.modules.keys() & {set(_LATER)!r})"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not asked.stdout.split()


_NAMES = """
    def pytest_sessionfinish(session):
        plugins = dict(session.config.pluginmanager.list_name_plugin())
        plugins.pop("postdeploy-garbage")  # a class with one hook, which is there before a target is read
        ours = {name: set(dir(plugin)) for name, plugin in plugins.items() if name.startswith("postdeploy-")}
        others = {
            name
            for plugin, names in ours.items()
            for name in names
            if not name.startswith(("pytest_", "__")) and type(getattr(plugins[plugin], name)) is not type(fixture)
        }
        print("more than twenty", len(ours) > 20, "others", sorted(others))

    @pytest.fixture
    def fixture():
        pass
"""


def test_pytest_is_shown_hooks_and_fixtures_alone(project: Project) -> None:
    """It looks through every name of every plugin, twice, before anything is asked."""
    project.suite("- {name: one, get: 'api:/ok', expect: {status: 200}}")
    project.conftest(_NAMES)
    project.run("-s").result.stdout.fnmatch_lines(["*more than twenty True others []"])
