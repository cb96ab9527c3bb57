from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from postdeploy.guard.identity import identity_headers


def test_a_request_names_its_run_and_check() -> None:
    """Whatever the check is called, the header is one line of ASCII."""
    headers = identity_headers("run 1", "suite.yaml::검사;\r\nx: y")
    assert headers["X-Synthetic-Test"].isascii()
    assert headers["X-Synthetic-Test"].startswith("run=run%201;check=suite.yaml::%EA%B2%80")
    assert "\n" not in headers["X-Synthetic-Test"]
    assert headers["X-Synthetic-Test"].count(";") == 1


@pytest.mark.parametrize(
    "name", ["a.yaml::plain-name_~", "b.yaml::1 % of [x]", "검사 \U0001f600", '+&=?#"\x00\x7f', ""]
)
def test_the_name_of_a_check_is_quoted(name: str) -> None:
    """As urllib does it, and as it is where nothing has to be."""
    assert identity_headers("r", name)["X-Synthetic-Test"] == f"run=r;check={quote(name, safe='/:.')}"


def test_the_trace_context_is_valid() -> None:
    """All requests of a run share a trace, those of a check a span (W3C Trace Context)."""
    one, two = identity_headers("r", "a")["traceparent"], identity_headers("r", "b")["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", one)
    assert one[:35] == two[:35]
    assert one != two
    assert identity_headers("other", "a")["traceparent"][:35] != one[:35]
