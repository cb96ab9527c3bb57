from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from postdeploy.browser import find
from postdeploy.browser.find import Browser, find_browser
from postdeploy.errors import BrowserUnavailableError


def executable(path: Path) -> Path:
    """An empty file that may be executed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def revision(name: str) -> str:
    """The revision that the installed Playwright expects."""
    package = find._playwright()
    assert package is not None
    document = json.loads((package / "driver/package/browsers.json").read_text())
    return next(str(browser["revision"]) for browser in document["browsers"] if browser["name"] == name)


def test_setting_comes_first(tmp_path: Path) -> None:
    """What the options name is used, whatever else is there."""
    wanted, other = executable(tmp_path / "mine"), executable(tmp_path / "bin/chromium")
    environment = {"PATH": str(other.parent), find.SETTING: str(other)}

    assert find_browser(str(wanted), environment) == Browser(wanted, "mine", "setting")


def test_variable_comes_second(tmp_path: Path) -> None:
    """What the environment names is used before anything that is found; a name is looked up."""
    executable(tmp_path / "mine")
    executable(tmp_path / "chromium")
    environment = {"PATH": str(tmp_path), find.SETTING: "mine"}

    assert find_browser(None, environment) == Browser(tmp_path / "mine", "mine", "POSTDEPLOY_BROWSER")


@pytest.mark.parametrize("setting", ["/nowhere/chromium", "not-a-browser"])
def test_setting_that_is_not_there(setting: str) -> None:
    """A browser that was asked for and is not there is an error, not a reason to take another one."""
    with pytest.raises(BrowserUnavailableError, match=f"the browser setting names '{setting}', which is not"):
        find_browser(setting, {"PATH": "/usr/bin"})
    with pytest.raises(BrowserUnavailableError, match=f"variable POSTDEPLOY_BROWSER names '{setting}'"):
        find_browser(None, {"PATH": "/usr/bin", find.SETTING: setting})


@pytest.mark.parametrize("variable", ["PLAYWRIGHT_BROWSERS_PATH", "XDG_CACHE_HOME", "HOME"])
def test_download_of_playwright(tmp_path: Path, variable: str) -> None:
    """Playwright's own download is found in its folders, the headless shell first, and only in its own revision."""
    root = tmp_path / {"PLAYWRIGHT_BROWSERS_PATH": ".", "XDG_CACHE_HOME": "ms-playwright"}.get(
        variable, ".cache/ms-playwright"
    )
    chromium = executable(root / f"chromium-{revision('chromium')}/chrome-linux64/chrome")
    executable(root / "chromium_headless_shell-1/chrome-headless-shell-linux64/chrome-headless-shell")
    environment = {"PATH": str(executable(tmp_path / "bin/chromium").parent), variable: str(tmp_path)}

    assert find_browser(None, environment) == Browser(chromium, "chromium", "playwright")

    name = f"chromium_headless_shell-{revision('chromium-headless-shell')}"
    shell = executable(root / name / "chrome-headless-shell-linux64/chrome-headless-shell")
    assert find_browser(None, environment) == Browser(shell, "chromium-headless-shell", "playwright")


def test_path_is_searched_in_order(tmp_path: Path) -> None:
    """Of the browsers on the PATH the fastest one is used."""
    names = ["google-chrome-stable", "google-chrome", "chromium-browser", "chromium", "chromium-headless-shell"]
    for name in names:
        path = executable(tmp_path / name)
        found = find_browser(None, {"PATH": str(tmp_path), "HOME": str(tmp_path)})
        assert found == Browser(path, name, "PATH")


def test_no_browser(tmp_path: Path) -> None:
    """Where none is found, the message says which commands install one."""
    with pytest.raises(BrowserUnavailableError) as caught:
        find_browser(None, {"PATH": str(tmp_path), "HOME": str(tmp_path)})

    assert "playwright install --with-deps chromium-headless-shell" in str(caught.value)
    assert "apt-get install chromium-headless-shell" in str(caught.value)


def test_no_playwright(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Playwright is not installed, the message says so and how to install it."""
    monkeypatch.setattr(find, "_playwright", lambda: None)
    with pytest.raises(BrowserUnavailableError, match=r"pip install 'pytest-postdeploy\[ui\]'"):
        find_browser(None, {"PATH": "/usr/bin"})


def test_importing_costs_nothing() -> None:
    """No module of the package imports Playwright before it is needed."""
    names = [path.stem for path in Path(find.__file__).parent.glob("*.py") if path.stem != "__init__"]
    imports = "".join(f"import postdeploy.browser.{name}\n" for name in names)
    check = "import os, sys\nfrom postdeploy.browser.find import find_browser\nfind_browser('sh', os.environ)\n"
    loaded = "print([name for name in sys.modules if name.partition('.')[0] in ('playwright', 'greenlet', 'pytest')])"

    output = subprocess.run(
        [sys.executable, "-c", imports + check + loaded], capture_output=True, text=True, check=True
    )

    assert output.stdout == "[]\n"
