"""How well the strength of a preference, made of judges' verdicts alone, says what people prefer.

    python benchmarks/strength.py PANDALM.parquet [HUMAN.parquet GPT4.parquet] [--splits 100] [--page FILE]

The first holds PandaLM's human pairs, the others MT-bench's human votes and GPT-4's verdicts. In each split the judges
are audited on half of the prompts; on the other half ``posterior`` makes P(chosen better) of their verdicts. Printed
are the calibration error against the human majority (a split agrees half with either side), with a bootstrap
interval of the first split and mean and spread over all, and the agreement with people among the strongest pairs.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tasks.reports import gold as importers
from tasks.reports._frames import items
from tasks.reports._statistics import Calibration, calibration
from tasks.reports._strength import Kept, gain, strongest
from tasks.reports._svg import curve, falling
from tasks.reports.audit import audit, audit_row
from tasks.reports.audit_page import STYLE
from tasks.weighters.posterior import posterior


class Half(NamedTuple):
    """The held-out half of a split: the claimed winner's probability, whether people agree, and its items."""

    claimed: np.ndarray[Any, np.dtype[np.float64]]
    agreed: np.ndarray[Any, np.dtype[np.float64]]
    clusters: list[str]

    def calibration(self) -> Calibration:
        """Returns how far what is claimed is from what comes true."""
        return calibration(self.claimed, self.agreed, self.clusters)

    def curve(self) -> tuple[Kept, ...]:
        """Returns the agreement with people among the strongest pairs."""
        return strongest(self.claimed, self.agreed)

    def least(self, seed: int, times: int = 50) -> float:
        """Returns the calibration error that these claims would show if every one of them were exactly true."""
        drawn = np.random.default_rng(seed).random((times, len(self.claimed))) < self.claimed
        place = np.minimum((self.claimed.round(9) * 10).astype(int), 9)
        off = [np.abs((drawn - self.claimed)[:, place == b].sum(axis=1)) for b in np.unique(place)]
        return float((sum(off) / len(self.claimed)).mean())


def held_out(found: importers.Imported, seed: int, ties: bool = True) -> Half:
    """Returns the pairs of half of the prompts with what judges audited on the other half make of them.

    Args:
        ties: keep the pairs whose people are split, which agree half with either, as the audit has it.
    """
    prompt = pl.coalesce("prompt_id", "prompt", "item_id")
    whole = items(found.gold).with_columns(prompt_id=prompt).drop_nulls("label")
    prompts = whole["prompt_id"].unique().sort()
    audited = set(prompts.sample(fraction=0.5, shuffle=True, seed=seed).to_list())
    inside = whole.filter(pl.col("prompt_id").is_in(audited))["item_id"].implode()
    gold = found.gold.filter(pl.col("item_id").is_in(inside))
    rows = []
    for judge in found.verdicts["judge"].unique().sort():
        said = found.verdicts.filter(pl.col("judge") == judge, pl.col("item_id").is_in(inside))
        rows.append(audit_row(audit(gold, said, judge=judge), fingerprint=judge, gold="half", gold_hash="half"))
    rest = whole.filter(~pl.col("item_id").is_in(inside))
    rest = rest if ties else rest.filter(pl.col("label") != "tie")
    pairs = rest.select("prompt_id", "label", pair_id="item_id", chosen_id="first_who", rejected_id="second_who")
    made = posterior(pairs, judgments(found, whole), pl.DataFrame(rows)).drop_nulls("p_chosen")
    chance = made["p_chosen"].to_numpy()
    first = made["label"].replace_strict({"first": 1.0, "second": 0.0, "tie": 0.5}, return_dtype=pl.Float64).to_numpy()
    backed = np.where(chance >= 0.5, first, 1 - first)
    return Half(np.maximum(chance, 1 - chance), np.where(chance == 0.5, 0.5, backed), made["prompt_id"].to_list())


