"""Every response-level recipe, end to end: the embedded policy answers, a scripted judge on a real socket judges.

Recipes that need what the embedded policy cannot give (a pool of models, labels, programs, queries) replay data. All
share one ledger, so that a sample or a judgment that two recipes need is bought once.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import uvloop

from docs import catalogue
from flows import plan as planning
from flows.result import Result
from flows.run import plan_async, run
from flows.settings import Settings
from schemas.messages import text_of
from storage.store import Store
from tasks import registry
from tasks.backends.embedded import FOLDER
from tasks.publish import shape
from tasks.recipes import known, load
from tasks.sources.arithmetic import solution
from tests.support.referee import speak
from tests.support.trainers import READERS

HARD = (  # problems at the edge of what the embedded policy can do, so that its samples differ
    "31 - 41 - 26 + 4", "84 - 97 - 88 + 46", "66 - 81 - 7 * 8", "58 - 77 + 63 - 90", "6 - 10 - 7 - 48",
    "46 - 47 + 41", "4 - 9 - 1", "8 * 15 - 97 + 60", "47 - 49 - 39 + 41", "73 - 95 + 68", "6 * 6 - 39", "51 + 83 - 92",
)  # fmt: skip
SECOND = {  # recipes with a second model: the parameter that names it
    "nash-md": "mixture.reference_model", "ipo-md": "mixture.reference_model", "xpo": "reference.reference_model",
    "selm": "reference.reference_model", "vpo": "reference.reference_model", "dno": "reference.reference_model",
    "wrpo": "reference.reference_model", "dice": "implicit_reward.reference_model",
    "sera": "implicit_reward.reference_model",
}  # fmt: skip
BY_LIKELIHOOD = ("flr", "mapo", "iterative-dpo")
"""Recipes whose judge is a model's log-probabilities: the embedded policy's own."""
SMALLER = {  # as few samples as the recipe can do with
    "rso": ("independent.n=12",), "sweet-spot": ("independent.n=12",), "sea": ("independent.n=6",),
    "inpo": ("independent.n=4",), "lipo": ("independent.n=4",), "dpa": ("select.least=20",),
    "dno": ("select.bar=3", "select.gap=1"), "trpa": ("independent.n=8",), "brain": ("independent.n=6",),
    "nash-md": ("mixture.max_tokens=80", "independent.max_tokens=80"), "ipo-md": ("mixture.max_tokens=80",),
    "scpo": ("score_bounds.least_chosen=0.3",), "active-queries": ("active_pairs.min_std=0.1",),
    "pearl": ("length.at_most=3",), "tulu3": ("decontaminate.against=[a text that nobody would ask for here]",),
    "adacot": ("length.at_most=20",), "hummer": ("conflicting_dimensions.most=2",),
    "flr": ("followup_likelihood.positive=[Thanks]", "followup_likelihood.negative=[Wrong]"),
}  # fmt: skip
FEWER = {"t1": 6, "darwin": 6, "nash-md": 6, "ipo-md": 6, "mapo": 6}
"""Prompts, where each takes long."""
OTHERS = {  # what a recipe makes beside pairs, or instead
    "lipo": "rankings", "pro": "rankings", "triple-po": "rankings", "wrpo": "rankings", "cyclealign": "rankings",
    "variance-prompts": "rankings", "spo-minimaximalist": "rankings", "pf-ppo": "examples", "brain": "examples",
    "dpa": "examples", "dragon": "examples", "helpsteer2": "examples", "meet": "examples", "offline-rlhf": "examples",
    "rewards-in-context": "examples", "aot": "examples", "oreal": "examples", "ghpo": "examples",
    "idea-control": "examples",
}  # fmt: skip
NO_PAIRS = set(OTHERS) - {"spo-minimaximalist", "aot", "oreal", "ghpo", "idea-control"}
REPLAYED = ("tulu3", "pearl", "code-dpo", "reasoning-sql")
BY_LOT = {"pro", "prompt-a-video"}
"""Recipes whose judges see answers in an order drawn by their ids, which a plan does not know."""
LONG = {  # several rounds, likelihoods token by token, or programs in the sandbox
    "align-pro", "bmc", "code-dpo", "darwin", "dice", "dpa", "flr", "heron", "ipo-md", "l1", "mapo", "nash-md",
    "prompt-a-video", "rlgf", "sso", "t1", "wpo",
}  # fmt: skip
SYSTEMS = [
    "heron", "nash-md", "seppo", "vpl", "lipo", "rlgf", "spo-minimaximalist", "xpo", "pf-ppo", "maxmin", "inpo",
    "dno", "t1", "variance-prompts", "preference-degree", "dragon", "preference-strength", "dpa", "simpo",
    "active-queries", "flr", "helpsteer2-preference", "selm", "oreal", "idea-control", "mm-rlhf", "reasoning-sql",
    "helpsteer2", "tulu3", "adacot", "vpo", "rlhs", "ghpo", "rso", "pro", "trpa", "brain", "sdpo", "sso", "sera",
    "ipo-md", "triple-po", "rs-dpo", "mixture-of-judges", "modpo", "spo-sequential", "aot", "wrpo", "irepo", "rdpo",
    "rewards-in-context", "sea", "iterative-dpo", "sppo", "self-judge", "darwin", "dice", "reward-augmented",
    "oaif", "align-pro", "mmpo", "wpo", "code-dpo", "afd", "meet", "hummer", "cyclealign", "bmc", "mapo",
    "sweet-spot", "scpo", "offline-rlhf", "l1", "pearl", "iopo", "prompt-a-video",
]  # fmt: skip


def test_every_published_construction_has_its_recipe():
    assert len(SYSTEMS) == len(set(SYSTEMS)) == 76
    assert set(SYSTEMS) <= set(known())
    assert set(SYSTEMS) >= LONG | OTHERS.keys() | SECOND.keys() | SMALLER.keys()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prompts, replay data, a second checkpoint and a ledger that all recipes share."""
    folder = tmp_path_factory.mktemp("recipes")
    asked = [
        {"prompt": f"What is {each}?", "reference": solution(each), "source": ("easy", "hard")[i % 2],
         "group": f"variant {i // 2}"}
        for i, each in enumerate(HARD)
    ]  # fmt: skip
    _lines(folder / "prompts.jsonl", asked)
    for name in REPLAYED:
        _lines(folder / f"{name}.jsonl", DATA[name])
    _perturbed(folder / "second")
    return folder


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _perturbed(folder: Path) -> None:
    """Copies the embedded checkpoint with noise in its weights: another model with the same tokens."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(FOLDER, folder)
    random = np.random.default_rng(0)
    weights = load_file(folder / "model.safetensors")
    noisy = {
        name: (each + random.normal(0, 0.02, each.shape) * np.std(each.astype(np.float32))).astype(each.dtype)
        for name, each in weights.items()
    }
    save_file(noisy, folder / "model.safetensors")


PROGRAMS = ["def f(x):\n    return x + 1", "def f(x):\n    return x - 1", "def f(x):\n    return 1 + x", "f = 2"]
QUERIES = ["SELECT name FROM fruit WHERE price > 2", "SELECT name FROM fruit", "SELECT price FROM fruit", "SELECT"]
DATA: dict[str, list[dict[str, Any]]] = {
    "tulu3": [
        {"prompt": f"Name fruit {p}.", "completion": "plum " * (1 + (3 * m + p) % 7), "policy": f"model-{m}"}
        for p in range(8) for m in range(6)
    ],
    "pearl": [
        {"prompt": f"Name fruit {p}.", "completion": f"{'plum ' * (1 + m)}{p}", "policy": f"model-{m}",
         "label": bool(m < 2) if p < 6 else None}
        for p in range(9) for m in range(5)
    ],
    "code-dpo": [
        {"prompt": f"Write f number {p}.", "completion": f"```python\n{code}\n```", "policy": "m",
         "tests": "assert f(1) == 2", "reference": PROGRAMS[0]}
        for p in range(3) for code in PROGRAMS
    ],
    "reasoning-sql": [
        {"prompt": f"Which fruit cost more than 2? ({p})", "completion": query, "policy": "m", "reference": QUERIES[0],
         "tests": json.dumps({"setup": "CREATE TABLE fruit (name TEXT, price INT);"
                                       "INSERT INTO fruit VALUES ('plum', 1), ('fig', 3);"})}
        for p in range(3) for query in QUERIES
    ],
}  # fmt: skip


@pytest.fixture
def make(lake: Path, serve_engine: Any) -> Any:
    """Runs a recipe by name, as ``pairwright run`` would; returns its result, and what is still to buy by its plan."""
    served = serve_engine(out_tokens=20, judge_out_tokens=20)
    served.engine.speak = speak
    second, chat = f"embedded:{lake / 'second'}", f"openai:{served.url}:referee?identity=referee"

    def go(name: str) -> tuple[Result, int]:
        replayed = name in REPLAYED
        changed = [f"{SECOND[name]}={second}"] if name in SECOND else []
        request = planning.Request(
            recipe=name, prompts=None if replayed else lake / "prompts.jsonl",
            data=lake / f"{name}.jsonl" if replayed else None,
            policy=None if replayed else chat.replace("referee", "p") if name == "self-judge" else "embedded",
            judge="embedded" if name in BY_LIKELIHOOD else chat,
            settings=(*changed, *SMALLER.get(name, ())), limit=FEWER.get(name),
        )  # fmt: skip
        settings = Settings(workers=0, ledger=str(lake / "ledger.sqlite"))
        result = run(planning.make(request), str(lake / name), settings=settings)
        plan = uvloop.run(plan_async(planning.make(request), str(lake / name), settings=settings, prompts=0))
        return result, sum(row["answers_to_buy"] for row in plan["models"])

    return go


@pytest.mark.parametrize("name", [pytest.param(s, marks=[pytest.mark.slow] if s in LONG else []) for s in SYSTEMS])
def test_a_recipe_runs_end_to_end_and_makes_rows_that_can_be_trained_on(name, make, lake):
    result, missing = make(name)
    assert result.status == "done", (result.reason, result.errors)
    assert name in BY_LOT or missing == 0, "its plan says that what was bought is to be bought"
    store = Store.open(str(lake / name))
    version = f"{name}@{result.version}"
    if name not in NO_PAIRS:
        pairs = store.read("preferences", version=version).collect()
        assert pairs.height == result.rows["preferences"] > 0
        _check_pairs(pairs)
    if name in OTHERS:
        rows = store.read(OTHERS[name], version=version).collect()
        assert rows.height > 0
        _check_rows(OTHERS[name], rows)
    for form in catalogue.exports(load(name)):
        if form in READERS:  # what the catalogue says of the recipe: this trainer's parser takes its rows
            shaped = shape(store, store.resolve(version), registry.find("export", form), {})
            assert shaped.height > 0
            for row in shaped.iter_rows(named=True):
                READERS[form](row)


def _check_pairs(pairs: pl.DataFrame) -> None:
    assert pairs["pair_id"].n_unique() == pairs.height
    for row in pairs.iter_rows(named=True):
        chosen, rejected = text_of(row["chosen"]), text_of(row["rejected"])
        assert chosen.strip()
        assert rejected.strip()
        assert " ".join(chosen.split()) != " ".join(rejected.split())
        assert row["chosen"][-1]["role"] == row["rejected"][-1]["role"] == "assistant"
        assert row["prompt"][-1]["role"] == "user"
        for column in ("p_chosen", "weight", "margin", "strength", "chosen_score", "rejected_score"):
            assert row[column] is None or np.isfinite(row[column])
        assert row["p_chosen"] is None or 0 <= row["p_chosen"] <= 1
        assert row["weight"] is None or row["weight"] >= 0
        if None not in (row["chosen_score"], row["rejected_score"]) and not row["flipped"]:
            assert row["chosen_score"] >= row["rejected_score"] or row["level"] == "constraint"
        assert row["meta"] is None or isinstance(json.loads(row["meta"]), dict)


def _check_rows(name: str, rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        if name == "rankings":
            assert len(row["completion_ids"]) == len(row["completions"]) == len(row["rewards"]) >= 2
            assert len(set(row["completion_ids"])) == len(row["completion_ids"])
        else:
            assert text_of(row["completion"]).strip()
            assert row["weight"] is None or row["weight"] >= 0
            assert row["label"] is not None or row["reward"] is not None
