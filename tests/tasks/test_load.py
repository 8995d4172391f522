"""Reading what a user brings: every fault names file, row and field."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from schemas.errors import DataError, UsageError
from schemas.messages import from_rows
from tasks.load import Prompts, file_prompts, parse_map
from tasks.read import read_rows

ROWS = [{"question": f"What is {i} + {i}?", "gold": str(2 * i)} for i in range(5)]
MAP = {"prompt": "question", "reference": "gold"}


def whole(prompts: Prompts) -> pl.DataFrame:
    return pl.concat(prompts.shards(1000))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    kind = path.name.removesuffix(".gz").rsplit(".", 1)[1]
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(path)
    elif kind == "csv":
        pl.DataFrame(rows).write_csv(path)
    else:
        data = (text if kind == "jsonl" else json.dumps(rows)).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["p.parquet", "p.jsonl", "p.jsonl.gz", "p.json", "p.csv"])
def test_every_format_gives_the_same_prompts(tmp_path: Path, name: str) -> None:
    found = whole(file_prompts(write(tmp_path / name, ROWS), MAP))
    assert [from_rows(row)[0]["content"] for row in found["messages"]] == [row["question"] for row in ROWS]
    assert found["reference"].to_list() == ["0", "2", "4", "6", "8"]
    same = whole(file_prompts(write(tmp_path / "other.jsonl", ROWS), MAP))
    assert found["prompt_id"].to_list() == same["prompt_id"].to_list()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_shards_hold_every_prompt_once_in_order_whatever_their_size(tmp_path: Path, size: int) -> None:
    prompts = file_prompts(write(tmp_path / "p.jsonl", [*ROWS, *ROWS]), MAP)
    shards = list(prompts.shards(size))
    assert prompts.height == 5
    assert [shard.height for shard in shards] == [size] * (5 // size) + ([5 % size] if 5 % size else [])
    assert pl.concat(shards).equals(whole(prompts))


def test_a_limit_takes_the_first_prompts(tmp_path: Path) -> None:
    prompts = file_prompts(write(tmp_path / "p.jsonl", ROWS), MAP, limit=3)
    assert prompts.height == 3
    assert whole(prompts)["reference"].to_list() == ["0", "2", "4"]


def test_messages_and_text_are_both_prompts_in_one_file(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}]
    path = write(tmp_path / "p.jsonl", [{"prompt": "plain"}, {"prompt": chat}, {"prompt": json.dumps(chat)}])
    found = whole(file_prompts(path, {}))
    assert [from_rows(row) for row in found["messages"]] == [[{"role": "user", "content": "plain"}], chat]


def test_a_column_called_messages_is_the_prompt(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", [{"messages": [{"role": "user", "content": "Hi"}]}])
    assert whole(file_prompts(path, {})).height == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"prompt": "a"}\n{"prompt": "b"\n', r"p\.jsonl, line 2: not JSON", id="broken line"),
        pytest.param('{"prompt": "a"}\n[1]\n', r"p\.jsonl, line 2: expected an object, found list", id="no object"),
        pytest.param('{"prompt": "a"}\n\n{"prompt": \n', r"p\.jsonl, line 3 \(row 2\): not JSON", id="blank line"),
        pytest.param('{"prompt": "a"}\n\n{"prompt": 7}\n', r"row 2, field 'prompt': not a prompt: .* int", id="int"),
        pytest.param('{"prompt": "a"}\n{"prompt": null}\n', r"row 2, field 'prompt': not a prompt: .* null", id="null"),
        pytest.param('{"promt": "a"}\n', r"field 'prompt': no column 'prompt'.*did you mean 'promt'", id="misspelt"),
        pytest.param('{"id": 1, "prompt": "a", "prompt_id": 1}\n{"prompt": "b", "prompt_id": 1}\n',
                     r"row 2, field 'prompt_id': id 1 already names another prompt in row 1", id="one id, two prompts"),
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("\n\n", "the file has no rows", id="blank lines"),
    ],
)  # fmt: skip
def test_a_fault_in_a_file_is_named_by_row_and_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        file_prompts(path, {})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("missing.jsonl", None, "no such file", id="missing"),
        pytest.param("prompts.xlsx", b"x", r"unknown format \.xlsx; known are \.parquet", id="format"),
        pytest.param("p.parquet", b"PAR1 but not really", "not Parquet", id="parquet"),
        pytest.param("p.jsonl.gz", b"not gzip", "cannot be read", id="gzip"),
        pytest.param("p.json", b'{"a": 1}', "expected a list of objects", id="json"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_rows(path)


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError, match="holds no data file"):
        read_rows(tmp_path)


def test_a_mapping_names_known_fields_and_columns(tmp_path: Path) -> None:
    assert parse_map("prompt=question, reference=gold") == MAP
    with pytest.raises(UsageError, match="no field 'promt'; did you mean 'prompt'"):
        parse_map("promt=question")
    with pytest.raises(UsageError, match="not of the form field=column"):
        parse_map("prompt")
    with pytest.raises(DataError, match="field 'qestion': no such column for 'prompt'; did you mean 'question'"):
        file_prompts(write(tmp_path / "p.jsonl", ROWS), {"prompt": "qestion"})
