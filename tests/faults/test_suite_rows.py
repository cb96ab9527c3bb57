"""F01 to F26: suites, options and other plugins that stock pytest takes for success."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.faults.expected import NO_FILE, Expected, hold, promote, rollback, unsealed
from tests.faults.project import Project
from tests.faults.server import FaultServer

_NOT_PROVEN = hold("required_check_not_proven")
_NARROWED = hold("suite_narrowed")
_REFUSED = hold("config_error", 4)

_BAD_TEST = """
    def test_bad(api):
        assert api.get("/wrong").json()["ok"]
"""

_TEST = """
    def test_{name}(api):
        assert api.get("/ok/{name}").status_code == 200
"""


def test_a_healthy_suite_passes(project: Project) -> None:
    """What the rows start from is a pass that the gate believes: they fail because of their fault alone."""
    project.healthy()
    run = project.run()
    run.require(promote())
    assert run.outcomes() == {"test_a": "passed", "test_b": "passed", "declared": "passed"}


@pytest.mark.row("F01", "test file without tests")
def test_an_empty_suite(project: Project) -> None:
    """Nothing was verified."""
    project.tests("x = 1")
    run = project.run()
    run.require(hold("nothing_selected", 5))
    assert run.document["counts"]["planned"] == 0


@pytest.mark.row("F02", "pytestmark = skip")
def test_everything_is_skipped(project: Project) -> None:
    """What was skipped is named."""
    project.tests(_TEST.format(name="a") + "    pytestmark = pytest.mark.skip(reason='not today')\n")
    run = project.run()
    run.require(_NOT_PROVEN)
    assert "test_a: skipped, not today" in run.document["summary"]


@pytest.mark.row("F02", "a whole file is skipped while it is imported")
def test_a_file_is_skipped(project: Project) -> None:
    """A file that skips itself hides its checks, whatever else passes."""
    project.healthy()
    project.tests(_TEST.format(name="c") + "    pytest.skip('not here', allow_module_level=True)\n", "test_skipped.py")
    run = project.run()
    run.require(hold("required_check_missing"))
    assert "suites/test_skipped.py" in run.document["summary"]
    assert "not here" in run.document["summary"]


@pytest.mark.row("F03", "every test is marked xfail and fails")
def test_everything_is_expected_to_fail(project: Project) -> None:
    """A failure that somebody expected proves nothing."""
    project.tests(_BAD_TEST + "    pytestmark = pytest.mark.xfail(strict=False)\n")
    project.run().require(_NOT_PROVEN)


@pytest.mark.row("F03", "every test is marked xfail and passes")
def test_everything_passes_unexpectedly(project: Project) -> None:
    """Nor does a pass that nobody expected."""
    project.tests(_TEST.format(name="a") + "    pytestmark = pytest.mark.xfail(strict=False)\n")
    project.run().require(_NOT_PROVEN)


@pytest.mark.row("F04", 'importorskip("nope")')
def test_an_optional_dependency_is_missing(project: Project) -> None:
    """The file and the dependency are named."""
    project.suite()
    project.tests("    nope = pytest.importorskip('nope')\n" + _TEST.format(name="a"))
    run = project.run()
    run.require(hold("required_check_missing"))
    assert "suites/test_it.py" in run.document["summary"]
    assert "nope" in run.document["summary"]


@pytest.mark.row("F05", "@mark.smoek with -m smoke")
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lax"])
def test_a_marker_is_misspelt(project: Project, server: FaultServer, strict: bool) -> None:
    """The place and the word that was meant are named, and nothing is sent, also where pytest itself only warns."""
    markers = 'markers = ["smoke: quick"]\n'
    project.write("pytest.toml", f'[pytest]\ntestpaths = ["suites"]\nstrict = {str(strict).lower()}\n{markers}')
    project.tests("""
        @pytest.mark.smoke
        def test_a(api):
            assert api.get("/ok/a").status_code == 200

        @pytest.mark.smoek
        def test_bad(api):
            assert api.get("/wrong").json()["ok"]
    """)
    run = project.run("-m", "smoke")
    run.require(_REFUSED)
    assert "suites/test_it.py:7: unknown mark 'smoek' (did you mean 'smoke'?)" in run.document["summary"]
    assert server.asked() == 0


@pytest.mark.row("F06", "-k test_a")
def test_k_narrows(project: Project) -> None:
    """The checks that were left out are in the plan, and did not run."""
    project.healthy()
    project.tests(_BAD_TEST, "test_more.py")
    run = project.run("-k", "test_a")
    run.require(_NARROWED)
    assert run.outcomes() == {"test_a": "passed", "test_b": "not_run", "test_bad": "not_run", "declared": "not_run"}
    assert run.document["narrowed_by"] == ["-k"]


@pytest.mark.row("F07", "PYTEST_ADDOPTS=-k test_a")
def test_the_environment_narrows(project: Project) -> None:
    """What nobody typed is named."""
    project.healthy()
    run = project.run(env={"PYTEST_ADDOPTS": "-k test_a"})
    run.require(_NARROWED)
    assert run.document["narrowed_by"] == ["-k"]


@pytest.mark.row("F07", "addopts = -k test_a in the ini file")
def test_the_ini_file_narrows(project: Project) -> None:
    """Committed narrowing is narrowing."""
    project.healthy()
    project.write("pytest.toml", '[pytest]\ntestpaths = ["suites"]\naddopts = ["-k", "test_a"]\n')
    project.run().require(_NARROWED)


@pytest.mark.row("F08", "options that leave out, and another idea of the whole")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-m", "not critical"], "-m"),
        (["--deselect=suites/test_it.py::test_b"], "--deselect"),
        (["--ignore=suites/test_it.py"], "--ignore"),
        (["--ignore-glob=*.yaml"], "--ignore-glob"),
        (["suites/test_it.py"], "the paths on the command line"),
        (["-o", "testpaths=suites/test_it.py"], "-o testpaths"),
        (["-o", "python_functions=test_a"], "-o python_functions"),
    ],
    ids=lambda value: "" if isinstance(value, str) else value[-1].partition("=")[0].strip("-"),
)
def test_an_option_narrows(project: Project, arguments: list[str], named: str) -> None:
    """Each is named."""
    project.healthy()
    run = project.run(*arguments)
    run.require(_NARROWED if arguments[0] != "-m" else hold("nothing_selected", 5))
    assert any(named in each for each in run.document["narrowed_by"])


@pytest.mark.row("F08", "--lf, --sw: only what failed last")
@pytest.mark.parametrize("option", ["--lf", "--sw"])
def test_only_what_failed_last_runs(project: Project, server: FaultServer, option: str) -> None:
    """A run of what failed before is not a run of everything."""
    project.healthy()
    project.tests(_BAD_TEST.replace("/wrong", "/mended"), "test_later.py")
    server.on("/mended", server.answer_of("/wrong"))
    assert project.run(*(["--sw"] if option == "--sw" else [])).status == 20
    server.on("/mended", server.answer_of("/ok"))
    project.run(option).require(_NARROWED)


@pytest.mark.row("F09", "a conftest slices the items")
def test_a_conftest_slices(project: Project) -> None:
    """What a hook drops was planned."""
    project.healthy()
    project.conftest("""
        def pytest_collection_modifyitems(items):
            items[:] = items[:1]
    """)
    run = project.run()
    run.require(_NARROWED)
    assert run.document["counts"]["planned"] == 3
    assert run.document["counts"]["not_run"] == 2


@pytest.mark.row("F09", "a conftest ignores a file")
@pytest.mark.parametrize("how", ["collect_ignore", "hook"])
def test_a_conftest_ignores(project: Project, how: str) -> None:
    """A suite file that a conftest has left out is named."""
    project.healthy()
    text = {
        "collect_ignore": "collect_ignore = ['test_it.py']",
        "hook": "def pytest_ignore_collect(collection_path): return collection_path.name == 'test_it.py' or None",
    }[how]
    project.write("suites/conftest.py", text + "\n")
    run = project.run()
    run.require(_NARROWED)
    assert "suites/test_it.py" in run.document["summary"]


@pytest.mark.row("F10", "--collect-only, --cache-show: nothing is run")
@pytest.mark.parametrize("option", ["--collect-only", "--cache-show"])
def test_pytest_only_prints(project: Project, server: FaultServer, option: str) -> None:
    """Nothing was verified, so the status is not 0 and there is no verdict."""
    project.healthy()
    project.run(option).require(unsealed(10, NO_FILE))
    assert server.asked() == 0


@pytest.mark.row("F10", "--setup-plan, --setup-only: no body is run")
@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_pytest_only_sets_up(project: Project, option: str) -> None:
    """A test whose body never ran proves nothing."""
    project.healthy()
    project.run(option).require(_NARROWED)


@pytest.mark.row("F11", "-p no: takes the plugin away")
def test_the_plugin_is_disabled(project: Project) -> None:
    """There is no verdict, and the gate finds none."""
    project.healthy()
    project.run("-p", "no:postdeploy.plugin.hooks").require(unsealed(1, NO_FILE))


@pytest.mark.row("F11", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1")
def test_no_plugin_is_loaded(project: Project) -> None:
    """Pytest does not know the target's option."""
    project.healthy()
    project.run(plugins=()).require(unsealed(4, NO_FILE))


