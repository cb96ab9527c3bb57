from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from postdeploy.config import schema

SHIPPED = files("postdeploy") / "schemas"
DESIGN_TARGETS = """\
targets:
  development:
    services: {web: http://127.0.0.1:5173, api: http://127.0.0.1:5173/api/v1}
    server: {command: [python, -m, demo, --port, "5173"], ready: "web:/healthz"}
    access: read-write
  staging:
    services: {web: https://staging.talkstudio.com, api: {url: https://staging.talkstudio.com/api, health: /up}}
    release: {from: "web:/build-info.json", json: "$.commit", within: 3m, consecutive: 5}
    secrets: {api_token: "${STAGING_API_TOKEN}"}
    access: read-write
  production:
    extends: staging
    services: {web: https://talkstudio.com, api: https://talkstudio.com/api/v1}
    secrets: {api_token: "${PRODUCTION_API_TOKEN}"}
    access: read-only
    allow: ["POST api:/auth/login"]
    budget: {requests: 500, per_second: 10}
    policy: {deadline: 5m, on_inconclusive: hold, actions: {critical: rollback, major: hold, minor: warn}}
"""
SUITE = """\
name: api
defaults: {severity: major, owner: api, tags: [smoke], timeout: 5}
checks:
  - name: API is healthy
    get: api:/healthz
    expect: {status: 200, json: {$.status: ok, $.db: {in: [ok, degraded]}}, within: 500ms, http_version: 2}
  - name: a conversation survives a round trip
    severity: major
    when: {not: production}
    steps:
      - post: api:/conversations
        auth: bearer ${secrets.api_token}
        json: {theme: kakao}
        expect: {status: 201, header: {location: {exists: true}, x-count: 5}}
        save: {id: $.data.id, token: {json: $.t, secret: true}, place: {header: location}}
      - get: api:/conversations/${id}
        expect: {json: {$.data.theme: kakao, $.items: {each: {any: [1, {type: string}]}}}}
    finally:
      - delete: api:/conversations/${id}
  - name: certificate
    tls: web
    repeat: {times: 3, pass: 2}
    expect: {days_left: {ge: 21}, trusted: true, names: {contains: {ends_with: .com}}}
  - {name: dns, dns: web, expect: {addresses: {length: {ge: 1}}}}
  - {name: tcp, tcp: "web:443", expect: {connected: true, banner: {not: {contains: x}}}}
  - {name: ws, websocket: web:/ws, send: [{a: 1}, hi], receive: 2, expect: {json: {$.a: 1}, messages: {length: 2}}}
  - name: the editor loads
    page: web:/
    expect: {title: {contains: Talk}, visible: ["role=button"], hidden: x, console: clean, text: {h1: {matches: a}}}
  - {name: noisy, page: web:/, expect: {text: {contains: a}, console: any, requests: {allow: [favicon]}}}
"""


def validator(name: str) -> Draft7Validator:
    """A validator for a schema that is shipped."""
    return Draft7Validator(json.loads((SHIPPED / name).read_text()))


def wrong(name: str, text: str) -> list[str]:
    """What the schema says about a document."""
    return [error.message for error in validator(name).iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize("name", list(schema.SCHEMAS))
def test_what_is_shipped_is_what_is_generated(name: str) -> None:
    """Whoever changes a key runs python -m postdeploy.config.schema."""
    assert (SHIPPED / name).read_text() == schema.render(schema.SCHEMAS[name]())


@pytest.mark.parametrize("name", list(schema.SCHEMAS))
def test_the_schemas_are_schemas(name: str) -> None:
    """They hold against the meta-schema of draft 7, which editors understand."""
    Draft7Validator.check_schema(json.loads((SHIPPED / name).read_text()))


def test_writing_makes_the_files(tmp_path: Path) -> None:
    """The command writes each schema, and the folder if need be."""
    schema.write(tmp_path / "new")
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(schema.SCHEMAS)


def test_the_schemas_accept_what_is_right() -> None:
    """The examples of the design, and every kind of check."""
    assert wrong("targets.schema.json", DESIGN_TARGETS) == []
    assert wrong("suite.schema.json", SUITE) == []


@pytest.mark.parametrize(
    "text",
    [
        "target: {}",
        "targets: {}",
        "targets: {a: {services: {}}}",
        "targets: {a: {services: {Web: http://x}}}",
        "targets: {a: {services: {web: x.test}}}",
        "targets: {a: {acess: read-only}}",
        "targets: {a: {access: readonly}}",
        "targets: {a: {policy: {on_inconclusive: rollback}}}",
        "targets: {a: {policy: {deadline: soon}}}",
        "targets: {a: {release: {json: $.a}}}",
        "targets: {a: {budget: {requests: 0}}}",
    ],
)
def test_the_schema_of_targets_refuses_what_is_wrong(text: str) -> None:
    """Editors underline it before anything runs."""
    assert wrong("targets.schema.json", text)


@pytest.mark.parametrize(
    "check",
    [
        "{name: a, tls: web, expct: {}}",
        "{tls: web, expect: {trusted: true}}",
        "{name: a, expect: {status: 200}}",
        "{name: a, get: web:/, post: web:/, expect: {status: 200}}",
        "{name: a, tls: web, json: 1, expect: {trusted: true}}",
        "{name: a, tls: web, expect: {status: 200}}",
        "{name: a, tls: web:/x, expect: {trusted: true}}",
        "{name: a, get: web:/, expect: {}}",
        "{name: a, get: web:/, expect: {status: {contains: 2}}}",
        "{name: a, get: web:/, expect: {json: {a: 1}}}",
        "{name: a, get: web:/, expect: {json: {$.a: {contians: 1}}}}",
        "{name: a, get: web:/, steps: [{tls: web}]}",
        "{name: a, steps: [{tls: web, expect: {status: 200}}]}",
        "{name: a, steps: [{tls: web}], headers: {a: b}}",
        "{name: a, get: web:/, save: {a: {json: b}}, expect: {status: 200}}",
        "{name: a, get: web:/, severity: high, expect: {status: 200}}",
    ],
)
def test_the_schema_of_suites_refuses_what_is_wrong(check: str) -> None:
    """Unknown keys, keys of another probe, matchers that do not fit."""
    assert wrong("suite.schema.json", f"checks: [{check}]")


def described(node: Any, path: str = "") -> list[str]:
    """The keys that have no description."""
    if not isinstance(node, dict):
        return []
    missing = [
        f"{path}/{key}" for key, value in node.get("properties", {}).items() if not value.get("description", "").strip()
    ]
    deeper = [found for key, value in node.items() if key != "allOf" for found in described(value, f"{path}/{key}")]
    return missing + deeper


@pytest.mark.parametrize("name", list(schema.SCHEMAS))
def test_editors_have_something_to_show_for_every_key(name: str) -> None:
    """Each key says what it means."""
    assert described(json.loads((SHIPPED / name).read_text())) == []
