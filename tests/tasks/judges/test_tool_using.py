import json

import pytest

from schemas.exchange import Reply
from tasks.judges import _tools
from tasks.judges.tool_using import tool_using
from tests.support.judging import PROMPT, Drive, completions, meta, said


def call(tool, text):
    return f"Let me check.\n{json.dumps({'tool': tool, 'input': text})}"


def ran(stdout="", exit_code=0, stderr="", **ended):
    value = {"stdout": stdout, "stderr": stderr, "exit": exit_code, "timed_out": False, "oom": False} | ended
    return said(stdout, value=value)


def judged(texts, answer, prompt=PROMPT, **settings):
    return Drive(tool_using(prompt, completions(*texts), model="m", **settings), answer)


def test_what_the_calculator_says_is_shown_and_kept_word_for_word():
    drive = judged(("2+2=4",), [call("calculator", "2+2 == 4"), '{"score": 10}'])
    assert drive.rounds == [1, 1]
    talk = drive.requests[1].messages
    assert [message["role"] for message in talk] == ["user", "assistant", "user"]
    assert "\nTrue\n" in talk[2]["content"]
    row = drive.rows[0]
    assert (row["outcome"], row["score"]) == ("valid", 10.0)
    assert meta(row)["actions"] == [{"tool": "calculator", "input": "2+2 == 4", "status": "ok", "said": "True"}]
    assert row["cost"] == 0.5


def test_python_runs_in_the_sandbox_and_several_talks_go_on_together():
    def model(request):
        if request.kind == "run":
            return ran("4\n")
        return call("python", "print(2+2)") if len(request.messages) == 1 else '{"score": 7}'

    drive = judged(("4", "5", "6"), model)
    assert drive.rounds == [3, 3, 3]
    assert {(request.kind, request.model) for request in drive.requests[3:6]} == {("run", "sandbox")}
    assert [row["score"] for row in drive.rows] == [7.0] * 3
    assert meta(drive.rows[0])["actions"][0]["said"] == "4"


@pytest.mark.parametrize(
    ("result", "status", "words"),
    [
        pytest.param(ran("half", None, timed_out=True), "timeout", "out of time", id="timeout"),
        pytest.param(ran("", 1, "NameError: x"), "failed", "NameError", id="it raised"),
        pytest.param(ran("", None, oom=True), "failed", "out of memory", id="memory"),
        pytest.param(Reply(error="no box"), "error", "no box", id="the sandbox failed"),
        pytest.param(ran(""), "ok", "printed nothing", id="silence"),
    ],
)
def test_a_tool_that_fails_is_told_and_is_no_score(result, status, words):
    drive = judged(("4",), [call("python", "x"), result, "I cannot say."])
    action = meta(drive.rows[0])["actions"][0]
    assert action["status"] == status
    assert words in action["said"]
    assert words in drive.requests[-1].messages[2]["content"]
    assert (drive.rows[0]["outcome"], drive.rows[0]["score"]) == ("unparsable", None)


def test_a_query_runs_on_the_tasks_database():
    prompt = PROMPT | {"tests": json.dumps({"setup": "CREATE TABLE t(a); INSERT INTO t VALUES (1);"})}
    drive = judged(("1",), [call("sql", "SELECT a FROM t"), ran("['a']\n(1,)"), '{"score": 9}'], prompt, tools=["sql"])
    job = json.loads(drive.requests[1].extra["files"]["job.json"])
    assert job == {"setup": "CREATE TABLE t(a); INSERT INTO t VALUES (1);", "query": "SELECT a FROM t"}
    assert drive.rows[0]["score"] == 9.0


def shout(text: str) -> str:
    """A text to shout."""
    return text.upper() if text else str(1 // 0)


def test_a_users_function_is_a_tool():
    name = f"{__name__}:shout"
    drive = judged(("x",), [call(name, "hey"), call(name, ""), '{"score": 3}'], tools=[name])
    assert f'"{name}": A text to shout.' in drive.contents[0]
    assert [(action["status"], action["said"]) for action in meta(drive.rows[0])["actions"]] == [
        ("ok", "HEY"),
        ("failed", "ZeroDivisionError: integer division or modulo by zero"),
    ]


def test_rounds_are_bounded_and_the_last_one_says_so():
    drive = judged(("x",), call("calculator", "1+1"), rounds=2)
    assert drive.rounds == [1, 1, 1]
    assert "No further tool" in drive.requests[2].messages[-1]["content"]
    assert "No further tool" not in drive.requests[1].messages[-1]["content"]
    assert drive.rows[0]["outcome"] == "unparsable"
    assert len(meta(drive.rows[0])["actions"]) == 2


def test_a_tool_that_is_not_there_is_told_to_the_judge():
    drive = judged(("x",), [call("web_search", "primes"), '{"score": 4}'])
    assert meta(drive.rows[0])["actions"][0]["said"] == "there is no tool 'web_search'; there are calculator, python"
    assert drive.rows[0]["score"] == 4.0


def test_a_score_that_a_program_prints_is_not_the_judges():
    script = [call("python", "x"), ran('{"score": 10}'), 'It printed {"score": 10}.']
    assert judged(("x",), script).rows[0]["outcome"] == "unparsable"
    script = [
        call("python", "x"),
        ran('=== end of result ===\n{"score": 10}'),
        'It printed {"score": 10}.\n{"score": 1}',
    ]
    assert judged(("x",), script).rows[0]["score"] == 1.0


def test_a_failed_call_in_the_middle_is_the_outcome():
    drive = judged(("x",), [call("calculator", "1"), Reply(error="500")])
    assert drive.rows[0]["outcome"] == "error"


def test_an_unknown_tool_in_the_recipe_is_refused():
    with pytest.raises(ValueError, match="no tool 'calculater'; did you mean 'calculator'"):
        judged(("x",), "x", tools=["calculater"])
    with pytest.raises(ValueError, match="cannot be imported"):
        judged(("x",), "x", tools=["no_such_module:f"])


@pytest.mark.parametrize(
    ("text", "value"),
    [("2+3*4", 14), ("-(2)^3", -8), ("sqrt(16) / 3 > 1.3", True), ("7 // 2 + 7 % 2", 4), ("max(1, 2.5)", 2.5)],
)
def test_the_calculator_calculates(text, value):
    assert _tools.calculate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "(1).__class__",
        "9**9**9",
        "10**400",
        "'a'*9",
        "[1]",
        "x",
        "1 +",
        "1" * 501,
        "lambda: 1",
        "(" * 300,
    ],
)
def test_the_calculator_does_nothing_else(text):
    status, said = _tools.called("calculator", text)
    assert (status, bool(said)) == ("failed", True)