@pytest.mark.row("F11", "postdeploy verify with the plugin taken away")
def test_verify_without_the_plugin(project: Project) -> None:
    """The launcher's own verdict stands: never sealed."""
    project.healthy()
    run = project.launch(pytest=("-p", "no:postdeploy.plugin.hooks"))
    run.require(unsealed(10 if project.workers else 4))


@pytest.mark.row("F12", "the plugin is taken away, and the verdict of an earlier run is there")
def test_an_older_pass_stays(project: Project) -> None:
    """The gate asks for the run that it was told of."""
    project.healthy()
    assert project.run("--run-id=first").status == 0
    run = project.run("-p", "no:postdeploy.plugin.hooks", "--run-id=second")
    run.gate_for = "second"
    run.require(Expected("pass", "all_required_passed", "promote", 1, 30))
    assert "the verdict is of run first, not second" in run.gate_said


@pytest.mark.row("F13", "the target is misspelt, empty, or named twice; the environment names it")
@pytest.mark.parametrize(
    ("arguments", "environment", "expected", "said"),
    [
        (["--target=locl"], "", hold("config_error", 4, 30), "did you mean 'local'?"),
        (["--target="], "", hold("config_error", 4, 30), "no target"),
        (["--target=local", "--target", "local"], "", _REFUSED, "twice"),
        ([], "--target=local", _REFUSED, "PYTEST_ADDOPTS"),
    ],
    ids=["misspelt", "empty", "twice", "environment"],
)
def test_the_target_is_not_clear(
    project: Project, server: FaultServer, arguments: list[str], environment: str, expected: Expected, said: str
) -> None:
    """Nothing is sent, to nobody."""
    project.healthy()
    run = project.run(*arguments, env={"PYTEST_ADDOPTS": environment}, target=None)
    run.require(expected)
    assert said in run.document["summary"]
    assert server.asked() == 0


