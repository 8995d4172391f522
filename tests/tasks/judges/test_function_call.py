"""Calls in every form a model writes them, against accepted calls of the shape of BFCL's."""

import json

import pytest

from schemas.messages import assistant, to_rows
from tasks.judges import _calls
from tasks.judges.function_call import function_call

FUNCTIONS = [
    {
        "name": "math.hypot",
        "parameters": {
            "type": "dict",
            "properties": {"x": {"type": "integer"}, "y": {"type": "float"}, "z": {"type": "integer"}},
            "required": ["x", "y"],
        },
    },
    {"type": "function", "function": {"name": "show", "parameters": {"type": "object", "properties": {}}}},
]
GOLD = [{"math.hypot": {"x": [4], "y": [5.0], "z": ["", 0]}}]
ARGUMENTS = {"x": 4, "y": 5}


def judged(message, *, reference=GOLD, functions=FUNCTIONS, finish="stop", meta=None, **settings):
    rows = assistant(message) if isinstance(message, str) else to_rows([message])
    prompt = {"tests": json.dumps(functions), "reference": json.dumps(reference), "meta": json.dumps(meta or {})}
    completion = {"completion_id": "c", "messages": rows, "finish_reason": finish}
    (row,) = function_call(prompt, [completion], **settings)
    return row


def tool_call(name, arguments):
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(tool_call("math.hypot", '{"x": 4, "y": 5}'), id="tool_calls"),
        pytest.param(tool_call("math_hypot", '{"x": 4, "y": 5.0, "z": 0}'), id="an underscore for the dot"),
        pytest.param('{"name": "math.hypot", "arguments": {"x": 4, "y": 5}}', id="an object"),
        pytest.param('[{"name": "math.hypot", "parameters": {"x": 4, "y": 5}}]', id="a list"),
        pytest.param('{"name": "math.hypot", "arguments": "{\\"x\\": 4, \\"y\\": 5}"}', id="arguments as text"),
        pytest.param('[{"math.hypot": {"x": 4, "y": 5}}]', id="name and arguments"),
        pytest.param("[math.hypot(x=4, y=5)]", id="Python calls"),
        pytest.param("math.hypot(x=4, y=5.0)", id="one Python call"),
        pytest.param("```python\nmath.hypot(x=4, y=5)\n```", id="in a fence"),
        pytest.param(
            'Let me see.\n<tool_call>\n{"name": "math.hypot", "arguments": {"x": 4, "y": 5}}\n</tool_call>', id="tags"
        ),
    ],
)
def test_the_accepted_call_is_right_in_every_form(message):
    row = judged(message)
    assert (row["outcome"], row["score"]) == ("valid", 1.0)
    assert json.loads(row["meta"])["calls"][0]["arguments"]["x"] == 4


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("math.hypot(x=4, y=6)", "math.hypot: y is '6'"),
        ("math.hypot(x=4.0, y=5)", "math.hypot: x is '4.0'"),
        ("math.hypot(x='4', y=5)", "math.hypot: x is '4'"),
        ("math.hypot(x=True, y=5)", "math.hypot: x is 'True'"),
        ("math.hypot(x=4)", "math.hypot lacks y"),
        ("math.hypot(x=4, y=5, w=1)", "math.hypot has no w"),
        ("math.sqrt(x=4)", "calls math.sqrt, expected math.hypot"),
        ("[math.hypot(x=4, y=5), math.hypot(x=4, y=5)]", "2 calls, expected 1"),
        ("It is about 6.4.", "it makes no call"),
        ("math.hypot(4, 5)", "a call that cannot be read"),
        ('<tool_call>{"name": "math.hypot", "argu', "a call that cannot be read"),
        (tool_call("math.hypot", '{"x": 4'), "a call that cannot be read"),
    ],
)
def test_any_other_call_is_wrong_and_says_why(message, why):
    row = judged(message)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"] == why


