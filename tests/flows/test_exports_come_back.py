"""Every export format of ours reads back: as recorded answers, as pairs to audit, or as prompts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from flows.foreign import audit_dataset
from flows.replayed import replayed
from schemas.errors import DataError
from schemas.messages import assistant, text_of, to_rows
from schemas.tables import COMPLETIONS
from tasks import registry
from tasks.importers.pairs import as_pairs
from tasks.load import file_prompts
from tasks.read import read_rows
from tests.support import exported, stepdpo, steprows
from tests.support.exported import CALL, chat
from tests.support.preferences import pairs

ASKED = to_rows(chat(("system", "Be brief."), ("user", "Q?")))
TWO = [
    {"prompt": ASKED, "chosen": assistant("This is good."), "rejected": assistant("bad one"), "chosen_score": 2.0,
     "rejected_score": 1.0, "margin": 1.0, "p_chosen": 0.75, "weight": 1.0, "stage": 1, "annotator_group": "u"},
]  # fmt: skip
CALLED = [{"prompt": to_rows("Add 1."), "chosen": to_rows([CALL]), "rejected": assistant("I cannot.")}]
META = '{"attributes":{"help":1.0}}'
RATED = (
    {"prompt": ASKED, "completion": assistant("This is good."), "label": True, "reward": 2.0, "meta": META},
    {"prompt": ASKED, "completion": assistant("bad one"), "label": False, "reward": 1.0, "meta": META},
)
LIST = {"prompt": ASKED, "completions": ["This is good.", "bad one"], "rewards": [2.0, 1.0], "ranks": [1, 2]}
TRIPLE = {"prompt": ASKED, "completions": ["best", "This is good.", "bad one"], "rewards": [3.0, 2.0, 1.0],
          "meta": '{"roles":["reference","chosen","rejected"]}'}  # fmt: skip
NOTHING = COMPLETIONS.empty()


def halves() -> pl.DataFrame:
    """Returns a quadruple as its two pairs."""
    sides = (("1", "y1", "y2"), ("2", "y2", "y1"))
    return pairs(
        [
            {"prompt": to_rows(f"x{side}?"), "chosen": assistant(one), "rejected": assistant(other),
             "meta": f'{{"quadruple":"q","side":{side}}}'}
            for side, one, other in sides
        ]
    )  # fmt: skip


def export(name: str, *tables: pl.DataFrame, **params: Any) -> pl.DataFrame:
    found: pl.DataFrame = registry.find("export", name).function(*tables, **params)
    return found


PAIRS = (
    "trl_dpo", "trl_reward", "openrlhf_pairs", "axolotl_pairs", "llamafactory_pairs", "soft_pairs", "staged_pairs",
    "weighted_pairs", "grouped_pairs", "parquet",
)  # fmt: skip
SINGLE = ("trl_kto", "openrlhf_kto", "axolotl_kto", "llamafactory_kto", "attribute_rows", "trl_sft")
STEPS = ("trl_stepwise", "prm800k", "math_shepherd", "openr", "openrlhf_stepwise")
MADE: dict[str, Callable[[], pl.DataFrame]] = {
    **{name: lambda name=name: export(name, pairs(TWO)) for name in PAIRS},  # type: ignore[misc]
    **{name: lambda name=name: export(name, exported.examples(*RATED)) for name in SINGLE},  # type: ignore[misc]
    "trl_sft": lambda: export("trl_sft", exported.examples(*RATED), kept=False),
    "reward_rows": lambda: export("reward_rows", exported.examples(*RATED), NOTHING),
    "list_rows": lambda: export("list_rows", exported.rankings(LIST), NOTHING),
    "trl_tpo": lambda: export("trl_tpo", exported.rankings(TRIPLE), NOTHING),
}
OTHERS = ("quadruple_rows", "step_dpo", "verl_prompts", "openrlhf_prompts", *STEPS)


def written(frame: pl.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in frame.to_dicts()))
    return path


def recorded(path: Path) -> list[dict[str, Any]]:
    return [answer for answers in replayed(path, {})["completions"].values() for answer in answers]


def shown(path: Path) -> list[tuple[str, ...]]:
    made = as_pairs(read_rows(path), {})["pairs"]
    return [tuple(text_of(row[side]) for side in ("prompt", "chosen", "rejected")) for row in made.to_dicts()]


def test_every_format_is_here() -> None:
    assert {*MADE, *OTHERS} == set(registry.family("export"))


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", MADE)
def test_answers_come_back_with_their_prompt_and_what_is_known_of_them(name: str, kind: str, tmp_path: Path) -> None:
    path = written(MADE[name](), tmp_path / f"train.{kind}")
    answers = {row["text"]: row for row in recorded(path)}
    assert set(answers) == {"This is good.", "bad one"}
    table = pl.concat(file_prompts(path, {}, brings=True).shards(10))
    assert [text_of(row) for row in table["messages"]] == ["Be brief.\n\nQ?"]
    assert [turn["role"] for turn in table["messages"][0].to_list()] == ["system", "user"]
    good, bad = ((answers[text].get("score"), answers[text].get("label")) for text in ("This is good.", "bad one"))
    assert good[0] is None or good[0] > bad[0]
    assert good[1] in (None, True)
    assert bad[1] in (None, False)
    assert good != (None, None)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
@pytest.mark.parametrize("name", MADE)
def test_pairs_come_back_to_be_audited(name: str, kind: str, tmp_path: Path) -> None:
    path = written(MADE[name](), tmp_path / f"train.{kind}")
    assert shown(path) == [("Be brief.\n\nQ?", "This is good.", "bad one")]


def test_a_version_in_several_formats_is_audited_by_its_first(tmp_path: Path) -> None:
    card = "configs:\n- config_name: trl_dpo\n  data_files: [{split: train, path: trl_dpo/train.parquet}]\n"
    for name in ("trl_dpo", "soft_pairs"):
        (tmp_path / name).mkdir()
        written(MADE[name](), tmp_path / name / "train.parquet")
    (tmp_path / "README.md").write_text(f"---\n{card}- config_name: soft_pairs\n  data_files: soft_pairs/*\n---\n")
    found = audit_dataset(tmp_path)
    assert found["labels"]["pairs"]["figures"]["pairs"] == 1
    assert found["notes"] == [f"{tmp_path}: reads the configuration trl_dpo; there are also soft_pairs"]


@pytest.mark.parametrize("name", ["llamafactory_pairs", "parquet"])
def test_a_tool_call_comes_back_as_one(name: str, tmp_path: Path) -> None:
    path = written(export(name, pairs(CALLED)), tmp_path / "train.parquet")
    (made,) = as_pairs(read_rows(path), {})["pairs"]["chosen"].to_list()
    (call,) = orjson.loads(made[0]["tool_calls"])
    assert (call["function"]["name"], orjson.loads(call["function"]["arguments"])) == ("add", {"a": 1})
    called, text = recorded(path)
    assert called["messages"] == made
    assert text["text"] == "I cannot."


def test_a_quadruple_is_two_pairs(tmp_path: Path) -> None:
    path = written(export("quadruple_rows", halves()), tmp_path / "train.parquet")
    assert shown(path) == [("x1?", "y1", "y2"), ("x2?", "y2", "y1")]
    assert [(row["text"], row["label"]) for row in recorded(path)] == [
        ("y1", True), ("y2", False), ("y2", True), ("y1", False),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["step_dpo", "parquet"])
def test_step_pairs_come_back_with_the_beginning_both_share(name: str, tmp_path: Path) -> None:
    path = written(export(name, stepdpo.pairs()), tmp_path / "train.parquet")
    begun = "Step 1: 3 * 4 = 12\n"
    assert shown(path)[0] == ("3 * 4 + 1?", f"{begun}Step 2: 12 + 1 = 13\n", f"{begun}Step 2: 12 + 1 = 14\n")


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("name", STEPS)
def test_solutions_come_back_with_their_steps_and_their_first_wrong_one(name: str, keep: bool, tmp_path: Path) -> None:
    table = steprows.rows(question="2 + 2?").with_columns(
        completions=pl.lit(["Step 1: two\n", "Step 2: four\n"], pl.List(pl.String)), labels=pl.lit([1.0, 0.0])
    ).with_columns(labels=pl.lit([1.0, 0.0], pl.List(pl.Float64))).head(1)  # fmt: skip
    kept = {"keep": True} if keep and name != "openrlhf_stepwise" else {}
    path = written(export(name, table, **kept), tmp_path / "train.parquet")
    assert [(row["text"], row["cuts"], row["first_error"]) for row in recorded(path)] == [
        ("Step 1: two\nStep 2: four", [12], 2)
    ]
    table = pl.concat(file_prompts(path, {}, brings=True).shards(10))
    assert [text_of(row) for row in table["messages"]] == ["2 + 2?"]


@pytest.mark.parametrize("name", ["verl_prompts", "openrlhf_prompts"])
def test_prompts_come_back_with_their_reference_and_bring_no_answers(name: str, tmp_path: Path) -> None:
    asked = exported.prompts({"reference": "4", "source": "sums"})
    path = written(export(name, exported.scores(("p0", "a", 0.0)), asked), tmp_path / "train.parquet")
    table = pl.concat(file_prompts(path, {}).shards(10))
    assert table.select("reference", "source").rows() == [("4", "sums")]
    assert text_of(table["messages"][0].to_list()) == "Q?"
    with pytest.raises(DataError, match="row 1, field '.*': there is no answer"):
        replayed(path, {})
    with pytest.raises(DataError, match="no pairs in the columns"):
        audit_dataset(path)
