from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from tasks.backends.batch import Batch
from tasks.backends.embedded import FOLDER
from tasks.backends.llama import log_softmax
from tasks.sources.arithmetic import expressions, question, solution

BATCHES: dict[int, Batch] = {}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Two threads that share busy cores with others are many times slower than one."""
    with threadpool_limits(1):
        yield


def batch(rows: int = 128) -> Batch:
    """Returns one batch a size: loading takes longer than most tests."""
    return BATCHES.setdefault(rows, Batch(FOLDER, rows))


def request(expression: str = "17 + 4 * 5", **changes: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "kind": "chat", "messages": [{"role": "user", "content": question(expression)}], "text": None, "prefix": None,
        "n": 1, "first": 0, "temperature": 1.0, "top_p": 1.0, "max_tokens": 96, "stop": (), "seed": 5,
        "logprobs": True, "top_logprobs": 0, "extra": {}, "tools": (),
    }  # fmt: skip
    assert not set(changes) - set(asked)
    return asked | changes


def ask(*requests: Mapping[str, Any], rows: int = 128) -> list[dict[str, Any]]:
    """Returns the replies in the order of the requests, without the time they took."""
    at = batch(rows)
    replies: dict[int, dict[str, Any]] = {}
    for i, asked in enumerate(requests):
        at.ask(asked, lambda reply, i=i: replies.__setitem__(i, reply))  # type: ignore[misc]
    while at.busy:
        at.step()
    for reply in replies.values():
        assert reply.pop("seconds") >= 0
    return [replies[i] for i in range(len(requests))]


def choices(**changes: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(request(**changes))[0]["choices"]
    return found


def a_crowd() -> list[dict[str, Any]]:
    draw = random.Random(3)
    return [
        request(
            expression, n=draw.randint(1, 5), first=draw.randint(0, 3), temperature=draw.choice((0.0, 0.6, 1.0, 1.7)),
            top_p=draw.choice((1.0, 0.9)), max_tokens=draw.choice((3, 40, 96)), stop=draw.choice(((), ("\n",))),
            seed=draw.randint(0, 9), prefix=draw.choice((None, "Step 1: ")), top_logprobs=draw.choice((0, 3)),
        )
        for expression in expressions(120, 8)
    ]  # fmt: skip


def test_a_sample_is_the_same_to_the_last_bit_alone_and_in_any_crowd() -> None:
    crowd = a_crowd()
    together = ask(*crowd)
    assert sum(choice["completion_tokens"] for reply in together for choice in reply["choices"]) > 3000
    order = random.Random(1).sample(range(len(crowd)), len(crowd))
    shuffled = ask(*(crowd[i] for i in order))
    assert [shuffled[order.index(i)] for i in range(len(crowd))] == together
    assert ask(*crowd, rows=5) == together
    assert [ask(asked, rows=3)[0] for asked in crowd[:25]] == together[:25]


def test_requests_that_join_while_others_are_at_work_get_the_same_answers() -> None:
    crowd = a_crowd()[:30]
    at = batch(16)
    replies: dict[int, dict[str, Any]] = {}
    for i, asked in enumerate(crowd):
        at.ask(asked, lambda reply, i=i: replies.__setitem__(i, reply))  # type: ignore[misc]
        at.step()
    while at.busy:
        at.step()
    for reply in replies.values():
        del reply["seconds"]
    assert [replies[i] for i in range(len(crowd))] == ask(*crowd)


def test_samples_can_be_asked_for_one_at_a_time() -> None:
    six = choices(n=6)
    assert [choice["index"] for choice in six] == list(range(6))
    assert choices(n=2, first=4) == six[4:]
    assert len({choice["text"] for choice in six}) > 1


def test_another_seed_gives_other_samples_and_the_same_seed_the_same() -> None:
    assert choices(n=4, seed=1, temperature=1.5) == choices(n=4, seed=1, temperature=1.5)
    assert choices(n=4, seed=1, temperature=1.5) != choices(n=4, seed=2, temperature=1.5)


def test_a_lower_limit_cuts_the_same_sample() -> None:
    whole = choices(temperature=1.3)[0]
    short = choices(temperature=1.3, max_tokens=7)[0]
    assert short["finish_reason"] == "length"
    assert short["completion_tokens"] == 7
    assert short["tokens"] == whole["tokens"][:7]
    assert whole["text"].startswith(short["text"])


def test_a_stop_string_ends_the_answer_and_is_no_part_of_it() -> None:
    whole = choices()[0]
    for stop in ("\n", "= ", "Answer"):
        found = choices(stop=["never", stop])[0]
        assert found["text"] == whole["text"].split(stop)[0]
        assert found["finish_reason"] == "stop"
        assert found["tokens"] == whole["tokens"][: found["completion_tokens"]]


def test_the_earliest_of_several_stop_strings_counts() -> None:
    assert choices(stop=["1:", "p 1"])[0]["text"] == "Ste"


def test_a_stop_string_may_span_tokens_and_an_empty_one_stops_nothing() -> None:
    whole = choices(temperature=0.0)[0]
    assert choices(temperature=0.0, stop=["p 1: 4 * "])[0]["text"] == "Ste"
    assert choices(temperature=0.0, stop=[""]) == [whole]


def test_a_prefix_is_continued_as_the_whole_text_would_be() -> None:
    prefix = "Step 1: 4 * 5 = 20\nStep 2: "
    chat = choices(prefix=prefix, n=3)
    text = f"<|user|>{question('17 + 4 * 5')}<|end|><|assistant|>"
    assert choices(kind="complete", messages=(), text=text + prefix, n=3) == chat
    assert choices(kind="complete", messages=(), text=text, prefix=prefix, n=3) == chat
    assert all(not choice["text"].startswith("Step 1") for choice in chat)


def test_any_start_of_a_greedy_answer_is_continued_to_the_same_end() -> None:
    problems = expressions(20, 6)
    whole = [reply["choices"][0]["text"] for reply in ask(*(request(p, temperature=0.0) for p in problems))]
    for first in ("Step 1: ", "\n"):
        starts = [text[: text.index(first) + len(first)] for text in whole]
        asked = (request(p, temperature=0.0, prefix=start) for p, start in zip(problems, starts, strict=True))
        rests = [reply["choices"][0]["text"] for reply in ask(*asked)]
        assert [start + rest for start, rest in zip(starts, rests, strict=True)] == whole


@pytest.mark.parametrize("changes", [{"top_p": 0.0}, {"extra": {"top_k": 1}}, {"extra": {"min_p": 1.0}}])
def test_the_narrowest_nucleus_is_greedy(changes: dict[str, Any]) -> None:
    greedy = choices(temperature=0.0, n=2)
    assert greedy[0]["text"] == greedy[1]["text"]
    assert choices(n=2, **changes) == greedy


@pytest.mark.parametrize(
    ("temperature", "top_p"),
    [pytest.param(1.0, 1.0, id="plain"), pytest.param(1.8, 1.0, id="hot"), pytest.param(1.8, 0.7, id="nucleus")],
)
def test_tokens_come_as_often_as_the_model_says(temperature: float, top_p: float) -> None:
    at, n = batch(), 4000
    text = "<|user|>What is 38 + 47 + 9?<|end|><|assistant|>Step 1: 38 + 47 = "
    ids = np.array([at.text.ids(text)])
    hidden = at.model.forward(ids, np.zeros(1, int), at.model.cache(1, ids.shape[1]))
    expected = np.exp(log_softmax(at.model.logits(hidden[:, -1])[0] / temperature))
    order = np.argsort(-expected)
    expected[order[1:][np.cumsum(expected[order])[:-1] >= top_p]] = 0.0
    expected /= expected.sum()
    asked = request(kind="complete", text=text, n=n, max_tokens=1, temperature=temperature, top_p=top_p)
    found: dict[str, int] = {}
    for choice in ask(asked)[0]["choices"]:
        name = choice["tokens"][0][0]
        found[name] = found.get(name, 0) + 1
    named: dict[str, float] = {}
    for token in np.nonzero(expected)[0]:  # several single bytes are written as the same replacement character
        name = at.text.token(int(token))
        named[name] = named.get(name, 0.0) + float(expected[token])
    assert set(found) <= set(named)
    for name, chance in named.items():
        spread = (n * chance * (1 - chance)) ** 0.5
        assert abs(found.get(name, 0) - n * chance) < 5 * spread + 1


def test_log_probabilities_are_those_of_the_untempered_model() -> None:
    hot = choices(temperature=1.5, n=3)
    for choice in hot:
        text = f"<|user|>{question('17 + 4 * 5')}<|end|><|assistant|>" + choice["text"] + "<|end|>"
        scored = batch().score(text)[-choice["completion_tokens"] :]
        if [piece for piece, _ in scored] == [piece for piece, _, _ in choice["tokens"]]:
            assert [at for _, at in scored] == [at for _, at, _ in choice["tokens"]]
        assert choice["logprob"] == round(sum(at for _, at, _ in choice["tokens"]), 6)


def test_alternatives_come_most_probable_first_and_the_end_token_counts() -> None:
    choice = choices(temperature=0.0, top_logprobs=4)[0]
    assert choice["finish_reason"] == "stop"
    assert choice["tokens"][-1][0] == "<|end|>"
    for piece, logprob, top in choice["tokens"]:
        assert len(top) == 4
        assert top[0] == (piece, logprob)
        assert [at for _, at in top] == sorted((at for _, at in top), reverse=True)
        assert logprob <= 0


def test_tokens_are_left_out_where_nobody_asked() -> None:
    choice = choices(logprobs=False)[0]
    assert choice["tokens"] == []
    assert choice["logprob"] < 0


def test_the_answer_ends_with_the_context() -> None:
    at = batch()
    long = "1 + " * 240 + "1"
    room = at.model.context - len(at.text.prompt(request(long)))
    choice = choices(expression=long, max_tokens=500, temperature=3.0)[0]
    assert choice["completion_tokens"] <= room < 500


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"extra": {"best_of": 3}}, "knows no best_of", id="unknown setting"),
        pytest.param({"kind": "score"}, "answers no score requests", id="reward"),
        pytest.param({"tools": ({"type": "function"},)}, "nor tools", id="tools"),
        pytest.param({"n": 0}, "n and max_tokens must be at least 1", id="no sample"),
        pytest.param({"max_tokens": 0}, "n and max_tokens must be at least 1", id="no token"),
        pytest.param({"expression": "1 + " * 300 + "1"}, r"has \d+ tokens; from 1 to 511", id="too long"),
        pytest.param({"kind": "complete", "text": ""}, "has 0 tokens", id="empty text"),
    ],
)
def test_what_cannot_be_answered_is_said(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        batch().ask(request(**changes), lambda _: None)
    assert not batch().busy


def test_a_true_solution_scores_higher_than_a_false_one() -> None:
    def total(text: str) -> float:
        return sum(at for _, at in batch().score(f"<|user|>{question('3 * 7 + 20')}<|end|><|assistant|>{text}<|end|>"))

    right = solution("3 * 7 + 20")
    assert total(right) > total(right.replace("21", "24")) + 2


def test_odd_text_is_read_and_written_byte_by_byte() -> None:
    text = "naïve 数学 🙂\n\t<|end|>"
    ids = batch().text.ids(text)
    assert "".join(piece for piece, _ in batch().score("<|user|>" + "abc")) == "abc"
    assert batch().text.text(ids) == "naïve 数学 🙂\n\t"
