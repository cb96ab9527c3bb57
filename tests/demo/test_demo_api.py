"""The JSON API answers as its contract says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

API = "/api/v1"


def begin(demo: Demo, **fields: Any) -> Any:
    """Create a conversation and return it."""
    response = demo.post(f"{API}/conversations", json={"theme": "kakao", **fields}, headers=demo.TOKEN)
    assert response.status_code == 201
    return response.json()["data"]


def error_code(response: Any) -> str:
    """Return the code of an error envelope."""
    body = response.json()
    assert body["success"] is False
    return str(body["error"]["code"])


def test_health_names_the_release(demo: Demo) -> None:
    """Healthz says ok, which database state and which release, and may not be cached."""
    response = demo.get("/healthz")
    assert response.json() == {"status": "ok", "db": "ok", "release": "4f9d2c1"}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/healthz", "/api/v1/readyz"])
def test_health_exists_at_both_services(demo: Demo, path: str) -> None:
    """The health routes answer at the origin and below the API."""
    assert demo.get(path).status_code == 200


def test_build_info_is_complete(demo: Demo) -> None:
    """Build-info names version, commit, environment and moment, and may not be cached."""
    response = demo.get("/build-info.json")
    assert set(response.json()) == {"version", "commit", "environment", "built_at"}
    assert response.json()["commit"] == "4f9d2c1"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/agents", "/api/v1/nothing", "/nothing"])
def test_every_answer_is_attested(demo: Demo, path: str) -> None:
    """Every answer carries the release, an id and the security headers, errors too."""
    headers = demo.get(path).headers
    assert headers["x-release"] == "4f9d2c1"
    assert len(headers["x-request-id"]) == 16
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" in headers


def test_request_id_is_echoed(demo: Demo) -> None:
    """An incoming request id comes back, unless it is not one."""
    assert demo.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert demo.get("/healthz", headers={"x-request-id": "a" * 200}).headers["x-request-id"] != "a" * 200


def test_agents_are_public(demo: Demo) -> None:
    """The list of agents and each of them need no token."""
    agents = demo.get(f"{API}/agents").json()["data"]
    assert [demo.get(f"{API}/agents/{agent['id']}").json()["data"] for agent in agents] == agents
    assert error_code(demo.get(f"{API}/agents/nobody")) == "AGENT_NOT_FOUND"


def test_logging_in_and_out(demo: Demo) -> None:
    """A token from logging in works until logging out."""
    credentials = {"email": "demo@talkstudio.com", "password": "demo-password"}
    session = demo.post(f"{API}/auth/login", json=credentials).json()["data"]
    headers = {"authorization": f"Bearer {session['token']}"}
    assert demo.get(f"{API}/conversations", headers=headers).status_code == 200
    assert demo.post(f"{API}/auth/logout", headers=headers).status_code == 200
    assert demo.get(f"{API}/conversations", headers=headers).status_code == 401


def test_wrong_password(demo: Demo) -> None:
    """A wrong password is a 401 with its own code."""
    response = demo.post(f"{API}/auth/login", json={"email": "demo@talkstudio.com", "password": "x"})
    assert (response.status_code, error_code(response)) == (401, "INVALID_CREDENTIALS")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "UNAUTHENTICATED"),
        ({"authorization": "Basic eA=="}, "UNAUTHENTICATED"),
        ({"authorization": "Bearer wrong"}, "INVALID_TOKEN"),
    ],
)
def test_protected_routes_ask_for_a_token(demo: Demo, headers: dict[str, str], code: str) -> None:
    """Without a valid token conversations are a 401 that says how to authenticate."""
    for path in ("/conversations", "/conversations/x", "/conversations/x/messages"):
        response = demo.get(API + path, headers=headers)
        assert (response.status_code, error_code(response)) == (401, code)
        assert response.headers["www-authenticate"] == "Bearer"


def test_a_conversation_survives_a_round_trip(demo: Demo) -> None:
    """What was created can be read, listed and deleted."""
    made = begin(demo, title="회의", participant="소라")
    path = f"{API}/conversations/{made['id']}"
    assert demo.get(path, headers=demo.TOKEN).json()["data"] == made
    assert demo.get(f"{API}/conversations", headers=demo.TOKEN).json()["data"] == [made]
    assert demo.client.delete(path, headers=demo.TOKEN).status_code == 200
    assert demo.get(path, headers=demo.TOKEN).status_code == 404


def test_messages_keep_their_order(demo: Demo) -> None:
    """The history lists messages oldest first and counts them."""
    path = f"{API}/conversations/{begin(demo)['id']}"
    for text in ("하나", "둘"):
        assert demo.post(f"{path}/messages", json={"text": text}, headers=demo.TOKEN).status_code == 201
    history = demo.get(f"{path}/messages", headers=demo.TOKEN).json()
    assert [message["text"] for message in history["data"]] == ["하나", "둘"]
    assert demo.get(path, headers=demo.TOKEN).json()["data"]["message_count"] == 2


def test_lists_come_in_pages(demo: Demo) -> None:
    """The limit and offset cut a list, and the page says what follows."""
    for _ in range(5):
        begin(demo)
    first = demo.get(f"{API}/conversations?limit=3", headers=demo.TOKEN).json()
    rest = demo.get(f"{API}/conversations?limit=3&offset=3", headers=demo.TOKEN).json()
    assert first["page"] == {"total": 5, "limit": 3, "offset": 0, "next": 3}
    assert rest["page"]["next"] is None
    assert len({one["id"] for one in first["data"] + rest["data"]}) == 5


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=²"])
def test_a_wrong_page_is_refused(demo: Demo, query: str) -> None:
    """A page that cannot be is a 422 that names the parameter."""
    response = demo.get(f"{API}/agents?{query}")
    assert response.status_code == 422
    assert list(response.json()["error"]["fields"]) == [query.partition("=")[0]]


def test_all_wrong_fields_are_named_at_once(demo: Demo) -> None:
    """A 422 lists every field that is not valid."""
    wrong = {"theme": "icq", "title": 5, "participant": "x" * 41, "id": "A b"}
    response = demo.post(f"{API}/conversations", json=wrong, headers=demo.TOKEN)
    assert response.status_code == 422
    assert set(response.json()["error"]["fields"]) == set(wrong)


def test_an_id_is_taken_once(demo: Demo) -> None:
    """Creating a conversation of a known id is a conflict."""
    begin(demo, id="my-chat")
    again = demo.post(f"{API}/conversations", json={"theme": "kakao", "id": "my-chat"}, headers=demo.TOKEN)
    assert (again.status_code, error_code(again)) == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        ("theme=kakao", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("{", "application/json", 400, "INVALID_JSON"),
        ("[]", "application/json", 422, "VALIDATION_FAILED"),
        (" " * 70_000, "application/json", 413, "BODY_TOO_LARGE"),
    ],
)
def test_bodies_that_are_refused(demo: Demo, content: str, content_type: str, status: int, code: str) -> None:
    """A body that is no JSON object is refused with the fitting status."""
    headers = {**demo.TOKEN, "content-type": content_type}
    response = demo.post(f"{API}/conversations", content=content, headers=headers)
    assert (response.status_code, error_code(response)) == (status, code)


def test_a_wrong_method_names_the_right_ones(demo: Demo) -> None:
    """405 comes in the envelope with Allow."""
    response = demo.client.put(f"{API}/conversations", json={})
    assert (response.status_code, error_code(response)) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_an_unknown_route_is_404_in_the_envelope(demo: Demo) -> None:
    """Below the API even an unknown path answers with the envelope."""
    assert error_code(demo.get(f"{API}/nothing")) == "NOT_FOUND"


def test_real_answers_fit_the_contract(demo: Demo) -> None:
    """Each documented operation answers with a body that its schema accepts."""
    contract = demo.get("/openapi.json").json()
    made = begin(demo, id="contract")
    demo.post(f"{API}/conversations/{made['id']}/messages", json={"text": "x"}, headers=demo.TOKEN)
    operations = [
        (method, path, operation)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
        if method != "parameters" and "logout" not in path
    ]
    operations.sort(key=lambda one: one[0] == "delete")
    examined = 0
    for method, path, operation in operations:
        address = API + path.replace("{id}", "minji" if "agents" in path else "contract")
        examined += fits(demo, contract, operation, method, address)
    assert examined == 12


def fits(demo: Demo, contract: Any, operation: Any, method: str, address: str) -> int:
    """Make a documented request, hold its answer against the schema, and count it where it worked."""
    body = operation.get("requestBody", {"content": {"application/json": {"example": None}}})
    example = body["content"]["application/json"]["example"]
    response = demo.client.request(method, address, json=example, headers=demo.TOKEN)
    answer = operation["responses"][str(response.status_code)]
    if "$ref" in answer:
        answer = contract["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = {**answer["content"]["application/json"]["schema"], "components": contract["components"]}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(response.json())
    return response.is_success


def test_errors_fit_the_contract(demo: Demo) -> None:
    """401, 404, 405 and 422 answer with the error schema."""
    schemas = demo.get("/openapi.json").json()["components"]
    validator = Draft202012Validator({**schemas["schemas"]["Error"], "components": schemas})
    for path in ("/conversations", "/nothing", "/auth/login", "/agents?limit=0"):
        validator.validate(demo.get(API + path).json())
