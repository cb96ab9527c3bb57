from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from postdeploy.domain.check import HttpProbe, PageProbe, Step, TlsProbe, WebsocketProbe
from postdeploy.domain.target import Location
from postdeploy.engine.variables import UnfitVariableError, UnknownVariableError, render_step

Make = Callable[..., Any]


def rendered(step: Step, **variables: object) -> HttpProbe:
    """The probe of a step with its placeholders filled."""
    probe = render_step(step, variables).probe
    assert isinstance(probe, HttpProbe)
    return probe


def test_a_step_without_placeholders_stays_as_it_is(step: Make) -> None:
    """Nothing is copied where nothing is to be filled."""
    plain = step("/a", templated=False)
    assert render_step(plain, {}) is plain


def test_a_path_is_escaped(step: Make) -> None:
    """A value cannot leave its place in a path or a query."""
    assert (
        rendered(step("/a/${id}?q=${id}"), id="x/../?&#é").location.path
        == "/a/x%2F..%2F%3F%26%23%C3%A9?q=x%2F..%2F%3F%26%23%C3%A9"
    )


def test_half_a_surrogate_pair_can_be_sent(step: Make) -> None:
    """What is no text in UTF-8 is escaped, not a crash."""
    assert rendered(step("/${id}"), id="\ud800").location.path == "/%5Cud800"


@pytest.mark.parametrize("path", ["/a/${id}", "/${id}/a", "/a/${id}?b=1"])
@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_must_not_vanish(step: Make, path: str, value: str) -> None:
    """A value that would make another path of a path is refused."""
    with pytest.raises(UnfitVariableError, match="cannot stand between slashes"):
        rendered(step(path), id=value)


def test_a_part_of_a_segment_may_be_empty(step: Make) -> None:
    """Beside other letters, and in a query, nothing is a value like any other."""
    assert rendered(step("/v${n}?q=${n}"), n="").location.path == "/v?q="


def test_a_whole_placeholder_keeps_the_type(step: Make) -> None:
    """Numbers in a JSON body stay numbers; within a longer text they become text."""
    body = {"n": "${n}", "list": ["${n}", "no ${n}"], "kept": 1}
    assert rendered(step(json=body, has_json=True), n=7).json == {"n": 7, "list": [7, "no 7"], "kept": 1}


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (None, "null"), (1.5, "1.5"), ([1, "é"], '[1, "é"]')])
def test_what_is_no_text_is_spelled_as_json(step: Make, value: object, text: str) -> None:
    """In headers and bodies a value looks as in the answer that it came from."""
    probe = rendered(step(headers={"x-v": "${v}"}, body="v=${v}"), v=value)
    assert (probe.headers["x-v"], probe.body) == (text, f"v={text}")


def test_a_value_is_not_filled_again(step: Make) -> None:
    """An answer cannot ask for our secrets by naming them."""
    probe = rendered(step(body="${id}"), id="${secrets.token}", **{"secrets.token": "t0p"})
    assert probe.body == "${secrets.token}"


def test_basic_credentials_are_encoded_with_their_password(step: Make) -> None:
    """The header is made where the password is known."""
    probe = rendered(step(auth="basic me:${secrets.p}"), **{"secrets.p": "pw"})
    assert probe.auth == "Basic bWU6cHc="


def test_expectations_are_filled(step: Make) -> None:
    """A saved value can be expected of a later answer."""
    assert str(render_step(step(status="${n}"), {"n": 201}).expectations[0].matcher) == "201"


def test_pages_and_websockets_have_places_too(step: Make) -> None:
    """Every probe with a place has its placeholders filled; the others have none."""
    variables = {"id": "7"}
    page = render_step(replace(step(), probe=PageProbe(Location("web", "/c/${id}"))), variables).probe
    socket = render_step(
        replace(step(), probe=WebsocketProbe(Location("web", "/w"), send=("hi ${id}",))), variables
    ).probe
    tls = render_step(replace(step(), probe=TlsProbe("web")), variables).probe
    assert isinstance(page, PageProbe)
    assert isinstance(socket, WebsocketProbe)
    assert (page.location.path, socket.send, tls) == ("/c/7", ("hi 7",), TlsProbe("web"))


def test_an_unknown_name_is_told(step: Make) -> None:
    """The message names the variable."""
    with pytest.raises(UnknownVariableError, match=r"\$\{nobody\} has no value"):
        rendered(step("/${nobody}"))
