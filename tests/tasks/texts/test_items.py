import gzip
import json

import polars as pl
import pytest

from tasks.texts.items import read_items

CHOICES = {"text": ["one", "two"], "label": ["A", "B"]}
LONG = "Which of these eight planets is nearest to the sun at noon?"


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "text", "item"),
    [
        pytest.param({"question": "How many?", "answer": "#### 4"}, ["How many?"], "1", id="GSM8K"),
        pytest.param({"problem": "Find x.", "solution": "2", "unique_id": "a/1"}, ["Find x."], "a/1", id="MATH-500"),
        pytest.param({"task_id": "HumanEval/0", "prompt": "def f():", "test": "t"}, ["def f():"], "HumanEval/0",
                     id="HumanEval"),
        pytest.param({"task_id": 2, "text": "Write f.", "code": "c"}, ["Write f."], "2", id="MBPP"),
        pytest.param({"key": 7, "prompt": "No commas.", "kwargs": []}, ["No commas."], "7", id="IFEval"),
        pytest.param({"question_id": 81, "turns": ["One.", "Two."]}, ["One.", "Two."], "81", id="MT-bench, by turns"),
        pytest.param({"instruction": "Name it.", "output": "x"}, ["Name it."], "1", id="AlpacaEval"),
        pytest.param({"question": LONG, "choices": ["one", "two"]}, [LONG], "1", id="MMLU, a question for itself"),
        pytest.param({"question": "Which one?", "choices": CHOICES, "id": "x"}, ["Which one?\none\ntwo"], "x",
                     id="ARC, a short question with its choices"),
        pytest.param({"Question": "Is it true?", "Best Answer": "no"}, ["Is it true?"], "1", id="TruthfulQA"),
        pytest.param({"messages": [{"role": "user", "content": "Hi."}]}, ["Hi."], "1", id="conversations"),
    ],
)  # fmt: skip
def test_published_sets_are_read_as_they_are(tmp_path, row, text, item):
    found = read_items(written(tmp_path / "set.jsonl", [row]))
    assert found["text"].to_list() == text
    assert found["item"].to_list() == [item] * len(text)
    assert found["benchmark"].to_list() == ["set.jsonl"] * len(text)


def test_a_folder_is_all_the_files_in_it(tmp_path):
    (tmp_path / "deep").mkdir()
    written(tmp_path / "deep" / "b.jsonl", [{"question": "Two?"}])
    pl.DataFrame({"problem": ["One."], "benchmark": ["mine"]}).write_csv(tmp_path / "a.csv")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"Three, with a comma.\n"))
    (tmp_path / "d.json").write_text('[{"goal": "Four."}]')
    (tmp_path / "README.md").write_text("not items")
    assert read_items(tmp_path).rows() == [
        ("mine", "1", "One."), ("c.txt.gz", "1", "Three, with a comma."), ("d.json", "1", "Four."),
        ("b.jsonl", "1", "Two?"),
    ]  # fmt: skip


def test_what_holds_no_text_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        read_items(tmp_path / "none.jsonl")
    with pytest.raises(ValueError, match="holds no file with benchmark items"):
        read_items(tmp_path)
    path = written(tmp_path / "set.jsonl", [{"colour": "red"}])
    with pytest.raises(ValueError, match="no column that is known to hold what is asked; name it with column; it has"):
        read_items(path)
    assert read_items(path, "colour")["text"].to_list() == ["red"]
