"""The JSON Schema of recipe files, made from the blocks there are, so that editors complete them."""

from __future__ import annotations

from typing import Any

from schemas.blocks import FAMILIES
from schemas.recipe import Recipe
from tasks import registry


def recipe_schema() -> dict[str, Any]:
    """Returns a JSON Schema in which every block's name and parameters are known."""
    schema = Recipe.model_json_schema()
    definitions: dict[str, Any] = {}
    blocks = []
    for verb in FAMILIES:
        for block in registry.family(verb).values():
            params = block.params.model_json_schema(ref_template="#/$defs/{model}")
            definitions.update(params.pop("$defs", {}))
            blocks.append(
                {
                    "type": "object",
                    "description": f"{block.about} Source: {block.source}",
                    "properties": {verb: {"const": block.name}, **params.get("properties", {})},
                    "required": [verb, *params.get("required", [])],
                    "additionalProperties": False,
                }
            )
        own = {"type": "object", "properties": {verb: {"type": "string", "pattern": ":"}}, "required": [verb]}
        blocks.append({**own, "description": f"A {verb} block of your own, as module:function."})
    properties = schema["properties"]
    properties["blocks"] = {"type": "array", "minItems": 1, "items": {"anyOf": blocks}}
    properties["extends"] = {"type": "string", "description": "Another recipe to take over, once."}
    properties["set"] = {"type": "object", "description": "block.param -> value, on the recipe that is extended."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Pairwright recipe", "type": "object",
        "properties": properties, "required": ["name"], "additionalProperties": False, "$defs": definitions,
    }  # fmt: skip
