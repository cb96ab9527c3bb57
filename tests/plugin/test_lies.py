"""What pytest only warns of is an error where it means that nothing was verified, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Peer, Project

OK = 'assert api.get("/ok").status_code == 200'


def test_honest_suites_pass(both: Project) -> None:
    """The same name elsewhere, other warnings, helpers that hide each other, an empty tuple: all of that is allowed."""
    both.tests(f"""
        import sys
        import warnings

        def helper():
            return 1

        def helper():
            return 2

        if sys.platform == "linux":
            def test_here(api):
                {OK}
        else:
            def test_here(api):
                {OK}

        class TestOne:
            def test_same(self, api):
                {OK}

        class TestTwo:
            def test_same(self, api):
                warnings.warn("deprecated", DeprecationWarning)
                {OK}

        def test_same(api):
            with pytest.warns(UserWarning):
                warnings.warn("expected")
            assert () == (), "an empty tuple is no lie"
            {OK}
    """)
    both.run().require(0, "all_required_passed")


@pytest.mark.parametrize("where", ["setup", "teardown"])
def test_a_thread_that_breaks_outside_of_the_test_counts(project: Project, where: str) -> None:
    """A fixture's thread is part of the check."""
    steps = ["broken()", "yield"] if where == "setup" else ["yield", "broken()"]
    project.tests(f"""
        import threading

        def broken():
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()

        @pytest.fixture
        def around():
            {steps[0]}
            {steps[1]}

        def test_it(api, around):
            {OK}
    """)
    run = project.run()
    run.require(10, "required_check_not_proven")
    assert run.outcomes() == {"test_it": "errored"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@pytest.mark.nonesuch\ndef test_a(api): pass", "suites/test_it.py:2: unknown mark 'nonesuch' (register it"),
        (f"class TestA:\n    def test_a(self, api): {OK}\nclass TestA:\n    def test_b(self, api): {OK}",
         "suites/test_it.py:4:1: 'TestA' hides the one at line 2; give one of them another name"),
    ],
    ids=["mark", "class"],
)  # fmt: skip
def test_what_is_written_wrong_is_refused(project: Project, peer: Peer, text: str, said: str) -> None:
    """With its place, before anything is sent."""
    project.tests(text)
    run = project.run()
    run.require(4, "config_error")
    assert said in run.verdict["summary"]
    assert peer.seen == []


@pytest.mark.parametrize("plugin", ["threadexception", "unraisableexception"])
def test_who_looks_for_lies_may_not_be_sent_away(project: Project, peer: Peer, plugin: str) -> None:
    """Without these plugins nobody would know."""
    project.suite("- {name: good, get: 'api:/ok', expect: {status: 200}}")
    project.run("-p", f"no:{plugin}").require(4, "config_error")
    assert peer.seen == []
