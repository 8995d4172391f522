import importlib.util

import numpy as np
import polars as pl
import pytest

from schemas.errors import MissingExtraError
from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.filters.semantic_duplicates import semantic_duplicates
from tasks.texts import alike as module
from tasks.texts.alike import alike
from tasks.texts.vectors import reduced, unit, weighted

STATIC = importlib.util.find_spec("model2vec") is not None
TYPES = PREFERENCES.empty().schema
SCHEMA = {name: TYPES[name] for name in ("pair_id", "prompt_id", "prompt", "chosen", "rejected")}
OTHERS = [f"describe the {a} of a {b} in {c}" for a, b, c in zip("klmno", "pqrst", "uvwxy", strict=True)]


def table(*prompts):
    made = [
        {"pair_id": str(i), "prompt_id": f"p{i}", "prompt": to_rows(text), "chosen": assistant("a"),
         "rejected": assistant("b")}
        for i, text in enumerate(prompts)
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SCHEMA)


def test_the_same_words_in_another_order_and_form_are_the_same():
    rows = table("Count the vowels in a string", "In strings, counting vowels", *OTHERS)
    found = semantic_duplicates(rows, threshold=0.8)
    assert found["row_id"].to_list() == ["1"]
    assert found["reason"].to_list() == ["prompt means the same as another"]
    assert found["value"][0].startswith("p0 ")
    assert semantic_duplicates(table(*OTHERS)).height == 0
    assert semantic_duplicates(table()).height == 0


def test_vectors_from_a_file_decide_by_id_or_by_text(tmp_path):
    rows = table("one", "two", "three")
    vectors = [[1.0, 0.0], [0.0, 1.0], [0.995, 0.1]]
    by_id = tmp_path / "ids.parquet"
    pl.DataFrame({"key": ["p0", "p1", "p2"], "vector": vectors}).write_parquet(by_id)
    by_text = tmp_path / "texts.parquet"
    pl.DataFrame({"text": ["one", "two", "three"], "vector": vectors}).write_parquet(by_text)
    for file in (by_id, by_text):
        assert semantic_duplicates(rows, vectors=str(file)).rows() == [
            ("2", "prompt means the same as another", "p0 0.995")
        ]


def test_what_lacks_vectors_is_refused(tmp_path):
    file = tmp_path / "vectors.parquet"
    pl.DataFrame({"key": ["p0"], "vector": [[1.0]]}).write_parquet(file)
    with pytest.raises(ValueError, match="has no vector for 'p1'; 1 are missing"):
        semantic_duplicates(table("one", "two"), vectors=str(file))
    with pytest.raises(ValueError, match="not both"):
        semantic_duplicates(table("one"), vectors="a", static="b")
    pl.DataFrame({"a": [1]}).write_parquet(file)
    with pytest.raises(ValueError, match="needs columns key"):
        semantic_duplicates(table("one"), vectors=str(file))


def test_a_chain_loses_only_those_whose_likeness_stays():
    angles = np.radians([0, 25, 50])
    rows = unit(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = alike(rows, threshold=float(np.cos(np.radians(30))))
    assert (found.row.tolist(), found.kept.tolist()) == ([1], [0])


def test_clusters_find_nearly_all_that_holding_each_against_each_finds(monkeypatch):
    random = np.random.default_rng(1)
    first = random.normal(size=(400, 16))
    rows = unit(np.concatenate([first, first + 0.05 * random.normal(size=first.shape)]))
    exact = alike(rows, threshold=0.95)
    assert exact.row.tolist() == list(range(400, 800))
    assert exact.kept.tolist() == list(range(400))
    monkeypatch.setattr(module, "EXACT", 100)
    monkeypatch.setattr(module, "CLUSTER", 100)
    assert len(alike(rows, threshold=0.95).row) >= 392


def test_fewer_dimensions_keep_cosines_where_there_are_enough():
    texts = pl.Series([f"{a} {b} {c}" for a in "pqr" for b in "stu" for c in "vwx"])
    whole = weighted(texts)
    rows = reduced(whole, 27)
    assert np.allclose(rows @ rows.T, (whole @ whole.T).toarray(), atol=1e-3)


@pytest.mark.skipif(STATIC, reason="model2vec is installed")
def test_without_the_library_the_install_line_is_named():
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[embeddings\]'"):
        semantic_duplicates(table("one", "two"), static="a")


@pytest.mark.slow
@pytest.mark.skipif(not STATIC, reason="needs the extra embeddings")
@pytest.mark.filterwarnings("ignore")
def test_a_static_model_knows_words_that_mean_the_same(tmp_path):
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    meant = [
        ("how",),
        ("do",),
        ("i",),
        ("bake", "make"),
        ("bread", "loaves"),
        ("of",),
        ("rye",),
        ("paint",),
        ("walls",),
    ]
    vocabulary = {"[UNK]": 0, "[PAD]": 1}
    vectors = [np.zeros(16), np.zeros(16)]
    random = np.random.default_rng(3)
    for group in meant:
        drawn = random.standard_normal(16)
        for word in group:
            vocabulary[word] = len(vectors)
            vectors.append(drawn)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(np.array(vectors, np.float32), tokenizer).save_pretrained(tmp_path / "static")
    rows = table("how do i bake bread", "how do i paint walls", "how do i make loaves")
    found = semantic_duplicates(rows, static=str(tmp_path / "static"))
    assert found.rows() == [("2", "prompt means the same as another", "p0 1.0")]
    assert semantic_duplicates(rows, threshold=0.6).height == 0  # the words themselves differ
    assert semantic_duplicates(table(), static=str(tmp_path / "static")).height == 0
    with pytest.raises(ValueError, match="there is no static embedding model '/no/such'"):
        semantic_duplicates(rows, static="/no/such")