@pytest.mark.row("F14", "in a test")
def test_exit_in_a_test(project: Project) -> None:
    """Somebody ended the run."""
    project.healthy()
    project.tests("def test_exit(api):\n    pytest.exit('enough', returncode=0)\n", "test_a_first.py")
    project.run().require(hold("internal_error", 3) if project.workers else hold("interrupted", 2))


@pytest.mark.row("F14", "while a file is imported")
def test_exit_in_collection(project: Project) -> None:
    """Before anything was planned."""
    project.healthy()
    project.tests("pytest.exit('enough', returncode=0)", "test_a_first.py")
    project.run().require(hold("required_check_missing"))


@pytest.mark.row("F14", "in pytest_configure of a conftest")
def test_exit_in_configure(project: Project) -> None:
    """Before the plugin woke up."""
    project.healthy()
    project.conftest("""
        def pytest_configure():
            pytest.exit("enough", returncode=0)
    """)
    project.run().require(unsealed(10, NO_FILE))


LEAVES = {"os._exit(0)": "import os", "ctypes.CDLL(None)._exit(0)": "import ctypes"}
"""Ways to leave a process with status 0, and what they need: one that is noticed, and one that nothing can notice."""


@pytest.mark.row("F15", "in the second test")
@pytest.mark.parametrize("how", LEAVES)
def test_os_exit_in_a_test(project: Project, how: str) -> None:
    """It is sealed as an interruption; who leaves through C has only started; with workers, one was lost."""
    project.healthy()
    project.tests(f"{LEAVES[how]}\ndef test_gone(api):\n    {how}\n", "test_later.py")
    run = project.run()
    if project.workers:
        run.require(hold("worker_lost"))
    else:
        run.require(hold("interrupted", 2) if how.startswith("os") else unsealed(0))


@pytest.mark.row("F15", "in the second test, under postdeploy verify")
@pytest.mark.parametrize("how", LEAVES)
def test_os_exit_under_verify(project: Project, how: str) -> None:
    """The launcher's status follows from the verdict, not from the process that vanished."""
    project.healthy()
    project.tests(f"{LEAVES[how]}\ndef test_gone(api):\n    {how}\n", "test_later.py")
    run = project.launch()
    alone = "interrupted" if how.startswith("os") else "incomplete"
    run.require(hold("worker_lost") if project.workers else hold(alone, (2, 10)))


