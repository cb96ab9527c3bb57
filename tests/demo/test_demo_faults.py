"""Each fault does what its sentence says, and no more."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

API = "/api/v1"


def code(response: Any) -> tuple[int, str]:
    """Return status and error code of an answer."""
    return response.status_code, response.json()["error"]["code"]


def test_api_500(demo: Demo) -> None:
    """The API fails except for logging in and health; the page stays."""
    demo.suffer("api-500")
    assert code(demo.get(f"{API}/agents")) == (500, "INTERNAL")
    assert code(demo.post(f"{API}/auth/login", json={})) == (422, "VALIDATION_FAILED")
    assert demo.get(f"{API}/healthz").status_code == 200
    assert demo.get("/").status_code == 200


def test_slow_api(demo: Demo) -> None:
    """API answers take the given time longer."""
    demo.suffer("slow-api=150")
    started = time.monotonic()
    assert demo.get(f"{API}/agents").status_code == 200
    assert time.monotonic() - started >= 0.15


def test_db_down(demo: Demo) -> None:
    """Health is degraded, readiness 503, and the API 503 down to its root."""
    demo.suffer("db-down")
    assert demo.get("/healthz").json() == {"status": "degraded", "db": "down", "release": "4f9d2c1"}
    assert demo.get("/readyz").status_code == 503
    for path in ("", "/", "/healthz", "/readyz", "/agents", "/auth/login"):
        assert code(demo.get(API + path)) == (503, "DB_UNAVAILABLE")


def test_flaky_fails_once_for_the_agents(demo: Demo) -> None:
    """The first request for the agents fails, the following ones and all others work."""
    demo.suffer("flaky")
    assert [demo.get(f"{API}/agents").status_code for _ in range(3)] == [503, 200, 200]
    assert demo.get(f"{API}/healthz").status_code == 200


def test_shaky_fails_once_for_each_path(demo: Demo) -> None:
    """The first request to a path fails, the following ones work."""
    demo.suffer("shaky")
    for path in (f"{API}/agents", f"{API}/healthz"):
        assert [demo.get(path).status_code for _ in range(3)] == [503, 200, 200]


def test_flaky_at_a_rate_is_repeatable(demo: Demo) -> None:
    """A rate fails some requests, the same ones each time."""
    patterns = []
    for _ in range(2):
        demo.suffer("flaky=0.5")
        patterns.append([demo.get(f"{API}/agents").status_code for _ in range(12)])
    assert patterns[0] == patterns[1]
    assert set(patterns[0]) == {200, 503}


def test_rate_limited(demo: Demo) -> None:
    """The API says when to come again."""
    demo.suffer("rate-limited=7")
    response = demo.get(f"{API}/agents")
    assert code(response) == (429, "RATE_LIMITED")
    assert response.headers["retry-after"] == "7"


def test_login_broken(demo: Demo) -> None:
    """Right credentials are refused."""
    demo.suffer("login-broken")
    right = {"email": "demo@talkstudio.com", "password": "demo-password"}
    assert code(demo.post(f"{API}/auth/login", json=right)) == (401, "INVALID_CREDENTIALS")


def test_auth_open(demo: Demo) -> None:
    """Conversations are listed without a token."""
    demo.suffer("auth-open")
    assert demo.get(f"{API}/conversations").status_code == 200


def test_writes_lost(demo: Demo) -> None:
    """What was created is not found."""
    demo.suffer("writes-lost")
    made = demo.post(f"{API}/conversations", json={"theme": "kakao"}, headers=demo.TOKEN)
    assert made.status_code == 201
    lost = demo.get(f"{API}/conversations/{made.json()['data']['id']}", headers=demo.TOKEN)
    assert code(lost) == (404, "CONVERSATION_NOT_FOUND")


def test_leaky_error(demo: Demo) -> None:
    """The error repeats the caller's token."""
    demo.suffer("leaky-error")
    response = demo.get(f"{API}/agents", headers=demo.TOKEN)
    assert response.status_code == 500
    assert "demo-api-token-0001" in response.text
    assert "demo-api-token-0001" in response.headers["x-debug-authorization"]


def test_html_instead_of_json(demo: Demo) -> None:
    """A page arrives where JSON was due."""
    demo.suffer("html-instead-of-json")
    response = demo.get(f"{API}/agents")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_invalid_json(demo: Demo) -> None:
    """The body cannot be parsed although the headers promise it."""
    demo.suffer("invalid-json")
    with pytest.raises(json.JSONDecodeError):
        demo.get(f"{API}/agents").json()


def test_nan_json(demo: Demo) -> None:
    """A number is NaN."""
    demo.suffer("nan-json")
    assert b'"total": NaN' in demo.get(f"{API}/agents").content


def test_schema_drift(demo: Demo) -> None:
    """The agents' name is called otherwise."""
    demo.suffer("schema-drift")
    agent = demo.get(f"{API}/agents/minji").json()["data"]
    assert "name" not in agent
    assert agent["title"] == "민지"


