from __future__ import annotations

from postdeploy.documents import why


def test_why() -> None:
    """What the system says of an error, else what the error says of itself, in lower case."""
    assert why(FileNotFoundError(2, "No such file or directory", "x")) == "no such file or directory"
    assert why(ValueError("Out of range")) == "out of range"
