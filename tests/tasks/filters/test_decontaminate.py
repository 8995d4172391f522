import gzip
import json

import numpy as np
import polars as pl
import pytest

from schemas.messages import assistant, to_rows
from schemas.tables import PREFERENCES
from tasks.filters.decontaminate import decontaminate
from tasks.texts.overlap import index, overlaps

TYPES = PREFERENCES.empty().schema
SCHEMA = {name: TYPES[name] for name in ("pair_id", "prompt_id", "prompt", "chosen", "rejected")}
ITEM = "A train leaves at noon and drives sixty miles an hour; how far is it by three?"


def table(*prompts, chosen="a"):
    made = [
        {"pair_id": str(i), "prompt_id": f"p{i}", "prompt": to_rows(text), "chosen": assistant(chosen),
         "rejected": assistant("b")}
        for i, text in enumerate(prompts)
    ]  # fmt: skip
    return pl.DataFrame(made, schema=SCHEMA)


def test_a_run_of_thirteen_words_is_found_and_its_span_shown():
    rows = table("Solve: " + ITEM.upper() + " Thanks!", "A train leaves at noon.")
    assert decontaminate(rows, against=[ITEM]).rows() == [
        ("0", "prompt overlaps with a benchmark",
         "item 1: a train leaves at noon and drives sixty miles an hour; how far is it by three")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(" ".join(ITEM.split()[:13]), True, id="thirteen words"),
        pytest.param("x " + " ".join(ITEM.split()[:7]), False, id="seven words are too few for a run or a share"),
        pytest.param("Please, what is the capital of France today?", True, id="a short item whole"),
        pytest.param("what is the capital of Spain", False, id="a short item changed"),
        pytest.param("Hello there", True, id="the text is an item of two words"),
        pytest.param("hello there, my friend", False, id="items of two words occur everywhere"),
        pytest.param("質問：今日は天気がいいので公園に行きました。どうですか", True, id="japanese"),
    ],
)
def test_what_is_an_overlap(text, found):
    items = [ITEM, "What is the capital of France?", "Hello there!", "今日は天気がいいので公園に行きました"]
    assert (decontaminate(table(text), against=items).height == 1) == found


def test_a_share_of_an_item_is_measured_in_common_grams():
    item = " ".join(f"w{i}" for i in range(16))
    eleven = " ".join(item.split()[:11]) + " other"
    twice_six = " ".join([*item.split()[:6], "x", *item.split()[6:12]])
    found = overlaps(pl.Series([eleven, twice_six]), index(pl.Series([item]), run=13, n=8), share=0.5)
    assert found.text.tolist() == [0]
    assert found.share.tolist() == [11 / 16]
    assert decontaminate(table(eleven), against=[item], share=None).height == 0
    assert decontaminate(table(eleven), against=[item], share=0.7).height == 0


def test_answers_are_searched_where_asked_and_every_pair_of_a_prompt_goes():
    rows = table("one", "two", chosen=ITEM)
    assert decontaminate(rows, against=[ITEM]).height == 0
    assert decontaminate(rows, against=[ITEM], of="chosen")["row_id"].to_list() == ["0", "1"]
    assert decontaminate(rows, against=[ITEM], of="all").height == 2
    twice = table(ITEM, ITEM).with_columns(prompt_id=pl.lit("p"))
    assert decontaminate(twice, against=[ITEM]).height == 2


@pytest.mark.parametrize("kind", ["jsonl.gz", "parquet", "csv", "txt"])
def test_items_come_from_a_file_and_are_named_as_it_names_them(tmp_path, kind):
    path = tmp_path / f"items.{kind}"
    frame = pl.DataFrame({"benchmark": ["trains"], "item": ["7"], "text": [ITEM]})
    if kind == "jsonl.gz":
        path.write_bytes(gzip.compress(json.dumps(frame.row(0, named=True)).encode()))
    elif kind == "txt":
        path.write_text(ITEM + "\n")
    else:
        getattr(frame, f"write_{kind}")(path)
    value = decontaminate(table(ITEM), against=str(path))["value"][0]
    assert value.startswith("items.txt/1: a train" if kind == "txt" else "trains/7: a train")


def test_a_list_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        decontaminate(table(ITEM), against=str(tmp_path / "none.jsonl"))
    with pytest.raises(ValueError, match="is empty"):
        decontaminate(table(ITEM), against=[])
    pl.DataFrame({"question": [ITEM]}).write_parquet(tmp_path / "items.parquet")
    with pytest.raises(ValueError, match="no column 'text'; it has question"):
        decontaminate(table(ITEM), against=str(tmp_path / "items.parquet"), column="text")


def test_every_planted_overlap_is_found_and_nothing_else(monkeypatch):
    monkeypatch.setattr("tasks.texts.words.CHUNK", 4096)  # many parts, as in a large file
    random = np.random.default_rng(3)
    words = np.array([f"w{i}" for i in range(3000)])
    items = [" ".join(words[random.integers(0, 3000, size)]) for size in random.integers(5, 40, 500)]
    texts = [" ".join(words[random.integers(0, 3000, 30)]) for _ in range(3000)]
    planted = sorted(random.choice(3000, 300, replace=False).tolist())
    for i in planted:
        item = items[random.integers(0, 500)].split()
        start = random.integers(0, max(1, len(item) - 12))
        texts[i] = " ".join([*texts[i].split()[:9], *item[start : start + 13], *texts[i].split()[9:]])
    found = overlaps(pl.Series(texts), index(pl.Series(items), run=13))
    assert found.text.tolist() == planted
    for text, item, start, end in zip(found.text, found.item, found.start, found.end, strict=True):
        assert " " + texts[text][start:end] + " " in " " + items[item] + " "
