"""Python tests with a page: Playwright as users know it, with a guard, an eye on the console, and evidence."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Demo, Project

OPEN = """
    def test_opens(page):
        page.goto("/")
        assert "TalkStudio" in page.title()
"""


def test_our_page_wins_over_playwrights_own(demo_project: Project) -> None:
    """With pytest-playwright beside us, page is ours: it knows the target, and no id is changed."""
    demo_project.tests(OPEN)
    run = demo_project.run("--release=4f9d2c1", fast=False)
    run.require(0, "all_required_passed")
    assert [check["id"] for check in run.verdict["checks"]] == ["suites/test_it.py::test_opens"]
    assert run.check("test_opens")["attempts"][0]["exchanges"] > 0
    assert run.check("test_opens")["attempts"][0]["releases"] == ["4f9d2c1"]


@pytest.mark.parametrize(
    ("fault", "allow"),
    [("console-error", 'expected.allow_console(".*")'), ("failed-request", 'expected.allow_requests(".*")')],
)
def test_errors_in_a_page_fail_its_test(page_project: Project, demo: Demo, fault: str, allow: str) -> None:
    """Unless the test says that it expects them."""
    demo.suffer(fault)
    page_project.tests(f"""
        def test_plain(page):
            page.goto("/")
            page.wait_for_timeout(700)

        def test_expecting(page, expected):
            expected.allow_console(".*")
            {allow}
            page.goto("/")
            page.wait_for_timeout(700)
    """)
    run = page_project.run()
    assert run.outcomes() == {"test_plain": "failed", "test_expecting": "passed"}, run.out
    run.require(20, "confirmed_failure")
    assert ": expected empty, got [" in run.out
    assert "/postdeploy/plugin/" not in run.out, "no line of the test raised it, and none of ours helps anybody"


def test_a_failing_page_test_keeps_evidence(demo_project: Project) -> None:
    """Screenshot, console, requests and, of the second attempt, a trace; all listed in the verdict."""
    demo_project.tests("""
        def test_wrong(page):
            page.goto("/")
            page.evaluate("console.error('it says so')")
            assert page.title() == "something else"

        def test_absent(page):
            page.goto("/")
            page.locator("#nonesuch").click(timeout=300)
    """)
    run = demo_project.run()
    run.require(20, "confirmed_failure")
    told = run.check("test_absent")["attempts"][0]["findings"][0]["observed"]
    assert told.startswith("TimeoutError: Locator.click: Timeout 300ms"), told
    kept = run.check("test_wrong")["evidence"]
    assert {path.rsplit("/", 1)[1] for path in kept} >= {"screenshot.png", "trace.zip", "console.txt"}
    assert all((run.reports / path).is_file() for path in kept)
    (folder,) = {path.partition("/attempt-")[0] for path in kept}
    assert f"  evidence: {folder}/attempt-1/  console.txt  " in run.out
    assert re.search(rf"^ {{12}}{folder}/attempt-2/  console.txt  .*trace.zip$", run.out, re.MULTILINE), run.out
    trace = next(run.reports / path for path in kept if path.endswith("trace.zip"))
    assert zipfile.is_zipfile(trace)
    console = next(run.reports / path for path in kept if path.endswith("console.txt"))
    assert "it says so" in console.read_text()


def test_without_a_browser_the_rest_still_runs(demo_project: Project) -> None:
    """UI checks are errored with the command that installs a browser."""
    demo_project.suite("""
        - {name: healthy, get: 'web:/healthz', expect: {status: 200}}
        - {name: editor, page: 'web:/', expect: {title: {contains: TalkStudio}}}
    """)
    demo_project.tests(OPEN)
    run = demo_project.run("--browser-executable=/nowhere/chromium")
    run.require(10, "required_check_not_proven")
    assert run.outcomes() == {"healthy": "passed", "editor": "errored", "test_opens": "errored"}
    assert "/nowhere/chromium" in run.out
    assert "/postdeploy/" not in run.out, "the message is enough, without a traceback through our own code"


def test_context_arguments_can_be_overridden_below(page_project: Project) -> None:
    """browser_context_args is overridden where people are used to."""
    page_project.conftest("""
        @pytest.fixture(scope="session")
        def browser_context_args(browser_context_args):
            return {**browser_context_args, "viewport": {"width": 444, "height": 333}}
    """)
    page_project.tests("""
        def test_size(page, playwright):
            page.goto("/")
            assert page.viewport_size["width"] == 444
            assert "iPhone 13" in playwright.devices
    """)
    page_project.run().require(0, "all_required_passed")


def test_a_page_cannot_write_to_a_read_only_target(page_project: Project, demo: Demo) -> None:
    """The guard holds for pages, too."""
    text = (page_project.path / "targets.yaml").read_text()
    (page_project.path / "targets.yaml").write_text(text.replace("read-write", "read-only"))
    page_project.tests("""
        def test_writes(page, expected):
            expected.allow_console(".*")
            expected.allow_requests(".*")
            page.goto("/")
            page.evaluate("fetch('/api/v1/auth/login', {method: 'POST', body: '{}'}).catch(() => 0)")
            page.wait_for_timeout(300)
    """)
    page_project.run()
    assert not [each for each in demo.control("/reset") or {} if each == "mutating"]
