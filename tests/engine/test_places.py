from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.engine.places import below, evidence_folder


def test_each_attempt_has_a_folder() -> None:
    """Two attempts at a check do not share a folder."""
    assert evidence_folder(Path("r"), "a::b", 1) != evidence_folder(Path("r"), "a::b", 2)


def test_ids_that_look_alike_are_kept_apart() -> None:
    """Letters that become the same dash do not make one folder of two checks."""
    assert evidence_folder(Path("r"), "a/b", 1) != evidence_folder(Path("r"), "a:b", 1)


@pytest.mark.parametrize("check_id", ["../../etc/passwd", "/etc", "..", "a" * 5000, "\ud800", "한글::/"])
def test_no_id_leads_out_of_the_reports(check_id: str, tmp_path: Path) -> None:
    """Whatever an id is, its folder can be made below the reports."""
    folder = evidence_folder(tmp_path, check_id, 1)
    folder.mkdir(parents=True)
    assert folder.resolve().is_relative_to(tmp_path / "evidence")


def test_paths_are_named_from_the_reports() -> None:
    """What is below the reports is named without them."""
    assert below(Path("/r"), "/r/evidence/x.png") == "evidence/x.png"