@pytest.mark.row("F16", "session.exitstatus = 0 in pytest_sessionfinish")
def test_the_exit_status_is_zeroed(project: Project) -> None:
    """The status of the process follows from the verdict alone."""
    project.healthy()
    project.tests(_BAD_TEST, "test_more.py")
    project.conftest("""
        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            session.exitstatus = 0
            session.testsfailed = 0
    """)
    project.run().require(rollback())


@pytest.mark.row("F17", "pytest_runtest_protocol, pytest_runtestloop or pytest_cmdline_main answers for pytest")
@pytest.mark.parametrize(
    ("hook", "alone", "spread"),
    [
        ("pytest_runtest_protocol(item): return True", _NOT_PROVEN, _NOT_PROVEN),
        ("pytest_runtestloop(session): return True", _NOT_PROVEN, hold("nothing_selected", 5)),
        ("pytest_cmdline_main(config): return 0", unsealed(10, NO_FILE), unsealed(10, NO_FILE)),
    ],
    ids=["protocol", "loop", "main"],
)
def test_tests_are_swallowed(project: Project, hook: str, alone: Expected, spread: Expected) -> None:
    """Nothing reported, so nothing is proven."""
    project.healthy()
    project.conftest(f"@pytest.hookimpl(tryfirst=True)\ndef {hook}\n")
    project.run().require(spread if project.workers else alone)


@pytest.mark.row("F17", "pytest_pyfunc_call answers for the test")
def test_a_body_is_swallowed(project: Project) -> None:
    """A test whose body never ran has exchanged nothing."""
    project.tests(_BAD_TEST)
    project.conftest("@pytest.hookimpl(tryfirst=True)\ndef pytest_pyfunc_call(pyfuncitem): return True\n")
    project.run().require(_NOT_PROVEN)


_FORGERY = """
    @pytest.hookimpl(wrapper=True{order})
    def pytest_runtest_makereport(item, call):
        report = yield
        report.outcome, report.longrepr = "passed", None
        return report
"""


@pytest.mark.row("F18", "pytest_runtest_makereport says passed")
@pytest.mark.parametrize("order", ["", ", tryfirst=True"], ids=["inner", "outer"])
def test_a_report_is_forged(project: Project, order: str) -> None:
    """A report that says passed although the test raised is not believed."""
    project.healthy()
    project.tests(_BAD_TEST, "test_more.py")
    project.conftest(_FORGERY.format(order=order))
    run = project.run()
    run.require(_NOT_PROVEN)
    assert run.outcomes()["test_bad"] in {"errored", "failed"}


@pytest.mark.row("F19", "a required test that asks the target nothing")
def test_a_test_without_evidence(project: Project) -> None:
    """What exchanged nothing with the target proves nothing of it."""
    project.healthy()
    project.tests("def test_x():\n    assert 1 + 1 == 2\n", "test_more.py")
    run = project.run()
    run.require(_NOT_PROVEN)
    assert "test_x: passed without any exchange with the target" in run.document["summary"]


@pytest.mark.row("F20", "fails twice, then passes, with --reruns 3: within the policy")
def test_reruns_hide_a_failure(project: Project) -> None:
    """All attempts are kept, and the pass is not a clean one."""
    project.tests("def test_flaky(api):\n    assert api.get('/flaky/2').json()['ok']\n")
    run = project.run("--reruns=3")
    run.require(promote("passed_with_warnings"))
    (check,) = run.document["checks"]
    assert [attempt["outcome"] for attempt in check["attempts"]] == ["failed", "failed", "passed"]
    assert run.document["counts"]["flaky"] == 1


@pytest.mark.row("F20", "fails twice, then passes, with --reruns 3: flaky passes are not allowed")
def test_reruns_that_the_policy_does_not_allow(project: Project) -> None:
    """The policy says how many checks may pass only when repeated."""
    project.target(policy="deadline: 30s, flaky: 0")
    project.tests("def test_flaky(api):\n    assert api.get('/flaky/2').json()['ok']\n")
    project.run("--reruns=3").require(hold("flaky_unresolved"))


@pytest.mark.row("F21", "--max-warnings=0, --fail-on-flaky")
@pytest.mark.parametrize(
    ("option", "reason"), [("--max-warnings=0", "required_check_not_proven"), ("--fail-on-flaky", "flaky_unresolved")]
)
def test_the_exit_status_changes_late(project: Project, option: str, reason: str) -> None:
    """What pytest itself ended with is in the verdict, and it is no pass."""
    project.tests("""
        import warnings

        def test_flaky(api):
            warnings.warn("something")
            assert api.get("/flaky/1").json()["ok"]
    """)
    run = project.run(option)
    run.require(hold(reason))
    assert (
        run.document["run"]["pytest_exit"]
        == {"--max-warnings=0": 6, "--fail-on-flaky": 0 if project.workers else 7}[option]
    )


