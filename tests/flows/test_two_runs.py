"""Two runs of different recipes on one root at the same time: what both need is bought once, and neither is hurt."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import orjson

PROMPTS = 40
RECIPE = """
name: {name}
source: "best and worst of n samples, as in SimPO (arXiv:2405.14734, section 4)"
about: Makes pairs.
blocks:
  - sample: independent
    policy: ""
    n: 4
  - judge: pointwise
    model: ""
  - score: mean
  - select: {select}
"""


def test_two_recipes_at_once_on_one_root_buy_what_both_need_once(start, command, serve_engine, tmp_path: Path):
    served = serve_engine(prefill_ms=30.0, tpot_ms=0.2)
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"Name {n} fruits."}) + "\n" for n in range(PROMPTS)))
    models = ("--policy", f"openai:{served.url}:policy?concurrency=16", "--judge",
              f"openai:{served.url}:judge-score?concurrency=16")  # fmt: skip
    runs = {}
    for name, select in (("extremes", "best_vs_worst"), ("every", "all_pairs")):
        (tmp_path / f"{name}.yaml").write_text(RECIPE.format(name=name, select=select))
        runs[name] = start("run", f"{name}.yaml", "--prompts", prompts, *models, "--json")
    results = {}
    for name, process in runs.items():
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        results[name] = json.loads(out)

    bodies = Counter(orjson.dumps(body, option=orjson.OPT_SORT_KEYS) for body in served.engine.seen)
    assert set(bodies.values()) == {1}
    assert len(bodies) == PROMPTS + 4 * PROMPTS
    assert sum(result["calls"]["asked"] for result in results.values()) == len(bodies)
    assert command("ledger", "verify").code == 0
    counted = command("sql", "select dataset, count(*) as n from preferences group by 1", "--json").json
    assert {row["dataset"]: row["n"] for row in counted} == {
        name: result["rows"]["preferences"] for name, result in results.items()
    }
    alone = command("run", "extremes.yaml", "--prompts", prompts, *models, "--root", "alone", "--json").json
    assert alone["digest"] == results["extremes"]["digest"]
