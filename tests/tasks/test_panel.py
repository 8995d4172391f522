"""One good judge, one that always names the first, one that loves length, one that throws a coin.

They are audited on a gold set, and then judge other pairs: what is made of their votes must follow the good one.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tasks.reports.audit import audit, audit_row
from tasks.scorers.dawid_skene import dawid_skene
from tasks.scorers.majority import majority
from tasks.weighters.posterior import posterior

JUDGES = ("good", "first", "longer", "random")
SKILL = 0.85


def pairs(n: int, seed: int) -> pl.DataFrame:
    """Pairs of which either may be the better and either the longer; the good judge's own opinion of each."""
    draw = np.random.default_rng(seed)
    better, longer, right = draw.random(n) < 0.5, draw.random(n) < 0.5, draw.random(n) < SKILL
    return pl.DataFrame({"item_id": [f"{seed}-{i:04}" for i in range(n)], "better": better, "longer": longer,
                         "good": better == right, "label": np.where(better, "first", "second"),
                         "first_chars": np.where(longer, 200, 100), "second_chars": np.where(longer, 100, 200)}
                        )  # fmt: skip


def verdicts(gold: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Each judge's verdict on each pair in both orders."""
    draw, parts = np.random.default_rng(seed), []
    for swapped in (False, True):
        first = {"good": gold["good"], "first": pl.Series([not swapped] * gold.height), "longer": gold["longer"],
                 "random": pl.Series(draw.random(gold.height) < 0.5)}  # fmt: skip
        parts += [
            gold.select("item_id", judge=pl.lit(judge), trial=pl.lit(0), swapped=pl.lit(swapped),
                        outcome=pl.lit("valid"), probability=pl.lit(None, pl.Float64),
                        verdict=pl.when(first[judge]).then(pl.lit("first")).otherwise(pl.lit("second")))
            for judge in JUDGES
        ]  # fmt: skip
    return pl.concat(parts)


def judgments(said: pl.DataFrame) -> pl.DataFrame:
    one, two = pl.col("item_id") + "a", pl.col("item_id") + "b"
    return said.select(
        "judge", "outcome", fingerprint="judge", prompt_id="item_id", kind=pl.lit("pairwise"),
        criterion=pl.lit("overall"), winner=pl.when(pl.col("verdict") == "first").then(one).otherwise(two),
        subjects=pl.when("swapped").then(pl.concat_list(two, one)).otherwise(pl.concat_list(one, two)),
    )  # fmt: skip


def accuracy(scores: pl.DataFrame, gold: pl.DataFrame) -> float:
    """How often the better one has the higher score; equal scores count half."""
    side = scores.select("prompt_id", "score", side=pl.col("completion_id").str.slice(-1)).pivot(
        "side", index="prompt_id", values="score"
    )
    both = gold.join(side, left_on="item_id", right_on="prompt_id")
    gap = (pl.col("a") - pl.col("b")) * pl.when("better").then(1).otherwise(-1)
    return float(both.select(((gap > 1e-9) + (gap.abs() <= 1e-9) / 2).mean()).item())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_made_of_an_audited_panel_follows_the_good_judge_and_the_majority_does_not(seed: int) -> None:
    gold, rest = pairs(300, 100 + seed), pairs(400, 200 + seed)
    known, said = verdicts(gold, seed), verdicts(rest, 50 + seed)
    documents = {name: audit(gold, known.filter(pl.col("judge") == name), judge=name) for name in JUDGES}
    audits = pl.DataFrame(
        [audit_row(document, fingerprint=name, gold="g", gold_hash="g") for name, document in documents.items()]
    )
    found = {name: {finding["bias"] for finding in document["findings"]} for name, document in documents.items()}
    assert found["good"] == set()
    assert "position" in found["first"]
    assert "length" in found["longer"]
    assert "length" not in found["first"] | found["random"]

    votes, own = judgments(said), float((rest["good"] == rest["better"]).mean() or 0.0)  # type: ignore[arg-type]
    assert accuracy(dawid_skene(votes, audits), rest) == pytest.approx(own, abs=0.02)
    assert accuracy(majority(votes), rest) < own - 0.05
    preferences = rest.select(
        pair_id="item_id", prompt_id="item_id", chosen_id=pl.col("item_id") + "a", rejected_id=pl.col("item_id") + "b"
    )
    chance = posterior(preferences, votes, audits)["p_chosen"]
    assert float(((chance > 0.5) == rest["better"]).mean() or 0.0) == pytest.approx(own, abs=0.02)  # type: ignore[arg-type]
