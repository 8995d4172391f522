import pytest

from schemas.exchange import Choice, Reply
from schemas.messages import text_of, to_rows
from tasks.samplers.adaptive import adaptive
from tests.support.judging import Drive

PROMPT = {"prompt_id": "p", "messages": to_rows("Q?")}


def drive(texts, **settings):
    def answer(request):
        found = texts[request.first : request.first + request.n]
        return Reply(tuple(Choice(request.first + i, text) for i, text in enumerate(found)))

    return Drive(adaptive(PROMPT, policy="m", **settings), answer)


def test_blocks_until_enough_differ():
    run = drive(["a", "a", "a", "b", "c", "d", "e", "f"], distinct=3, block=2, most=8)
    assert [(request.first, request.n) for request in run.requests] == [(0, 2), (2, 2), (4, 2)]
    assert [text_of(row["messages"]) for row in run.rows] == ["a", "a", "a", "b", "c", "d"]


def test_never_more_than_the_bound():
    assert [request.n for request in drive(["a"] * 9, distinct=3, block=4, most=6).requests] == [4, 2]


def test_a_failed_call_ends_it():
    assert len(Drive(adaptive(PROMPT, policy="m"), Reply(error="down")).requests) == 1


def test_numbers_from_one():
    with pytest.raises(ValueError, match="block 0"):
        drive([], block=0)
