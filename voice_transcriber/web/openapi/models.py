"""JSON Schema (2020-12) from the models, as OpenAPI 3.1 takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

REF = "#/components/schemas/{model}"

Schema = dict[str, Any]


class _Untitled(GenerateJsonSchema):
    """A field's title would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def answer_schemas(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """By name, what the server sends and all that it refers to."""
    given: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "serialization") for model in models
    ]
    _, found = models_json_schema(given, ref_template=REF, schema_generator=_Untitled)
    definitions: dict[str, Schema] = found.get("$defs", {})
    return definitions


def request_schema(model: type[BaseModel]) -> tuple[Schema, dict[str, Schema]]:
    """What a client sends, and what that refers to."""
    schema = model.model_json_schema(ref_template=REF, schema_generator=_Untitled)
    return schema, schema.pop("$defs", {})


def sendable(properties: Mapping[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Fields of a query or a form: they are texts, so null is said by leaving one out."""
    for name, given in properties.items():
        field = {key: value for key, value in given.items() if key != "anyOf"}
        choices = [choice for choice in given.get("anyOf", ()) if choice != {"type": "null"}]
        if len(choices) == 1:
            field |= choices[0]
        elif choices:
            field["anyOf"] = choices
        if field.get("default", ...) is None:
            del field["default"]
        yield name, field