def test_calls_are_matched_in_any_order_and_each_once():
    gold = [{"f": {"a": [1, 2]}}, {"f": {"a": [1]}}]
    functions = [{"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}}}]
    right = ["[f(a=1), f(a=2)]", "[f(a=2), f(a=1)]", "[f(a=1), f(a=1)]"]
    assert [judged(text, reference=gold, functions=functions)["score"] for text in right] == [1.0, 1.0, 1.0]
    assert judged("[f(a=2), f(a=2)]", reference=gold, functions=functions)["score"] == 0.0


@pytest.mark.parametrize(
    ("value", "wanted", "kind", "same"),
    [
        ("New York, NY", "new york NY", "string", True),
        ("it's", 'it"s', "string", True),
        ("York", "New York", "string", False),
        (["a", "B"], ["A", "b"], "array", True),
        (["b", "a"], ["a", "b"], "array", False),
        ((1, 2), [1, 2], "tuple", True),
        ({"limit": 50}, {"limit": [50, 60], "schema": ["", "x"]}, "dict", True),
        ({"limit": 70}, {"limit": [50, 60]}, "dict", False),
        ({}, {"limit": [50]}, "dict", False),
        ({"limit": 50, "more": 1}, {"limit": [50]}, "dict", False),
        ([{"a": 1}], [{"a": [1]}], "array", True),
        (None, None, "any", True),
        (0, None, "any", False),
        (0, False, "any", False),
        (5, 5.0, "float", True),
    ],
)
def test_values_are_compared_by_their_kind(value, wanted, kind, same):
    assert _calls.matches(value, wanted, kind) is same


@pytest.mark.parametrize(
    ("spec", "accepted", "value", "score"),
    [
        pytest.param({"type": "string"}, ["km", ""], "km", 1.0, id="an accepted value"),
        pytest.param({"type": "string"}, ["km", ""], "", 0.0, id="empty is not left out"),
        pytest.param({"type": "string"}, ["km", ""], ".", 0.0, id="nor is what is only punctuation"),
        pytest.param({"type": "string", "default": ""}, ["km", ""], "", 1.0, id="empty is the default"),
        pytest.param({"type": "string"}, [""], "", 1.0, id="nothing else is accepted"),
        pytest.param({"type": "integer"}, [0, ""], "", 0.0, id="empty is no number"),
        pytest.param({"type": "string"}, ["/"], "*", 0.0, id="two operators differ"),
        pytest.param({"type": "string"}, ["/"], "/", 1.0, id="an operator is itself"),
    ],
)
def test_an_argument_that_may_lack_is_not_one_that_may_be_empty(spec, accepted, value, score):
    functions = [{"name": "f", "parameters": {"properties": {"a": spec}}}]
    call = json.dumps([{"name": "f", "arguments": {"a": value}}])
    assert judged(call, reference=[{"f": {"a": accepted}}], functions=functions)["score"] == score
    assert judged("f()", reference=[{"f": {"a": accepted}}], functions=functions)["score"] == float("" in accepted)


def test_where_no_call_fits_making_none_is_right():
    meta = {"category": "irrelevance"}
    assert judged("None of them fits.", reference=None, meta=meta)["score"] == 1.0
    row = judged("show()", reference=None, meta=meta)
    assert (row["score"], row["rationale"]) == (0.0, "it calls show")
    assert judged("<tool_call>{", reference=None, meta=meta)["outcome"] == "unparsable"


def test_where_any_call_will_do_it_must_exist():
    meta = {"category": "live_relevance"}
    assert judged("show()", reference=None, meta=meta)["score"] == 1.0
    assert judged("hide()", reference=None, meta=meta)["score"] == 0.0
    assert judged("No.", reference=None, meta=meta)["rationale"] == "it makes no call"


def test_what_is_expected_must_be_said():
    with pytest.raises(ValueError, match="nothing says what is expected"):
        judged("show()", reference=None)
    assert judged("No.", reference=None, expect="no_call")["score"] == 1.0
    functions = {"functions": FUNCTIONS, "expect": "no_call"}
    assert judged("No.", reference=None, functions=functions)["score"] == 1.0


def test_a_cut_call_is_truncated():
    assert judged("math.hypot(x=4", finish="length")["outcome"] == "truncated"


def test_an_argument_may_be_called_like_a_python_keyword():
    gold = [{"query": {"from": [1], "class": ["a"]}}]
    functions = [{"name": "query", "parameters": {"properties": {}}}]
    assert judged("[query(from=1, class='a')]", reference=gold, functions=functions)["score"] == 1.0


@pytest.mark.parametrize(
    "text", ["f(" * 3000, "-" * 20000 + "1", "[" * 3000, "f(a=" + "(" * 150 + ")" * 150 + ")", '{"a":' * 3000]
)
def test_a_hostile_text_is_no_call(text):
    assert judged(text)["score"] == 0.0


CALL = '{"name": "math.hypot", "arguments": {"x": 4, "y": 5}}'


@pytest.mark.parametrize("message", [CALL, tool_call("math.hypot", '{"x": 4, "y": 5}'), "math.hypot(x=4, y=5)"])
def test_where_the_list_of_accepted_calls_is_empty_every_call_is_wrong_and_none_is_right(message):
    assert judged(message, reference=[])["score"] == 0.0
    assert judged("I cannot do that with these.", reference=[])["score"] == 1.0


@pytest.mark.parametrize(
    ("category", "reference", "message", "score"),
    [
        ("irrelevance", None, "No.", 1.0),
        ("live_irrelevance", [], CALL, 0.0),
        ("live_relevance", None, CALL, 1.0),
        ("live_relevance", [], "No.", 0.0),
        ("simple_java", GOLD, "math.hypot(x=4, y=5)", 1.0),
        ("parallel", GOLD * 2, f"[{CALL}, {CALL}]", 1.0),
        ("parallel", GOLD * 2, CALL, 0.0),
        ("multiple", GOLD, f"[{CALL}, {CALL}]", 0.0),
    ],
)
def test_the_category_says_what_is_right_where_no_call_is_listed(category, reference, message, score):
    assert judged(message, reference=reference, meta={"category": category})["score"] == score
    prompt = {"tests": json.dumps(FUNCTIONS), "reference": json.dumps(reference), "meta": None, "task": category}
    (row,) = function_call(prompt, [{"completion_id": "c", "messages": assistant(message), "finish_reason": "stop"}])
    assert row["score"] == score


def test_the_literals_of_java_and_javascript_are_read():
    functions = [{"name": "f", "parameters": {"properties": {"a": {"type": "boolean"}, "b": {"type": "any"}}}}]
    reference = [{"f": {"a": [True], "b": [None]}}]
    assert judged("f(a=true, b=null)", functions=functions, reference=reference)["score"] == 1.0
    assert judged("f(a=false, b=undefined)", functions=functions, reference=reference)["score"] == 0.0


def test_what_a_tool_answered_is_no_call():
    rows = to_rows([{"role": "tool", "content": CALL}, {"role": "assistant", "content": "It is 6.4."}])
    prompt = {"tests": json.dumps(FUNCTIONS), "reference": "[]"}
    (row,) = function_call(prompt, [{"completion_id": "c", "messages": rows, "finish_reason": "stop"}])
    assert row["score"] == 1.0


@pytest.mark.parametrize("calls", ["[1]", "{", '[{"function": 3}]', '[{"function": {"name": "f", "arguments": "["}}]'])
def test_recorded_calls_that_are_none_are_a_wrong_call(calls):
    message = [{"role": "assistant", "content": None, "tool_calls": calls}]
    prompt = {"tests": json.dumps(FUNCTIONS), "reference": json.dumps(GOLD)}
    (row,) = function_call(prompt, [{"completion_id": "c", "messages": message, "finish_reason": "stop"}])
    assert (row["score"], row["flags"]) == (0.0, ["malformed_call"])


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"reference": None}, "nothing says what is expected"),
        ({"reference": 3}, "the reference is '3', expected a list of accepted calls"),
        ({"reference": [{"f": {"a": 1}}]}, "an accepted call is"),
        ({"functions": [3]}, "tests hold '3', expected functions"),
        ({"functions": [{"name": "f", "parameters": {"properties": {"a": 1}}}]}, "expected a JSON Schema"),
    ],
)
def test_a_row_that_says_no_right_call_is_named(settings, part):
    with pytest.raises(ValueError, match=part):
        judged(CALL, **settings)


def test_numbers_beyond_64_bits_and_keys_that_are_no_text_are_kept_as_text():
    row = judged(f"math.hypot(x={2**70}, y={{1: 2}})")
    assert (row["score"], str(2**70) in row["meta"]) == (0.0, True)
