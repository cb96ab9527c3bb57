"""The JSON Schemas that the package ships, and whether a document is what they say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from postdeploy.domain.verdict import Reason

__all__ = ["assert_published"]

_FOLDER = Path(__file__).parents[1] / "src/postdeploy/schemas"


def assert_published(name: str, document: Mapping[str, Any]) -> None:
    """The schema is one, is about this very document with no key more or less, and has all reasons."""
    schema = json.loads((_FOLDER / f"{name}.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(document)
    assert list(schema["properties"]) == schema["required"] == list(document)
    assert schema["properties"]["reason"]["enum"] == [*map(str, Reason), "no_proof"]
