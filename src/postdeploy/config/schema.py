"""The JSON Schemas that editors use for targets.yaml and suites, made from the same tables that read the files.

``python -m postdeploy.config.schema`` writes them into the package.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from postdeploy.config.alert_shape import ALERTS
from postdeploy.config.check_shape import CHECK
from postdeploy.config.expectations import EXPECT
from postdeploy.config.history import HISTORY
from postdeploy.config.matcher_schema import matcher_definitions
from postdeploy.config.probes import STEP_FIELDS, VERBS
from postdeploy.config.receiver_shape import NOTIFY
from postdeploy.config.shape import Field
from postdeploy.config.steps import ALL_STEP_FIELDS
from postdeploy.config.suites import SUITE
from postdeploy.config.target_shape import TARGET

__all__ = ["SCHEMAS", "render", "suite_schema", "targets_schema", "write"]

_DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_FOLDER: Final = Path(__file__).parent.parent / "schemas"


def targets_schema() -> dict[str, Any]:
    """The schema of targets.yaml."""
    return {
        "$schema": _DRAFT,
        "title": "postdeploy targets",
        "description": "The environments that releases are verified on.",
        "type": "object",
        "additionalProperties": False,
        "required": ["targets"],
        "properties": {
            "targets": {
                "description": "The targets by name, as in --target=NAME.",
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
                "additionalProperties": _target(),
            },
            "history": {**HISTORY.type.schema, "description": HISTORY.about},
        },
    }


def _target() -> dict[str, Any]:
    schema = TARGET.schema
    schema["properties"]["notify"] |= NOTIFY.schema
    schema["properties"]["alerts"] |= ALERTS.schema
    return schema


def suite_schema() -> dict[str, Any]:
    """The schema of a declared suite."""
    checks = {"type": "array", "items": {"$ref": "#/definitions/step"}, "minItems": 1}
    return {
        "$schema": _DRAFT,
        "title": "postdeploy suite",
        "description": "Declared checks.",
        **SUITE.schema,
        "definitions": {
            "check": _check(),
            "step": _step(),
            "steps": checks,
            "cleanup": checks,
            **{f"expect_{kind}": shape.schema | {"minProperties": 1} for kind, shape in EXPECT.items()},
            **matcher_definitions(),
        },
    }


def _check() -> dict[str, Any]:
    """A check: what all have, and either the keys of one probe or ``steps``."""
    fields = {key: field for shape in CHECK.values() for key, field in shape.fields.items()}
    described = {key: field for key, field in fields.items() if field.about}
    rules = [_rule(word, CHECK[kind].fields, kind) for word, kind in VERBS.items()]
    rules.append(_rule("steps", CHECK["steps"].fields, None))
    known = {**described, **CHECK["steps"].fields, **ALL_STEP_FIELDS}
    return _one_of(known, (*VERBS, "steps"), rules, ["name"])


def _step() -> dict[str, Any]:
    rules = [_rule(word, STEP_FIELDS[kind], kind) for word, kind in VERBS.items()]
    return _one_of(ALL_STEP_FIELDS, tuple(VERBS), rules, [])


def _one_of(
    fields: Mapping[str, Field], words: tuple[str, ...], rules: list[dict[str, Any]], required: list[str]
) -> dict[str, Any]:
    properties = {key: {**_general(key, field), "description": field.about} for key, field in fields.items()}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
        "oneOf": [{"required": [word]} for word in words],
        "allOf": rules,
    }


def _general(key: str, field: Field) -> Mapping[str, Any]:
    """What holds for a key whatever the probe is; the words of ``expect`` depend on it."""
    return {"type": "object"} if key == "expect" else field.type.schema


def _rule(word: str, fields: Mapping[str, Field], kind: str | None) -> dict[str, Any]:
    then: dict[str, Any] = {"propertyNames": {"enum": list(fields)}}
    if kind is not None:
        then["properties"] = {"expect": {"$ref": f"#/definitions/expect_{kind}"}}
    return {"if": {"required": [word]}, "then": then}


SCHEMAS: Final = {"targets.schema.json": targets_schema, "suite.schema.json": suite_schema}
"""What each file in the package's folder ``schemas`` holds."""


def render(schema: Mapping[str, Any]) -> str:
    """The text of a schema file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = _FOLDER) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in SCHEMAS.items():
        (folder / name).write_text(render(make()), encoding="utf-8")


if __name__ == "__main__":
    write()
