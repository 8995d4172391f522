import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.filters.near_duplicates import near_duplicates
from tasks.texts.minhash import banding, near

TYPES = PREFERENCES.empty().schema
SCHEMA = {name: TYPES[name] for name in ("pair_id", "prompt_id", "prompt", "chosen", "rejected")}
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"


def table(*rows):
    made = [
        {"pair_id": pair, "prompt_id": prompt, "prompt": to_rows(text), "chosen": assistant("a " + pair),
         "rejected": assistant("b " + pair)}
        for pair, prompt, text in rows
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SCHEMA)


def jaccard(one, other, n=3):
    a, b = ({tuple(w[i : i + n]) for i in range(len(w) - n + 1)} for w in (one.split(), other.split()))
    return len(a & b) / len(a | b)


def test_the_later_of_two_prompts_goes_with_all_its_pairs_and_the_value_names_the_other():
    rows = table(("1", "p", LONG), ("2", "q", LONG + " eighteen"), ("3", "q", LONG + " eighteen"), ("4", "p", LONG))
    reason = "prompt is a near-duplicate"
    assert near_duplicates(rows).rows() == [("2", reason, "p 0.938"), ("3", reason, "p 0.938")]  # 15 of 16 shingles
    assert near_duplicates(rows, threshold=0.95).height == 0


def test_pairs_of_one_prompt_are_no_duplicates_unless_their_answers_are():
    rows = table(("1", "p", LONG), ("2", "p", LONG))
    assert near_duplicates(rows).height == 0
    assert near_duplicates(rows, of="pair", threshold=0.6)["row_id"].to_list() == ["2"]
    assert near_duplicates(rows, of="chosen").height == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("Hello, World!", "hello world", True, id="case and punctuation"),
        pytest.param("one", "one", True, id="a single word"),
        pytest.param("one", "two", False, id="two single words"),
        pytest.param("...", "...", False, id="no words at all"),
        pytest.param("Janet’s “ducks” lay—eggs", "janet s ducks lay eggs", True, id="typographic punctuation"),
        pytest.param("今天天气很好，我们去公园", "今天天气很好我们去公园。", True, id="chinese punctuation"),
        pytest.param("今天天气很好我们去公园", "明天他们在家里看书写字做饭", False, id="another chinese sentence"),
    ],
)
def test_what_counts_as_a_word(one, other, same):
    assert (near(pl.Series([one, other])).row.tolist() == [1]) == same


def test_characters_tell_short_texts_apart():
    texts = pl.Series(["color", "colors", "valour"])
    assert near(texts, unit="characters", n=2, threshold=0.7).row.tolist() == [1]
    assert near(texts, n=1).row.tolist() == []


def test_planted_near_duplicates_are_found_and_nothing_else():
    random = np.random.default_rng(5)
    words = np.array([f"w{i}" for i in range(5000)])
    texts = [" ".join(words[random.integers(0, 5000, 40)]) for _ in range(4000)]
    planted = []
    for source in random.choice(4000, 600, replace=False):
        copy = texts[source].split()
        for place in random.integers(0, 40, random.integers(0, 4)):
            copy[place] = "changed"
        texts.append(" ".join(copy))
        planted.append(jaccard(texts[source], texts[-1]))
    found = near(pl.Series(texts))
    wanted = {4000 + i for i, alike in enumerate(planted) if alike >= 0.8}
    assert len(wanted & set(found.row.tolist())) >= 0.95 * len(wanted)
    for row, kept, alike in zip(found.row, found.kept, found.similarity, strict=True):
        assert alike >= 0.8
        assert jaccard(texts[row], texts[kept]) == pytest.approx(alike, abs=1e-9)


def test_texts_of_one_template_cost_no_more_than_others():
    texts = pl.Series([f"please add up the numbers {i} and {i % 7} and tell me what you get" for i in range(20_000)])
    assert len(near(texts, threshold=0.5).row) > 19_000


def test_the_bands_meet_at_the_threshold():
    for threshold in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0):
        bands, rows = banding(threshold)
        assert 1 - (1 - threshold**rows) ** bands >= 0.99
        assert bands * rows <= 72


def test_a_threshold_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match=r"between 0\.2 and 1"):
        near_duplicates(table(), threshold=80)


TEXT = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join).filter(bool)


@settings(deadline=None, max_examples=50)
@given(st.lists(TEXT, max_size=12), st.randoms())
def test_kept_and_removed_are_the_input_order_does_not_matter_and_a_second_pass_removes_nothing(texts, random):
    rows = table(*((f"{i:02}", f"p{i:02}", text) for i, text in enumerate(texts)))
    removed = near_duplicates(rows, n=2, threshold=0.6)
    kept = rows.join(removed, left_on="pair_id", right_on="row_id", how="anti")
    assert kept.height + removed.height == len(texts)
    assert {value.split()[0] for value in removed["value"]} <= set(kept["prompt_id"])
    assert near_duplicates(kept, n=2, threshold=0.6).height == 0
    assert near_duplicates(
        rows.sample(fraction=1, shuffle=True, seed=random.randint(0, 99)), n=2, threshold=0.6
    ).equals(removed)
