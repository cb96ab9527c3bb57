from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from postdeploy.watching.readiness import Readiness


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, abstract: bool) -> None:
    """What is said arrives at the socket that systemd names, by its file or without one."""
    name = f"@postdeploy-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0", 1) if abstract else name)
        Readiness({"NOTIFY_SOCKET": name}).tell("READY=1", "STATUS=watching")
        assert systemd.recv(100) == b"READY=1\nSTATUS=watching"


def test_nobody_listens(tmp_path: Path) -> None:
    """Where there is no systemd, or it is gone, nothing happens."""
    Readiness({}).tell("READY=1")
    Readiness({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")


def test_runs_do_not_speak_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is gone for whatever is started later."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    Readiness()
    assert "NOTIFY_SOCKET" not in os.environ
