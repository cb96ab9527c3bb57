from __future__ import annotations

from collections.abc import Callable

import pytest

from postdeploy.domain.check import Check

Checks = Callable[[str], tuple[Check, ...]]
Problems = Callable[[str], list[str]]


def steps(*lines: str) -> str:
    """A check whose steps begin in line 4, column 9."""
    return "checks:\n  - name: c\n    steps:\n" + "".join(f"      - {line}\n" for line in lines)


KNOWN = "(known: id, release, run.id, target, unique, secrets.api_token)"
EXPECT = "expect: {status: 200}"


@pytest.mark.parametrize(
    "text",
    ["secrets.api_token", "release", "run.id", "target", "unique"],
)
def test_names_that_always_have_a_value(checks: Checks, text: str) -> None:
    """Secrets of the target, the release, the run, the target, and a fresh token."""
    (found,) = checks(steps(f"{{get: 'web:/${{{text}}}', {EXPECT}}}"))
    assert found.steps[0].templated


@pytest.mark.parametrize(
    "line",
    [
        "{get: 'web:/${id}', EXPECT}",
        "{post: web:/, json: {a: [{b: 'x${id}'}]}, EXPECT}",
        "{post: web:/, body: '${id}', EXPECT}",
        "{get: web:/, headers: {a: '${id}'}, EXPECT}",
        "{get: web:/, auth: '${id}', EXPECT}",
        "{get: web:/, expect: {status: '${id}', json: {$.a: {in: ['${id}']}}, body: {contains: '${id}'}}}",
        "{websocket: web:/, send: [{a: '${id}'}], expect: {message: '${id}'}}",
    ],
)
def test_a_saved_value_is_used_later_only(checks: Checks, problems: Problems, line: str) -> None:
    """After the step that saves it a name has a value, before it has none, wherever it stands."""
    line = line.replace("EXPECT", EXPECT)
    save = "{get: web:/, save: {id: $.id}}"
    first, second = checks(steps(save, line))[0].steps
    assert (first.templated, second.templated) == (False, True)
    assert all("'${id}' has no value: no earlier step saves it" in message for message in problems(steps(line, save)))
    assert problems(steps(line, save))


def test_cleaning_up_knows_what_all_steps_saved(checks: Checks) -> None:
    """Also after a check of a single step."""
    text = """\
checks:
  - {name: c, post: web:/, expect: {status: 201}, save: {id: $.id}, finally: [{delete: 'web:/${id}'}]}
"""
    assert checks(text)[0].cleanup[0].templated


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${idd}", "'${idd}' has no value: no earlier step saves it (did you mean 'id'?)"),
        (
            "${zzzzz}",
            "'${zzzzz}' has no value: no earlier step saves it " + KNOWN,
        ),
        (
            "${secrets.api_tokn}",
            (
                "'${secrets.api_tokn}' names a secret that target 'staging' does not have"
                " (did you mean 'secrets.api_token'?)"
            ),
        ),
        (
            "${secrets.x}",
            (
                "'${secrets.x}' names a secret that target 'staging' does not have"
                " (name it under 'secrets' in targets.yaml, or limit the check with 'when')"
            ),
        ),
        (
            "${API_TOKEN}",
            (
                "'${API_TOKEN}' has no value"
                " (only targets.yaml reads the environment: name it under 'secrets' and write ${secrets.name})"
            ),
        ),
        (
            "${}",
            "'${}' has no value: no earlier step saves it " + KNOWN,
        ),
        ("${id", "'${' without '}' (write ${name})"),
    ],
)
def test_names_without_a_value(problems: Problems, text: str, message: str) -> None:
    """Each is told with its place and what was probably meant."""
    found = problems(steps("{get: web:/, save: {id: $.id}}", f"{{post: web:/, body: '{text}', {EXPECT}}}"))
    assert found == [f"5:29: {message}"]


def test_a_single_step_knows_nothing_saved(problems: Problems) -> None:
    """Its own answer comes too late for what it sends; the name of the check is no text to fill in."""
    text = "checks:\n  - {name: 'a ${b}', get: 'web:/${id}', expect: {status: 200}, save: {id: $.id}}\n"
    assert [message.split(": ")[1] for message in problems(text)] == ["'${id}' has no value"]


def test_keys_are_not_filled_in(problems: Problems) -> None:
    """A key with a placeholder would be sent literally."""
    (found,) = problems(steps(f"{{post: web:/, json: {{'${{target}}': 1}}, {EXPECT}}}"))
    assert found == "4:30: a key holds '${', but only values are filled in (write it out)"


def test_selectors_are_not_filled_in(problems: Problems) -> None:
    """A selector with a placeholder would be looked for literally."""
    (found,) = problems(steps("{page: web:/, expect: {visible: '#${unique}'}}"))
    assert (
        found == "4:41: 'visible' holds '${', but selectors are not filled in (use a selector that is always the same)"
    )
