import json

import polars as pl
import pytest
from click.testing import CliRunner

from flows.cli import cli
from flows.foreign import audit_dataset
from schemas.errors import DataError

ROWS = {
    "prompt": [f"What is {i} plus {i * 7} and why is that so?" for i in range(6)],
    "chosen": ["Because it is.", "four", "I'm sorry, but I can't help with that.", "longer text", "aa", "b"],
    "rejected": ["no", "five!", "yes", "text", "a@b.uni-mainz.de", "b"],
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pairs.parquet"
    pl.DataFrame(ROWS).write_parquet(path)
    return path


def test_figures_and_defects_of_foreign_data(file):
    found = audit_dataset(file)
    labelled = found["labels"]["pairs"]
    choice = labelled["figures"]["length_choice"]
    assert (choice["all"]["value"], choice["all"]["n"], choice["equal"]) == (0.6, 5, 1)
    assert labelled["defects"] == {
        "identical_texts": {"chosen and rejected are the same text": 1},
        "refusals": {"refusal in the chosen": 1},
        "personal_data": {"email in the rejected": 1},
    }
    assert {check["name"] for check in labelled["gates"]} >= {"identity_rate", "near_duplicate_share"}


def test_the_command_writes_a_page_and_a_folder_is_read_like_a_file(file, tmp_path):
    page = tmp_path / "page.html"
    ran = CliRunner().invoke(cli, ["audit-dataset", str(file), "--html", str(page), "--json"])
    assert ran.exit_code == 0
    assert json.loads(ran.stdout)["labels"].keys() == {"pairs"}
    assert "60.0 %" in page.read_text()
    assert audit_dataset(tmp_path)["rows"] == 6


def test_a_folder_of_lines_is_read_and_one_without_data_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no data file"):
        audit_dataset(tmp_path)
    for name in ("test", "train"):
        (tmp_path / f"{name}.jsonl").write_text('{"prompt": "q", "chosen": "yes", "rejected": "no"}\n')
    assert audit_dataset(tmp_path)["rows"] == 2


def test_benchmark_items_are_looked_for(file, tmp_path):
    items = tmp_path / "items.jsonl"
    items.write_text('{"text": "What is 3 plus 21 and why is that so?"}\n')
    assert audit_dataset(file, against=items)["labels"]["pairs"]["defects"]["decontaminate"] == {
        "prompt overlaps with a benchmark": 1
    }


def test_data_without_pairs_are_refused(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [1]}).write_parquet(path)
    with pytest.raises(DataError, match="no pairs in the columns a"):
        audit_dataset(path)
