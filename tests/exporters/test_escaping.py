from __future__ import annotations

import pytest

from postdeploy.exporters.escaping import inert


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("suites/api.yaml::login", "suites/api.yaml::login"),
        ("::error::x", "\\x3a\\x3aerror::x"),
        (" \t::x", " \t\\x3a\\x3ax"),
        ("\u3000::x", "\u3000\\x3a\\x3ax"),
        ("a\n::b\n  ::c::d", "a\n\\x3a\\x3ab\n  \\x3a\\x3ac::d"),
        ("a\r\n::b", "a\n\\x3a\\x3ab"),
        ("a\x1b::b", "a\\x1b::b"),
        ("a ##[error]b", "a #\\x23[error]b"),
    ],
    ids=["within", "first", "after blanks", "after a wide blank", "on lines", "after a return", "unseen", "anywhere"],
)
def test_no_line_is_a_workflow_command(text: str, made: str) -> None:
    """What begins a line with two colons, or has the sign of a command anywhere, says so with an escape."""
    assert inert(text) == made
