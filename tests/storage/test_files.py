import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import UsageError
from storage.files import atomic_file, atomic_folder, write_jsonl, write_parquet


def _table(rows: int) -> pa.Table:
    return pa.table(
        {"id": [f"{i:06}" for i in range(rows)], "x": [i / 7 for i in range(rows)], "t": [["a", None]] * rows}
    )


@pytest.mark.parametrize("rows", [0, 1, 16_384, 40_000])
def test_the_same_rows_give_the_same_bytes_however_they_are_batched(tmp_path, rows):
    table = _table(rows)
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=999))
    pieces = [table.slice(0, rows // 3), table.slice(rows // 3)]
    found = []
    for i, data in enumerate((table, stream, pieces)):
        assert write_parquet(tmp_path / f"{i}", data, metadata={"digest": "d"}) == rows
        found.append((tmp_path / f"{i}").read_bytes())
    assert found[0] == found[1] == found[2]
    assert pq.read_table(tmp_path / "0").equals(table)
    assert pq.read_schema(tmp_path / "0").metadata[b"digest"] == b"d"


def test_the_same_rows_give_the_same_bytes_in_another_process(tmp_path):
    code = (
        "import sys, pyarrow as pa; from pathlib import Path; from storage.files import write_parquet\n"
        "write_parquet(Path(sys.argv[1]), pa.table({'id': ['a', 'b'], 'x': [0.1, None]}))"
    )
    for name in ("1", "2"):
        command = [sys.executable, "-c", code, str(tmp_path / name)]
        subprocess.run(command, cwd=Path(__file__).parents[2], check=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_polars_frames_are_written_with_types_every_reader_knows(tmp_path):
    frame = pl.DataFrame({"id": ["a"], "n": [1]})
    assert write_parquet(tmp_path / "x", frame) == 1
    assert write_parquet(tmp_path / "empty", frame.clear()) == 0
    assert pq.read_schema(tmp_path / "x").field("id").type == pa.string()
    assert pl.read_parquet(tmp_path / "empty").schema == frame.schema
    with pytest.raises(UsageError, match="no rows and no schema"):
        write_parquet(tmp_path / "none", [])


def test_json_lines_keep_order_and_text(tmp_path):
    rows = [{"b": "zwölf\n", "a": [1.5, None]}, {"b": "", "a": []}]
    assert write_jsonl(tmp_path / "x.jsonl", rows) == 2
    lines = (tmp_path / "x.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line) for line in lines] == rows
    assert lines[0].startswith(b'{"b":"zw\xc3\xb6lf')


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out" / "data"

    def break_off():
        with atomic_folder(target) as draft:
            (draft / "half").write_text("x")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        break_off()
    assert list(target.parent.iterdir()) == []
    with atomic_folder(target) as draft:
        (draft / "sub").mkdir()
        (draft / "sub" / "a").write_text("x")
        assert not target.exists()
    assert (target / "sub" / "a").read_text() == "x"
    assert [path.name for path in target.parent.iterdir()] == ["data"]


def test_a_folder_that_is_there_makes_way_only_on_purpose(tmp_path):
    target = tmp_path / "data"
    target.mkdir()
    with atomic_folder(target) as draft:  # an empty one is no loss
        (draft / "a").write_text("1")
    with pytest.raises(UsageError, match="not empty"), atomic_folder(target):
        pass
    with atomic_folder(target, replace=True) as draft:
        (draft / "b").write_text("2")
    assert [path.name for path in target.iterdir()] == ["b"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"), atomic_folder(tmp_path / "file", replace=True):
        pass


def test_a_file_takes_the_place_of_another_in_one_step(tmp_path):
    (tmp_path / "x").write_text("old")

    def break_off():
        with atomic_file(tmp_path / "x") as draft:
            draft.write_text("new")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        break_off()
    assert (tmp_path / "x").read_text() == "old"
    with atomic_file(tmp_path / "x") as draft:
        draft.write_text("new")
    assert (tmp_path / "x").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_process_left_is_cleared_away_by_the_next(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from storage.files import atomic_folder\n"
        "with atomic_folder(Path(sys.argv[1])) as draft:\n"
        "    (draft / 'half').write_text('x'); print('in', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_folder(tmp_path / "data") as draft:
        (draft / "a").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
