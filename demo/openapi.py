"""The contract of the API, as `/openapi.json` shows it."""

from __future__ import annotations

from typing import Any

from demo.agents import AGENTS
from demo.paging import HIGHEST_LIMIT, LIMIT
from demo.sessions import EMAIL, PASSWORD
from demo.store import AUTHORS, THEMES

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TOKEN: list[dict[str, list[str]]] = [{"bearer": []}]
PAGING: list[Schema] = [{"$ref": f"#/components/parameters/{name}"} for name in ("limit", "offset")]
OWN_ID: list[Schema] = [{"$ref": "#/components/parameters/id"}]


def document(version: str) -> Schema:
    """Return the OpenAPI 3.1 description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "TalkStudio API", "version": version},
        "servers": [{"url": "/api/v1"}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": _responses(),
            "parameters": _parameters(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _ref(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _enveloped(data: Schema) -> Schema:
    return _object("success data", success={"const": True}, data=data)


def _listed(name: str) -> Schema:
    items = {"type": "array", "items": _ref("schemas", name)}
    schema = _object("success data page", success={"const": True}, data=items, page=_ref("schemas", "Page"))
    return _answer(f"A piece of the list of {name.lower()}s", schema)


def _single(name: str) -> Schema:
    return _answer(f"One {name.lower()}", _enveloped(_ref("schemas", name)))


def _body(name: str, example: Schema) -> Schema:
    content = {"application/json": {"schema": _ref("schemas", name), "example": example}}
    return {"required": True, "content": content}


def _operation(summary: str, answers: dict[str, Schema], errors: str = "", **more: Any) -> Schema:
    problems = {status: _ref("responses", "Error") for status in errors.split()}
    return {"summary": summary, "responses": {**answers, **problems}, **more}


def _paths() -> Schema:
    return {**_health_paths(), **_session_paths(), **_agent_paths(), **_conversation_paths()}


def _health_paths() -> Schema:
    fields = _object("name version documentation", name=TEXT, version=TEXT, documentation=TEXT)
    health, ready = _ref("responses", "Health"), _ref("responses", "Ready")
    return {
        "/": {"get": _operation("What this API is", {"200": _answer("About", _enveloped(fields))})},
        "/healthz": {"get": _operation("Is the service healthy?", {"200": health}, "503")},
        "/readyz": {"get": _operation("May traffic come?", {"200": ready}, "503")},
    }


def _session_paths() -> Schema:
    body = _body("Credentials", {"email": EMAIL, "password": PASSWORD})
    done = _answer("Done", _enveloped(_object("logged_out", logged_out={"const": True})))
    login = _operation("Get a token", {"200": _single("Session")}, "400 401 413 415 422", requestBody=body)
    logout = _operation("End a token", {"200": done}, "401", security=TOKEN)
    return {"/auth/login": {"post": login}, "/auth/logout": {"post": logout}}


def _agent_paths() -> Schema:
    everybody = _operation("People to chat with", {"200": _listed("Agent")}, "422", parameters=PAGING)
    somebody = _operation("One of them", {"200": _single("Agent")}, "404", parameters=OWN_ID)
    return {"/agents": {"get": everybody}, "/agents/{id}": {"get": somebody}}


def _conversation_paths() -> Schema:
    gone = _answer("Gone", _enveloped(_object("id deleted", id=TEXT, deleted={"const": True})))
    one, many, history = _single("Conversation"), _listed("Conversation"), _listed("Message")
    new, line = _body("NewConversation", {"theme": "kakao"}), _body("NewMessage", {"text": "안녕하세요"})
    said, wrong = {"201": _single("Message")}, "400 401 409 413 415 422"
    return {
        "/conversations": {
            "get": _operation("Newest first", {"200": many}, "401 422", parameters=PAGING, security=TOKEN),
            "post": _operation("Begin one", {"201": one}, wrong, requestBody=new, security=TOKEN),
        },
        "/conversations/{id}": {
            "parameters": OWN_ID,
            "get": _operation("One conversation", {"200": one}, "401 404", security=TOKEN),
            "delete": _operation("Forget it", {"200": gone}, "401 404", security=TOKEN),
        },
        "/conversations/{id}/messages": {
            "parameters": OWN_ID,
            "get": _operation(
                "Oldest first",
                {"200": history},
                "401 404 422",
                parameters=PAGING,
                security=TOKEN,
            ),
            "post": _operation("Say something", said, f"{wrong} 404", requestBody=line, security=TOKEN),
        },
    }


def _schemas() -> Schema:
    theme: Schema = {"enum": list(THEMES)}
    author: Schema = {"enum": list(AUTHORS)}
    error = _object(
        "code message",
        code={"type": "string", "pattern": "^[A-Z][A-Z_]+$"},
        message=TEXT,
        fields={"type": "object", "additionalProperties": TEXT},
    )
    return {
        "Error": _object("success error", success={"const": False}, error=error),
        "Page": _object(
            "total limit offset next",
            total=COUNT,
            limit=COUNT,
            offset=COUNT,
            next={"type": ["integer", "null"]},
        ),
        "Health": _object("status db release", status={"enum": ["ok", "degraded"]}, db=TEXT, release=TEXT),
        "Ready": _object("ready", ready={"type": "boolean"}),
        "Credentials": _object("email password", email=TEXT, password=TEXT),
        "Session": _object(
            "token token_type expires_in user",
            token=TEXT,
            token_type={"const": "Bearer"},
            expires_in=COUNT,
            user=_object("email name", email=TEXT, name=TEXT),
        ),
        "Agent": _object(
            "id name role theme color",
            id={"enum": [agent["id"] for agent in AGENTS]},
            name=TEXT,
            role=TEXT,
            theme=theme,
            color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        ),
        "NewConversation": _object(
            "theme",
            theme=theme,
            title={"type": "string", "maxLength": 100},
            participant={"type": "string", "maxLength": 40},
            id={"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{2,39}$"},
        ),
        "Conversation": _object(
            "id theme title participant created_at message_count",
            id=TEXT,
            theme=theme,
            title=TEXT,
            participant=TEXT,
            created_at=MOMENT,
            message_count=COUNT,
        ),
        "NewMessage": _object("text", author=author, text={"type": "string", "minLength": 1, "maxLength": 2000}),
        "Message": _object("id author text at", id=TEXT, author=author, text=TEXT, at=MOMENT),
    }


def _responses() -> Schema:
    return {
        "Error": _answer("What went wrong", _ref("schemas", "Error")),
        "Health": _answer("How the service is", _ref("schemas", "Health")),
        "Ready": _answer("Whether traffic may come", _ref("schemas", "Ready")),
    }


def _parameters() -> Schema:
    limit = {"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT, "default": LIMIT}
    offset = {"type": "integer", "minimum": 0, "default": 0}
    return {
        "id": {"name": "id", "in": "path", "required": True, "schema": TEXT},
        "limit": {"name": "limit", "in": "query", "schema": limit},
        "offset": {"name": "offset", "in": "query", "schema": offset},
    }
