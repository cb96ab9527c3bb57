"""The folders that are measured: the same checks as declared suites for us and as test functions for peers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["declared", "empty_test", "functions", "k6_script", "page_functions"]

_CONFIG: Final = '[tool.pytest]\ntestpaths = ["suites"]\n'

_CHECK: Final = """\
  - name: check {number}
    get: web:/check/{number}
    expect: {{status: 200, json: {{$.status: ok}}}}
"""

_PAGE: Final = """\
  - name: page {number}
    page: web:/page/{number}
    expect:
      {{status: 200, title: Benchmark, visible: ["role=button[name='Ready']"], console: clean, requests: clean}}
"""

_FUNCTIONS: Final = """\
import httpx2
import pytest


@pytest.fixture(scope="session")
def client():
    with httpx2.Client(base_url="http://127.0.0.1:{port}", trust_env=False) as client:
        yield client


@pytest.mark.parametrize("number", range({count}))
def test_check(client, number):
    response = client.get(f"/check/{{number}}")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
"""

_PAGE_FUNCTIONS: Final = """\
import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return browser_type_launch_args | {{"executable_path": "{browser}"}}


@pytest.mark.parametrize("number", range({count}))
def test_page(page, number):
    problems = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(request.url))
    response = page.goto(f"http://127.0.0.1:{port}/page/{{number}}")
    assert response.status == 200
    expect(page).to_have_title("Benchmark")
    expect(page.get_by_role("button", name="Ready")).to_be_visible()
    assert not problems
"""

_K6: Final = """\
import http from 'k6/http';
import exec from 'k6/execution';
import {{ check }} from 'k6';
export const options = {{
  scenarios: {{ all: {{ executor: 'shared-iterations', vus: 50, iterations: {count} }} }},
  thresholds: {{ checks: ['rate==1'] }},
}};
export default function () {{
  const answer = http.get(`http://127.0.0.1:{port}/check/${{exec.scenario.iterationInTest}}`);
  check(answer, {{ status: (r) => r.status === 200, ok: (r) => r.json('status') === 'ok' }});
}}
"""

_SECRETS: Final = """\
    secrets: {email: synthetic@example.org, password: correct-horse-battery, api_token: bench-0123456789abcdef}
"""
"""As many as a real target has: every report is searched for them."""

_RELEASE: Final = '    release: {from: "web:/build-info.json", json: $.commit, within: 60s, consecutive: 5}\n'


def declared(folder: Path, port: int, *, checks: int = 0, pages: int = 0, release: bool = False) -> Path:
    """A root folder with targets and declared suites."""
    suites = _root(folder)
    target = f"targets:\n  bench:\n    services: {{web: http://127.0.0.1:{port}}}\n    access: read-only\n{_SECRETS}"
    (folder / "targets.yaml").write_text(target + (_RELEASE if release else ""), encoding="utf-8")
    if checks:
        text = "".join(_CHECK.format(number=number) for number in range(checks))
        (suites / "checks.yaml").write_text(f"checks:\n{text}", encoding="utf-8")
    if pages:
        text = "".join(_PAGE.format(number=number) for number in range(pages))
        (suites / "pages.yaml").write_text(f"checks:\n{text}", encoding="utf-8")
    return folder


def functions(folder: Path, port: int, count: int) -> Path:
    """The same checks as pytest functions on one shared client."""
    (_root(folder) / "test_checks.py").write_text(_FUNCTIONS.format(port=port, count=count), encoding="utf-8")
    return folder


def page_functions(folder: Path, port: int, count: int, browser: str) -> Path:
    """The same pages as functions for pytest-playwright."""
    text = _PAGE_FUNCTIONS.format(port=port, count=count, browser=browser)
    (_root(folder) / "test_pages.py").write_text(text, encoding="utf-8")
    return folder


def empty_test(folder: Path) -> Path:
    """One test that does nothing."""
    (_root(folder) / "test_empty.py").write_text("def test_empty():\n    pass\n", encoding="utf-8")
    return folder


def k6_script(folder: Path, port: int, count: int) -> Path:
    """The same checks as a k6 script."""
    script = folder / f"k6_{count}.js"
    script.write_text(_K6.format(port=port, count=count), encoding="utf-8")
    return script


def _root(folder: Path) -> Path:
    (folder / "suites").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(_CONFIG, encoding="utf-8")
    return folder / "suites"
