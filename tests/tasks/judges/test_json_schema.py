import json

import pytest

from schemas.messages import assistant
from tasks.judges.json_schema import json_schema

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


def one(text, tests=SCHEMA, finish="stop", **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": finish}
    (row,) = json_schema({"tests": json.dumps(tests)}, [completion], **settings)
    return row


@pytest.mark.parametrize("text", ['{"name": "Ada", "age": 36}', ' {"name": "Ada"}\n', '```json\n{"name": "Ada"}\n```'])
def test_json_that_the_schema_allows_is_right(text):
    assert (one(text)["outcome"], one(text)["score"]) == ("valid", 1.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"age": 36}', "at $: 'name' is a required property"),
        ('{"name": "Ada", "age": -1}', "at $.age: -1 is less than the minimum of 0"),
        ('{"name": "Ada", "x": 1}', "at $: Additional properties are not allowed ('x' was unexpected)"),
        ("[]", "at $: [] is not of type 'object'"),
        ('Here: {"name": "Ada"}', "no JSON: "),
        ('{"name": NaN}', "no JSON: NaN is not JSON"),
        ('{"name": "a", "name": "b"}', "no JSON: an object holds a name twice"),
        ("[" * 100_000, "no JSON: "),
        ("", "no JSON: "),
    ],
)
def test_anything_else_is_wrong_and_says_why(text, why):
    row = one(text)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"].startswith(why)


def test_a_fence_can_be_forbidden():
    assert one('```json\n{"name": "Ada"}\n```', fence=False)["score"] == 0.0


def test_the_schema_comes_from_the_prompt_or_the_recipe():
    assert one("3", {"schema": {"type": "integer"}})["score"] == 1.0
    assert one("3", None, expected={"type": "integer"})["score"] == 1.0
    with pytest.raises(ValueError, match="hold a JSON schema"):
        one("3", None)
    with pytest.raises(ValueError, match="the JSON schema is none"):
        one("3", {"type": "nothing"})


def test_cut_json_is_truncated():
    assert one('{"name": "Ad', finish="length")["outcome"] == "truncated"


def test_a_schema_fetches_nothing():
    with pytest.raises(ValueError, match="refers to what it does not hold"):
        one("3", {"$ref": "http://127.0.0.1:9/schema.json"})
