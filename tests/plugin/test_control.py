from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.plugin.conftest import Outcome, Project
from tests.web_server import Answer, WebServer, respond


@pytest.fixture
def control() -> Iterator[WebServer]:
    """A server on another failure domain than the target."""
    server = WebServer().script("*", respond(204, b""))
    yield server
    server.close()


@pytest.fixture
def closed() -> str:
    """A URL at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def told(outcome: Outcome, probe: str = "url") -> set[tuple[str, bool]]:
    """What the verdict says of a control probe: when it was asked, and whether it was well."""
    return {(each["moment"], each["healthy"]) for each in outcome.verdict["control"] if each["probe"] == probe}


def test_a_healthy_run_has_a_control(both: Project, control: WebServer) -> None:
    """What the control URL said is in the verdict, and changes nothing about it."""
    both.target(f"control: {{url: {control.url}}}\n")
    both.suite("- {name: slow, get: 'api:/slow/0.3', expect: {status: 200}}")
    outcome = both.run()
    outcome.require(0, "all_required_passed")
    assert told(outcome) == {("start", True)}


def test_a_target_that_is_down_beside_a_control_that_answers(both: Project, control: WebServer, closed: str) -> None:
    """The runner can reach others, so the target has failed although it never was live."""
    both.url = closed
    both.target(f"control: {{url: {control.url}}}\n")
    both.suite("- {name: one, get: 'api:/x', expect: {status: 200}}")
    both.tests("def test_it(api):\n    assert api.get('/x').status_code == 200\n")
    outcome = both.run()
    outcome.require(20, "confirmed_failure")
    assert ("failure", True) in told(outcome)


def test_a_target_and_a_control_that_are_silent(both: Project, control: WebServer, closed: str) -> None:
    """A runner that reaches nobody cannot tell anything."""
    control.down()
    both.url = closed
    both.target(f"control: {{url: {control.url}}}\n")
    both.suite("- {name: one, get: 'api:/x', expect: {status: 200}}")
    outcome = both.run()
    outcome.require(10, "runner_fault")
    assert ("failure", False) in told(outcome)


@pytest.mark.parametrize(("well", "expected"), [(True, (20, "confirmed_failure")), (False, (10, "runner_fault"))])
def test_a_python_test_without_an_answer(
    both: Project, control: WebServer, *, well: bool, expected: tuple[int, str]
) -> None:
    """A client that gets no answer asks the control, in whichever process it is: then it is known whose fault it is."""
    away = WebServer().script("/x", Answer(reset=True))
    if not well:
        control.down()
    both.target(f"control: {{url: {control.url}}}\n", services=f", away: {away.url}")
    both.tests("def test_it(away):\n    assert away.get('/x').status_code == 200\n")
    outcome = both.run("--reruns=1", "--reruns-delay=0.1")
    away.close()
    outcome.require(*expected)
    assert ("failure", well) in told(outcome)
