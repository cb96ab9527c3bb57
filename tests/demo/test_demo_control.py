"""What tests can do to the running demo, and what its log proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

API = "/api/v1"


def test_the_state_tells_everything(demo: Demo) -> None:
    """GET /_demo shows releases, faults, the switch and the counts."""
    demo.suffer("flaky=2")
    demo.get("/healthz")
    state = demo.get("/_demo").json()
    assert state["slots"]["live"]["commit"] == "4f9d2c1"
    assert state["faults"] == ["flaky=2"]
    assert state["switch"] == {"to": "live", "percent": 0}
    assert state["requests"] == {"total": 1, "mutating": 0}


def test_faults_come_and_go(demo: Demo) -> None:
    """A fault is removed by its name, whatever its value was."""
    demo.suffer("slow-api=1", "api-500")
    assert demo.control("/faults", remove=["slow-api"]) == {"faults": ["api-500"]}
    assert demo.control("/faults", clear=True) == {"faults": []}
    assert demo.get(f"{API}/agents").status_code == 200


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("api-50", "did you mean api-500?"),
        ("api-500=3", "takes no value"),
        ("slow-api=x", "whole number"),
        ("flaky=1.5", "from 0 to 1"),
        ("api-500@green", "no slot 'green'"),
        ("self-signed", "--tls"),
    ],
)
def test_a_wrong_fault_changes_nothing(demo: Demo, fault: str, message: str) -> None:
    """A fault that is not understood is a 400 that explains, and no other is switched on."""
    response = demo.post("/_demo/faults", json={"add": ["db-down", fault]})
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert demo.get("/_demo").json()["faults"] == []


@pytest.mark.parametrize("body", ["{", "[]", '{"add": "api-500"}', '{"add": [1]}'])
def test_a_wrong_wish_is_refused(demo: Demo, body: str) -> None:
    """Nonsense sent to the controls is a 400."""
    assert demo.post("/_demo/faults", content=body).status_code == 400


def test_a_new_release(demo: Demo) -> None:
    """Releasing changes the identity everywhere at once."""
    demo.control("/release", commit="a81be03", version="2.4.0")
    assert demo.get("/build-info.json").json()["version"] == "2.4.0"
    assert demo.get("/").headers["x-release"] == "a81be03"
    assert "a81be03" in demo.get("/").text


def test_a_release_that_is_no_header_is_refused(demo: Demo) -> None:
    """A commit with a line break is a 400 and changes nothing."""
    assert demo.post("/_demo/release", json={"commit": "a\nb"}).status_code == 400
    assert demo.get("/healthz").headers["x-release"] == "4f9d2c1"


def test_the_log_is_evidence(demo: Demo) -> None:
    """The log keeps method, path, status and the telling headers, and no secrets."""
    headers = {"user-agent": "probe/1", "x-synthetic-test": "1", "traceparent": "00-a-b-01", **demo.TOKEN}
    demo.get("/healthz?x=1", headers=headers)
    demo.post(f"{API}/conversations", json={}, headers=demo.TOKEN)
    log = demo.log()
    first, second = log["requests"]
    assert (log["total"], log["mutating"]) == (2, 1)
    assert (first["method"], first["path"], first["query"], first["status"]) == ("GET", "/healthz", "x=1", 200)
    assert first["headers"]["x-synthetic-test"] == "1"
    assert first["headers"]["user-agent"] == "probe/1"
    assert first["headers"]["traceparent"] == "00-a-b-01"
    assert first["authorized"] is True
    assert (second["method"], second["status"]) == ("POST", 422)
    assert "demo-api-token" not in demo.get("/_demo/log").text


def test_the_log_never_shows_the_controls(demo: Demo) -> None:
    """Requests to the controls are not in the log."""
    demo.log()
    assert demo.log() == {"total": 0, "mutating": 0, "requests": []}


def test_the_log_can_be_cut_and_cleared(demo: Demo) -> None:
    """The last entries are enough if asked for, and none are left after clearing."""
    for _ in range(3):
        demo.get("/healthz")
    assert [one["n"] for one in demo.get("/_demo/log?last=2").json()["requests"]] == [2, 3]
    assert demo.client.delete("/_demo/log").status_code == 200
    assert demo.log()["total"] == 0


def test_reset_makes_everything_new(demo: Demo) -> None:
    """Reset forgets faults, data and log."""
    demo.post(f"{API}/conversations", json={"theme": "kakao"}, headers=demo.TOKEN)
    demo.suffer("slow-api=1")
    assert demo.control("/reset")["faults"] == []
    assert demo.log()["total"] == 0
    assert demo.get(f"{API}/conversations", headers=demo.TOKEN).json()["data"] == []


def test_an_unknown_control_lists_the_known_ones(demo: Demo) -> None:
    """A wrong control is a 404 that names the right ones."""
    response = demo.get("/_demo/faults")
    assert response.status_code == 404
    assert "POST /_demo/faults" in response.json()["controls"]


def test_blue_and_green(start: Callable[..., Demo]) -> None:
    """Blue answers first, green after the switch, each by request before it; faults may hit one only."""
    demo = start("--blue-green", "b1ue", "9reen", "--fault", "api-500@green")
    assert commits(demo, 3) == ["b1ue"] * 3
    assert demo.get(f"{API}/agents").status_code == 200
    ahead = demo.get(f"{API}/agents", headers={"x-slot": "green"})
    assert (ahead.status_code, ahead.headers["x-release"]) == (500, "9reen")
    demo.control("/switch", to="green")
    assert commits(demo, 3) == ["9reen"] * 3
    demo.control("/switch", to="blue")
    assert commits(demo, 1) == ["b1ue"]
    assert demo.post("/_demo/switch", json={"to": "red"}).status_code == 400


def test_a_canary_gets_its_share(start: Callable[..., Demo]) -> None:
    """A mixed switch gives green its share, evenly, and serves both releases' files."""
    demo = start("--blue-green", "b1ue", "9reen")
    files = []
    for slot in ("blue", "green"):
        page = demo.get("/", headers={"x-slot": slot}).text
        files += ["/assets/" + part.partition('"')[0] for part in page.split('"/assets/')[1:]]
    demo.control("/switch", to="mixed", percent=25)
    assert commits(demo, 8) == ["b1ue", "b1ue", "b1ue", "9reen"] * 2
    assert {demo.get(path).status_code for path in files} == {200}
    assert {one["slot"] for one in demo.log()["requests"]} == {"blue", "green"}


def test_conversations_survive_the_switch(start: Callable[..., Demo]) -> None:
    """Blue and green share their data."""
    demo = start("--blue-green", "b1ue", "9reen")
    made = demo.post(f"{API}/conversations", json={"theme": "kakao"}, headers=demo.TOKEN).json()["data"]
    demo.control("/switch", to="green")
    assert demo.get(f"{API}/conversations/{made['id']}", headers=demo.TOKEN).status_code == 200


def commits(demo: Demo, count: int) -> list[str]:
    """Return the commits that answer, one after the other."""
    return [demo.get("/build-info.json").json()["commit"] for _ in range(count)]
