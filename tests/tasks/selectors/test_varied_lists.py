import orjson
import polars as pl
import pytest

from tasks.selectors.varied_lists import varied_lists
from tests.support.scored import one

ACCURACY = {"a": [1, 1, 1, 0], "b": [1, 0, 1, 0], "c": [1, 1, 1, 1], "d": [0, 0, 0, 1]}


def made(**chosen):
    prompts = [name for name, scores in ACCURACY.items() for _ in scores]
    scores = [score for each in ACCURACY.values() for score in each]
    return varied_lists(*one(scores, prompt_id=prompts), **chosen)


def test_prompts_by_variance_of_their_accuracy():
    notes = {prompt: orjson.loads(meta) for prompt, meta in made().select("prompt_id", "meta").iter_rows()}
    assert {name: note["place"] for name, note in notes.items()} == {"b": 1, "a": 2, "d": 3}
    assert notes["b"] == {"variance": 0.25, "mean": 0.5, "size": 4, "place": 1}
    assert notes["a"]["variance"] == 0.1875


def test_only_the_most_varied():
    assert made(most=1)["prompt_id"].to_list() == ["b"]
    assert made(share=0.67)["prompt_id"].to_list() == ["a", "b"]
    assert made(least=5).height == 0


def test_equal_texts_count_in_the_accuracy_and_stand_in_the_list_once():
    found = varied_lists(*one([1, 1, 0], content_id=["same", "same", "other"]))
    assert found["completion_ids"].to_list() == [["000", "002"]]
    assert orjson.loads(found["meta"][0])["mean"] == pytest.approx(2 / 3)


def test_out_of_range_is_refused():
    with pytest.raises(ValueError, match="share is 0"):
        made(share=0.0)


def test_nothing_in_nothing_out():
    completions, scores = one([1.0, 0.0])
    assert varied_lists(completions.clear(), scores.clear()).height == 0
    assert isinstance(varied_lists(completions, scores), pl.DataFrame)
