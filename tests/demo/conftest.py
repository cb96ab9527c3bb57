"""The demo as a real process, and a browser to look at it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from postdeploy.browser.find import find_browser

ROOT = Path(__file__).parents[2]


class Demo:
    """One running `python -m demo`."""

    TOKEN = {"authorization": "Bearer demo-api-token-0001"}  # noqa: RUF012 - never changed

    def __init__(self, *arguments: str, verify: Any = True) -> None:
        command = [sys.executable, "-m", "demo", "--port", "0", "--quiet", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ca = f"{arguments[arguments.index('--tls-dir') + 1]}/ca.pem" if "--tls-dir" in arguments else ""
        self.line = self.process.stdout.readline()
        self.url = self.line.split()[-1]
        self.client = httpx2.Client(base_url=self.url, verify=verify, timeout=5, trust_env=False)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        """Ask for a path."""
        return self.client.get(path, **more)

    def post(self, path: str, **more: Any) -> httpx2.Response:
        """Send to a path."""
        return self.client.post(path, **more)

    def control(self, path: str, **wish: Any) -> Any:
        """Change the running demo and return what it says."""
        response = self.client.post(f"/_demo{path}", json=wish)
        assert response.status_code == 200, response.text
        return response.json()

    def suffer(self, *faults: str) -> None:
        """Have exactly these faults."""
        self.control("/faults", clear=True, add=list(faults))

    def log(self) -> Any:
        """Return what the server saw."""
        return self.client.get("/_demo/log").json()

    def stop(self) -> float:
        """End the process with SIGTERM and return the seconds it took."""
        self.client.close()
        started = time.monotonic()
        self.process.terminate()
        self.process.communicate(timeout=10)
        return time.monotonic() - started


@pytest.fixture
def start() -> Iterator[Callable[..., Demo]]:
    """Start further demos; they end with the test."""
    running: list[Demo] = []

    def begin(*arguments: str, **more: Any) -> Demo:
        running.append(Demo(*arguments, **more))
        return running[-1]

    yield begin
    for one in running:
        one.stop()


@pytest.fixture(scope="session")
def one_demo() -> Iterator[Demo]:
    """The demo that most tests share."""
    demo = Demo("--release", "4f9d2c1", "--version", "2.3.0")
    yield demo
    demo.stop()


@pytest.fixture
def demo(one_demo: Demo) -> Demo:
    """The shared demo, as new."""
    one_demo.control("/release", commit="4f9d2c1", version="2.3.0")
    one_demo.control("/reset")
    return one_demo


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with TLS whose controls can be reached under every certificate."""
    demo = Demo("--tls", "--tls-dir", str(tmp_path_factory.mktemp("tls")), verify=False)
    yield demo
    demo.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file; a thread can have only one Playwright, so none outlives its file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(None, os.environ).executable)
        yield browser
        browser.close()


class Tab:
    """A page and everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def wait_for_problem(self, text: str = "") -> None:
        """Wait until something has gone wrong whose description holds the text."""
        deadline = time.monotonic() + 4
        while not any(text in problem for problem in self.problems) and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")


@pytest.fixture
def tab(chromium: Browser, demo: Demo) -> Iterator[Tab]:
    """A fresh page of the shared demo, not yet opened."""
    with chromium.new_context(base_url=demo.url, accept_downloads=True) as context:
        page = context.new_page()
        page.set_default_timeout(4000)
        yield Tab(page)
