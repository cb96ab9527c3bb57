from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from postdeploy.history.database import open_database
from postdeploy.history.place import Place
from tests.sealed import PASSED, seal

TOKEN = "0123456789abcdef-token"


@contextmanager
def serve(folder: Path, *words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and its address."""
    command = [sys.executable, "-m", "postdeploy", "serve", "--target=staging", "--port=0", *words]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def fetch(url: str, token: str = "") -> tuple[int, str]:
    """Status and text of an answer."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urlopen(request, timeout=5) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_from_question_to_end(tmp_path: Path) -> None:
    """A verdict that comes while the server runs is answered, and SIGTERM ends it with 0."""
    with serve(tmp_path, "--release=r2", f"--token={tmp_path / 'token'}") as (process, _):
        assert process.wait(10) == 4
        assert process.stderr is not None
        assert "No such file" in process.stderr.read()
    (tmp_path / "token").write_text(TOKEN + "\n")
    open_database(Place(file=tmp_path / "history.sqlite3"), create=True).close()
    (tmp_path / "targets.yaml").write_text(
        "targets: {staging: {services: {web: 'http://a.test'}}}\nhistory: history.sqlite3\n"
    )
    with serve(tmp_path, "--release=r2", f"--token={tmp_path / 'token'}") as (process, said):
        assert said.startswith("serve: http://127.0.0.1:")
        assert said.endswith(" answers about target 'staging' and release 'r2'\n")
        url = said.split()[1]
        assert fetch(f"{url}/verdict")[0] == 401
        assert fetch(f"{url}/livez") == fetch(f"{url}/readyz") == (200, "ok\n")
        status, text = fetch(f"{url}/verdict", TOKEN)
        assert (status, json.loads(text)["action"]) == (412, "hold")
        about = dict(PASSED.run) | {"started": time.time()}
        seal(tmp_path / "reports", replace(PASSED, run=about, finished_at=time.time()))
        status, text = fetch(f"{url}/verdict", TOKEN)
        assert (status, json.loads(text)["action"]) == (200, "promote")
        assert "No run is remembered yet." in fetch(f"{url}/", TOKEN)[1]
        before = sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
        assert fetch(f"{url}/metrics", TOKEN)[0] == 200
        assert sorted((path.name, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_open_to_all(tmp_path: Path) -> None:
    """Whoever listens beyond loopback without a token is told what that means."""
    with serve(tmp_path, "--host=0.0.0.0") as (process, said):
        assert said.startswith("serve: http://0.0.0.0:")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert (
            process.stderr.read() == "serve: anybody who reaches this address is answered; --token asks for a token\n"
        )


@pytest.mark.parametrize("token", ["", "short", "a token that has blanks"])
def test_a_token_that_is_none(tmp_path: Path, token: str) -> None:
    """A token that is missing or easily guessed does not count as no token: nothing is served."""
    with serve(tmp_path, "--token=env:TOKEN", TOKEN=token) as (process, said):
        assert (process.wait(10), said) == (4, "")


def test_a_key_that_is_none(tmp_path: Path) -> None:
    """A public key that cannot be read does not count as no key."""
    with serve(tmp_path, "--public-key=missing.pub") as (process, said):
        assert (process.wait(10), said) == (4, "")
