"""Which browser a run uses: the one that was asked for, Playwright's own download, or one that the system has."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from postdeploy.errors import BrowserUnavailableError
from postdeploy.lazy_dataclass import dataclass

__all__ = ["INSTALL_HINT", "SETTING", "Browser", "find_browser"]

SETTING: Final = "POSTDEPLOY_BROWSER"
"""The environment variable that names a browser."""

INSTALL_HINT: Final = (
    "install one with 'playwright install --with-deps chromium-headless-shell', "
    "or on Debian and Ubuntu with 'apt-get install chromium-headless-shell', "
    f"or name one in {SETTING}"
)

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_DOWNLOADS: Final[Mapping[str, tuple[str, ...]]] = {
    "chromium-headless-shell": ("*/chrome-headless-shell", "*/chrome-headless-shell.exe", "*/headless_shell"),
    "chromium": ("*/chrome", "*/chrome.exe", "*/*.app/Contents/MacOS/*Chrom*"),
}


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser on this machine: its executable, its name, and where it was found."""

    executable: Path
    name: str
    origin: str


def find_browser(setting: str | None, environment: Mapping[str, str]) -> Browser:
    """The browser to use. Raises BrowserUnavailableError with the command that installs what is missing."""
    package = _playwright()
    if package is None:
        raise BrowserUnavailableError(
            "page checks need Playwright, which is not installed; run: pip install 'pytest-postdeploy[ui]'"
        )
    if setting:
        return _explicit(setting, "setting", environment)
    if environment.get(SETTING):
        return _explicit(environment[SETTING], SETTING, environment)
    for browser in (*_downloaded(package, environment), *_on_path(environment)):
        return browser
    raise BrowserUnavailableError(f"no browser was found; {INSTALL_HINT}")


def _playwright() -> Path | None:
    spec = find_spec("playwright")  # finds the folder and imports nothing
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _explicit(wanted: str, origin: str, environment: Mapping[str, str]) -> Browser:
    path = shutil.which(Path(wanted).expanduser(), path=environment.get("PATH", ""))
    if path is None:
        source = f"the environment variable {origin}" if origin == SETTING else "the browser setting"
        raise BrowserUnavailableError(f"{source} names {wanted!r}, which is not an executable file; {INSTALL_HINT}")
    return Browser(Path(path), Path(path).name, origin)


def _on_path(environment: Mapping[str, str]) -> Iterator[Browser]:
    for name in _NAMES:
        path = shutil.which(name, path=environment.get("PATH", ""))
        if path is not None:
            yield Browser(Path(path), name, "PATH")


def _downloaded(package: Path, environment: Mapping[str, str]) -> Iterator[Browser]:
    driver = package / "driver" / "package"
    revisions = _revisions(driver / "browsers.json")
    for name, patterns in _DOWNLOADS.items():
        folder = _downloads(driver, environment) / f"{name.replace('-', '_')}-{revisions.get(name, '')}"
        for path in (path for pattern in patterns for path in sorted(folder.glob(pattern))):
            if os.access(path, os.X_OK):
                yield Browser(path, name, "playwright")


def _revisions(path: Path) -> dict[str, str]:
    try:
        browsers = json.loads(path.read_text(encoding="utf-8"))["browsers"]
        return {str(browser["name"]): str(browser["revision"]) for browser in browsers}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _downloads(driver: Path, environment: Mapping[str, str]) -> Path:
    named = environment.get("PLAYWRIGHT_BROWSERS_PATH")
    if named == "0":
        return driver / ".local-browsers"
    return Path(named) if named else _cache(environment) / "ms-playwright"


def _cache(environment: Mapping[str, str]) -> Path:
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    return Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