def judgments(found: importers.Imported, whole: pl.DataFrame) -> pl.DataFrame:
    """Returns the published verdicts as two judgments each, one an order; a contradicted one names either once."""
    met = found.verdicts.join(whole.select("item_id", "prompt_id", "first_who", "second_who"), on="item_id")
    known = met.filter(pl.col("outcome").is_in(["valid", "tie", "contradicted"]))
    named = {"first": pl.col("first_who"), "second": pl.col("second_who")}
    parts = []
    for one, other in (("first", "second"), ("second", "first")):
        winner = (
            pl.when(pl.col("outcome") == "contradicted").then(named[one])
            .when(pl.col("verdict") == "first").then(named["first"])
            .when(pl.col("verdict") == "second").then(named["second"])
        )  # fmt: skip
        parts.append(
            known.select(
                "prompt_id", "judge", fingerprint="judge", kind=pl.lit("pairwise"), criterion=pl.lit("overall"),
                subjects=pl.concat_list(named[one], named[other]), winner=winner,
                outcome=pl.when(pl.col("outcome") == "contradicted").then(pl.lit("valid")).otherwise("outcome"),
            )
        )  # fmt: skip
    return pl.concat(parts)


def measured(name: str, found: importers.Imported, splits: int) -> str:
    """Prints the figures of one set; returns its part of a page."""
    halves = [held_out(found, seed) for seed in range(splits)]
    first, errors = halves[0].calibration(), np.array([half.calibration().error.value for half in halves])
    floors = np.mean([half.least(seed) for seed, half in enumerate(halves)])
    gains = np.array([gain(half.curve()) for half in halves])
    shares = dict(halves[0].curve())
    lines = [
        f"{name}: {len(halves[0].claimed)} held-out pairs in split 0, {splits} splits",
        f"  calibration error in split 0        {first.error}, "
        f"without sampling noise {100 * (first.corrected or 0):.1f} %",
        f"  calibration error, all splits       {100 * errors.mean():.1f} % on average, 95 % of them in "
        f"{_span(errors)}, {100 * np.mean(errors <= 0.05):.0f} % of them at most 5 %",
        f"  … if every claim were exactly true  {100 * floors:.1f} % on average: so much is sampling noise",
        f"  … of all splits' claims together    {100 * _pooled(halves):.1f} %",
        f"  agreement, all pairs of split 0     {shares[1.0]}",
        f"  … their strongest half              {shares[0.5]}",
        f"  gained by keeping the strongest half {100 * gains.mean():.1f} points on average, 95 % of the splits in "
        f"{_span(gains)}",
    ]
    print(*lines, sep="\n")
    shown = "".join(f"<li>{escape(line.strip())}</li>" for line in lines[1:])
    return f"<h1>{escape(lines[0])}</h1><ul>{shown}</ul>{curve(first.curve, low=0.0)}{falling(halves[0].curve())}"


def _pooled(halves: list[Half]) -> float:
    claimed, agreed = (np.concatenate([getattr(half, name) for half in halves]) for name in ("claimed", "agreed"))
    return float(calibration(claimed, agreed).error.value or 0.0)


def _span(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{100 * low:.1f} to {100 * high:.1f}"


def main() -> None:
    """Prints the figures, and writes the page where one is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pandalm")
    parser.add_argument("mtbench", nargs="*", help="human votes, and GPT-4's")
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--page", type=Path)
    told = parser.parse_args()
    parts = [measured("PandaLM", importers.pandalm(pl.read_parquet(told.pandalm)), told.splits)]
    if told.mtbench:
        votes = importers.mtbench(*map(pl.read_parquet, told.mtbench))
        parts.append(measured("MT-bench", votes, told.splits))
    if told.page:
        told.page.write_text(
            f'<!doctype html><meta charset="utf-8"><title>Strength</title><style>{STYLE}</style>{"".join(parts)}'
        )


if __name__ == "__main__":
    main()
