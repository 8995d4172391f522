import numpy as np
import polars as pl
import pytest

from schemas.messages import assistant
from tasks.scorers.exemplar_likeness import exemplar_likeness, features

TEXTS = ["the cat sat on the mat", "the cat sat on a mat", "zzz qqq xxx vvv", "the cat sat on the mat"]


def made(texts=TEXTS, prompt_ids=None, references=None, **chosen):
    prompt_ids = prompt_ids or ["p"] * len(texts)
    rows = pl.DataFrame({
        "prompt_id": prompt_ids, "completion_id": [f"{i:03d}" for i in range(len(texts))],
        "messages": [assistant(text) for text in texts],
    })  # fmt: skip
    asked = sorted(set(prompt_ids))
    prompts = pl.DataFrame(
        {"prompt_id": asked, "reference": references or [None] * len(asked)}, schema_overrides={"reference": pl.String}
    )
    return exemplar_likeness(prompts, rows, **chosen).sort("completion_id")["score"].to_list()


def test_like_the_exemplars_is_better():
    found = made(exemplars=("the cat sat on the mat",), sameness=0.0)
    assert found[0] == pytest.approx(1.0)
    assert found[0] > found[1] > found[2]
    assert found[2] == pytest.approx(0.0, abs=0.1)


def test_being_like_ones_fellows_costs():
    plain, charged = (made(exemplars=("the cat sat on the mat",), sameness=price) for price in (0.0, 0.5))
    own = features(TEXTS)
    fellows = np.mean([own[0] @ own[i] for i in (1, 2, 3)])
    assert charged[0] == pytest.approx(plain[0] - 0.5 * fellows)


def test_a_prompts_own_reference_is_its_exemplar():
    found = made(["a cat sat", "a dog ran", "a cat sat"], ["p", "p", "q"], ["a cat sat", None], sameness=0.0)
    assert found == pytest.approx([1.0, features(["a cat sat"])[0] @ features(["a dog ran"])[0]])


def test_other_prompts_and_chunks_do_not_matter(monkeypatch):
    texts, ids = TEXTS * 3, [name for name in "pqr" for _ in TEXTS]
    whole = made(texts, ids, exemplars=("the mat",))
    monkeypatch.setattr("tasks.scorers.exemplar_likeness.CHUNK", 3)
    assert made(texts, ids, exemplars=("the mat",)) == pytest.approx(whole)
    assert made(exemplars=("the mat",)) == pytest.approx(whole[:4])


def test_short_texts_are_like_nothing():
    assert made(["ab", ""], exemplars=("abc",)) == [0.0, 0.0]
    with pytest.raises(ValueError, match="sameness is -1"):
        made(sameness=-1.0)
