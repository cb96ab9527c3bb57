from __future__ import annotations

from typing import Any

from postdeploy.domain.cause import Cause, find_causes
from postdeploy.domain.result import CheckResult, Finding, Outcome
from postdeploy.lazy_dataclass import replace
from tests.domain.builders import (
    API,
    WEB,
    attempt,
    blocked,
    down,
    evidence,
    failed,
    passed,
    plan,
    services,
    unheard,
    up,
)


def test_one_dead_service() -> None:
    """Checks that a dead service blocks or fails are one cause, which comes first."""
    dead = failed("b", attempts=(unheard("connection_refused"),))
    run = evidence(failed("x"), failed("y"), blocked("a"), dead, services=services(down(), up("api")))
    assert find_causes(run) == (
        Cause("c1", "service web: it is down", ("a", "b"), "web"),
        Cause("c2", "status: expected 200, got 404", ("x", "y")),
    )


def test_the_state_speaks_where_no_check_was_blocked() -> None:
    """Failures whose service is down are told in the words of the service."""
    run = evidence(failed("b", attempts=(unheard("connection_refused"),)), services=services(down()))
    assert find_causes(run)[0].summary == "service web: connection_refused (web)"


def test_server_errors_of_one_service() -> None:
    """The same fault of one service is one cause, of another service another."""
    faults = {"a": WEB + "/1", "b": WEB + "/2", "c": API + "/1"}
    run = evidence(*(failed(name, attempts=(unheard("http_500", url=url),)) for name, url in faults.items()))
    assert [(cause.summary, cause.checks) for cause in find_causes(run)] == [
        ("service web: answers HTTP 500", ("a", "b")),
        ("service api: answers HTTP 500", ("c",)),
    ]


def test_port_is_no_prefix() -> None:
    """A service on port 8080 is not taken for one on port 80."""
    target = {"name": "t", "services": {"web": "http://h:80", "api": "http://h:80/api", "admin": "http://h:8080"}}
    for url, service in (("http://h:8080/x", "admin"), ("http://h:80/api", "api"), ("http://h:80/apis?q", "web")):
        run = evidence(failed(attempts=(unheard("timeout", url=url),)), target=target)
        assert find_causes(run)[0].service == service


def test_faults_of_nobody() -> None:
    """A fault at an unknown place, or of a target without services, belongs to its check."""
    strange = failed(attempts=(unheard("timeout", url="https://cdn.test/"),))
    targets: tuple[dict[str, Any], ...] = ({"name": "t"}, {"name": "t", "services": {"web": WEB}})
    for target in targets:
        assert find_causes(evidence(strange, target=target))[0].service is None


def test_texts() -> None:
    """Without findings the first line of the error speaks, and without an error the outcome does."""
    crash = CheckResult("a", Outcome.FAILED, (attempt("failed", findings=(), error="boom\ntrace"),))
    run = evidence(crash, CheckResult("b", Outcome.FAILED), CheckResult("c", Outcome.BLOCKED), passed("d"))
    assert {cause.summary for cause in find_causes(run)} == {"boom", "failed", "service ?: unreachable"}


def test_fault_of_a_service_that_nobody_examined() -> None:
    """A fault of a service whose state is unknown is told by its code."""
    run = evidence(failed(attempts=(unheard("connection_reset"),)), services=services(up("api")))
    assert find_causes(run)[0].summary == "service web: connection reset"


def test_a_page_and_a_test_see_one_console() -> None:
    """The same error of a page is one cause, whether the check names its service or, as a test, cannot."""
    boom = Finding("mismatch", "console", "empty", '["boom (http://h/a.js:1:1)"]')
    seen = [failed(name, attempts=(attempt("failed", findings=(boom,)),)) for name in ("a", "b")]
    run = evidence(*seen, plan=(plan("a", services=("web",)), plan("b", services=())))
    assert [cause.checks for cause in find_causes(run)] == [("a", "b")]
    title = replace(boom, subject="title")
    seen = [failed(name, attempts=(attempt("failed", findings=(title,)),)) for name in ("a", "b")]
    assert len(find_causes(evidence(*seen, plan=run.plan))) == 2


def test_two_services_of_one_check() -> None:
    """The same finding at checks of several services is one cause."""
    both = (plan("a", services=("web", "api")), plan("b", services=("web", "api")))
    assert len(find_causes(evidence(failed("a"), failed("b"), plan=both))) == 1
