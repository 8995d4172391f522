import orjson

from schemas.messages import assistant
from tasks.judges.recorded import recorded


def completion(name, label=None, score=None, finish_reason="stop"):
    meta = None if score is None else orjson.dumps({"score": score}).decode()
    return {
        "completion_id": name, "messages": assistant(name), "label": label, "meta": meta,
        "finish_reason": finish_reason, "sample_index": 0,
    }  # fmt: skip


def judged(*rows):
    return {row["subjects"][0]: (row["outcome"], row["score"]) for row in recorded({}, list(rows))}


def test_true_is_one_false_is_zero_and_a_score_is_itself():
    found = judged(completion("a", True), completion("b", False), completion("c", score=3.5), completion("d", score=0))
    assert found == {"a": ("valid", 1.0), "b": ("valid", 0.0), "c": ("valid", 3.5), "d": ("valid", 0)}


def test_a_score_goes_before_a_label():
    assert judged(completion("a", True, score=0.25)) == {"a": ("valid", 0.25)}


def test_what_nobody_labelled_has_no_judgment():
    assert judged(completion("a"), completion("b", True)) == {"b": ("valid", 1.0)}


def test_an_answer_that_is_none_is_not_judged():
    assert judged(completion("a", True, finish_reason="empty")) == {}