@pytest.mark.row("F22", "a returned value, an exception in a thread, an exception in a finaliser")
@pytest.mark.parametrize("quiet", [(), ("-p", "no:warnings"), ("-W", "ignore")], ids=["", "off", "ignored"])
def test_a_lie_is_only_warned_of(project: Project, quiet: tuple[str, ...]) -> None:
    """Each such test could not tell, also where warnings are switched off."""
    project.tests("""
        import gc
        import threading

        class Broken:
            def __del__(self):
                raise ValueError("in the finaliser")

        def test_returned(api):
            return api.get("/wrong").json()["ok"]

        def test_thread(api):
            api.get("/ok")
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()

        def test_finaliser(api):
            api.get("/ok")
            Broken()
            gc.collect()
    """)
    run = project.run(*quiet)
    run.require(_NOT_PROVEN)
    assert run.outcomes() == dict.fromkeys(("test_returned", "test_thread", "test_finaliser"), "errored")


@pytest.mark.row("F22", "assert on a tuple, two tests with one name")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("""
         def test_a(api):
             assert (api.get("/wrong").json()["ok"], "it is not")
         """, "suites/test_it.py:4:5: assert on a tuple is always true"),
        (_BAD_TEST.replace("test_bad", "test_a") + _TEST.format(name="a"),
         "suites/test_it.py:6:1: 'test_a' hides the one at line 3"),
        ("    class TestIt:\n" + indent(_BAD_TEST.replace("(api)", "(self, api)") * 2, "    "),
         "suites/test_it.py:7:5: 'test_bad' hides the one at line 4"),
    ],
    ids=["tuple", "function", "method"],
)  # fmt: skip
def test_a_lie_in_the_source(project: Project, server: FaultServer, text: str, said: str) -> None:
    """It is found while tests are collected, with its place, and nothing is sent."""
    project.suite()
    project.tests(text)
    run = project.run()
    run.require(_REFUSED)
    assert said in run.document["summary"]
    assert server.asked() == 0


@pytest.mark.row("F23", "PYTHONOPTIMIZE=1")
def test_python_without_asserts(project: Project, server: FaultServer) -> None:
    """Without asserts a test verifies nothing."""
    project.healthy()
    run = project.run(env={"PYTHONOPTIMIZE": "1"})
    run.require(_REFUSED)
    assert "PYTHONOPTIMIZE" in run.document["summary"]
    assert server.asked() == 0


@pytest.mark.row("F24", "syntax error in a conftest")
def test_a_conftest_cannot_be_imported(project: Project) -> None:
    """The verdict of an earlier run is withdrawn."""
    project.healthy()
    assert project.run("--run-id=first").status == 0
    project.conftest("def broken(:\n")
    project.run().require(unsealed(4, NO_FILE))


@pytest.mark.row("F24", "ImportError in one file")
def test_a_file_cannot_be_imported(project: Project, server: FaultServer) -> None:
    """A file that cannot be collected hides checks."""
    project.healthy()
    project.tests("import nothing_of_that_name\n", "test_more.py")
    run = project.run()
    run.require(hold("required_check_missing"))
    assert "suites/test_more.py" in run.document["summary"]
    assert server.asked() == 0


@pytest.mark.row("F24", "ImportError in one file, with --continue-on-collection-errors")
def test_a_file_cannot_be_imported_and_the_rest_runs(project: Project) -> None:
    """Whatever else passes."""
    project.healthy()
    project.tests("import nothing_of_that_name\n", "test_more.py")
    project.run("--continue-on-collection-errors").require(hold("required_check_missing"))


@pytest.mark.row("F25", "raise in pytest_runtest_logreport")
def test_an_internal_error(project: Project) -> None:
    """A plugin that breaks takes the run with it."""
    project.healthy()
    project.conftest("""
        def pytest_runtest_logreport(report):
            raise RuntimeError("broken")
    """)
    project.run().require(hold("internal_error", 3))


@pytest.mark.row("F26", "pytest_sessionfinish or pytest_unconfigure raises")
@pytest.mark.parametrize("hook", ["pytest_sessionfinish", "pytest_unconfigure"])
def test_a_late_hook_raises(project: Project, hook: str) -> None:
    """What breaks after the last test is seen, too: the verdict is sealed after all others have ended."""
    project.healthy()
    project.conftest(f"def {hook}():\n    raise RuntimeError('late')\n")
    run = project.run()
    run.require(hold("internal_error", 1))
    assert run.outcomes()["test_a"] == "passed"