def test_empty_agents(demo: Demo) -> None:
    """Nobody is there, with status 200."""
    demo.suffer("empty-agents")
    assert demo.get(f"{API}/agents").json()["data"] == []


def test_truncated_body(demo: Demo) -> None:
    """The connection ends in the middle of the body."""
    demo.suffer("truncated-body")
    with pytest.raises(httpx2.RemoteProtocolError):
        demo.get(f"{API}/agents")


def test_huge_body(demo: Demo) -> None:
    """The body is as many megabytes as asked."""
    demo.suffer("huge-body=2")
    assert len(demo.get(f"{API}/agents").content) > 2 * 1024 * 1024


def test_gzip_bomb(demo: Demo) -> None:
    """A small body unpacks to a large one."""
    demo.suffer("gzip-bomb=10")
    with demo.client.stream("GET", f"{API}/agents") as response:
        packed = b"".join(response.iter_raw())
    assert len(packed) < 20_000
    assert len(gzip.decompress(packed)) == 10 * 1024 * 1024


def test_wrong_release(demo: Demo) -> None:
    """Every place that names the release names another one."""
    demo.suffer("wrong-release=deadbee")
    assert demo.get("/build-info.json").json()["commit"] == "deadbee"
    assert demo.get("/healthz").json()["release"] == "deadbee"
    assert demo.get("/").headers["x-release"] == "deadbee"


def test_mixed_release(demo: Demo) -> None:
    """Every second answer is the old release's, whatever else is asked meanwhile."""
    demo.suffer("mixed-release")
    seen = []
    for _ in range(4):
        demo.get("/healthz")
        response = demo.get("/build-info.json")
        assert response.headers["x-release"] == response.json()["commit"]
        seen.append(response.json()["commit"])
    assert seen == ["4f9d2c1", "0ldc0de", "4f9d2c1", "0ldc0de"]
    assert {demo.get("/healthz").headers["x-release"] for _ in range(2)} == {"4f9d2c1", "0ldc0de"}


def test_no_release_header(demo: Demo) -> None:
    """Answers do not name their release."""
    demo.suffer("no-release-header")
    assert "x-release" not in demo.get("/healthz").headers


def test_no_build_info(demo: Demo) -> None:
    """build-info does not exist."""
    demo.suffer("no-build-info")
    assert demo.get("/build-info.json").status_code == 404


def test_hang(demo: Demo) -> None:
    """The API never answers, the rest does."""
    demo.suffer("hang")
    with pytest.raises(httpx2.ReadTimeout):
        demo.get(f"{API}/agents", timeout=0.2)
    assert demo.get("/healthz").status_code == 200


def test_reset(demo: Demo) -> None:
    """The connection is cut instead of an answer."""
    demo.suffer("reset")
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        demo.get(f"{API}/agents")


def test_bad_gateway(demo: Demo) -> None:
    """Everything is a proxy's error page."""
    demo.suffer("bad-gateway")
    assert {demo.get(path).status_code for path in ("/", "/healthz", f"{API}/agents")} == {502}


def test_redirect_loop(demo: Demo) -> None:
    """The page redirects to itself."""
    demo.suffer("redirect-loop")
    with pytest.raises(httpx2.TooManyRedirects):
        demo.get("/", follow_redirects=True)


def test_missing_asset(demo: Demo) -> None:
    """Exactly one file of the page is missing."""
    demo.suffer("missing-asset")
    assert statuses(demo) == {"brand": 404}


def test_wrong_content_type_asset(demo: Demo) -> None:
    """The script is served as HTML."""
    demo.suffer("wrong-content-type-asset")
    main = next(path for path in references(demo) if "/main-" in path)
    assert demo.get(main).headers["content-type"] == "text/html; charset=utf-8"


def test_old_assets(demo: Demo) -> None:
    """The page refers to files that are gone."""
    demo.suffer("old-assets")
    assert {demo.get(path).status_code for path in references(demo)} == {404}


def test_cached_page_and_health(demo: Demo) -> None:
    """What must not be cached may be."""
    demo.suffer("cached-page", "cached-health")
    for path in ("/", "/healthz", "/build-info.json"):
        assert "max-age" in demo.get(path).headers["cache-control"]


def test_no_security_headers(demo: Demo) -> None:
    """The security headers are gone."""
    demo.suffer("no-security-headers")
    headers = demo.get("/").headers
    assert not {"content-security-policy", "x-content-type-options", "referrer-policy"} & set(headers)


def test_several_faults_at_once(demo: Demo) -> None:
    """Faults add up."""
    demo.suffer("wrong-release", "api-500")
    response = demo.get(f"{API}/agents")
    assert (response.status_code, response.headers["x-release"]) == (500, "0ldc0de")


def references(demo: Demo) -> list[str]:
    """Return the page's files."""
    return [part.partition('"')[0] for part in demo.get("/").text.split('="')[1:] if part.startswith("/assets/")]


def statuses(demo: Demo) -> dict[str, int]:
    """Return the files that do not answer 200."""
    answers = {path: demo.get(path).status_code for path in references(demo)}
    return {path[8:].rpartition("-")[0]: status for path, status in answers.items() if status != 200}
