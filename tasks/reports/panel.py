"""What the judges of a dataset did with its pairs: with the label, with each other, by length and by place.

Source: Zheng et al. 2023, arXiv:2306.05685, section 3.3 (position and verbosity); Krippendorff 2011 (agreement of
several annotators); only verdicts that are valid count, as in ``weight: strength``.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import polars as pl

from tasks.reports._statistics import wilson

_SPOKEN = pl.element().struct.field("content").str.len_chars().fill_null(0)
MOST = 12
"""Judges shown, those that judged most pairs."""
_READ = ("prompt_id", "judge", "fingerprint", "kind", "subjects", "score", "winner")
SAMPLE = 50_000
"""Pairs looked at; ids are digests, so the first ones are as good as drawn by lot."""


def panel(pairs: pl.LazyFrame, judgments: pl.LazyFrame) -> dict[str, Any]:
    """Returns ``judges`` (name -> shares with intervals) and ``agreement`` (of each two judges on the same pairs).

    A judge's voice on a pair is the side its verdicts prefer on the whole: 1 for the chosen, -1 for the rejected.
    ``label``: voices for the chosen. ``longer``: voices for the longer text. ``first``: verdicts on two answers
    that name the one shown first. Ties and equal lengths are in no share.

    Args:
        pairs: pair_id, prompt_id, chosen_id, rejected_id, chosen, rejected. judgments: of their prompts, or more.
    """
    sides = [pl.col(side).list.eval(_SPOKEN).list.sum().alias(f"{side}_chars") for side in ("chosen", "rejected")]
    looked_at = pairs.sort("pair_id").head(SAMPLE)
    lean = looked_at.select("pair_id", "prompt_id", "chosen_id", "rejected_id", *sides).collect(engine="streaming")
    wanted = judgments.filter(pl.col("outcome") == "valid", pl.col("kind").is_in(["pairwise", "pointwise"]))
    near = wanted.join(lean.lazy().select("prompt_id").unique(), on="prompt_id", how="semi")
    sure = pl.col("probability") if "probability" in judgments.collect_schema().names() else pl.lit(None, pl.Float64)
    said = _named(near.select(*_READ, probability=sure).collect())
    voices = _voices(lean, said)
    first = _first(lean, said)
    names = voices.group_by("name").len().sort("len", "name", descending=[True, False])["name"].head(MOST).sort()
    judges = {name: _shares(voices.filter(name=name), first.filter(name=name)) for name in names}
    return {"judges": judges, "agreement": _agreement(voices, names.to_list())}


def _named(said: pl.DataFrame) -> pl.DataFrame:
    """Returns the judgments with a name for each judge; its fingerprint tells two of one name apart."""
    several = pl.col("fingerprint").n_unique().over("judge") > 1
    mark = pl.col("judge") + pl.when(several).then(" " + pl.col("fingerprint").str.slice(0, 4)).otherwise(pl.lit(""))
    return said.with_columns(name=mark)


def _voices(pairs: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    rated = said.filter(kind="pointwise").drop_nulls("score")
    one = rated.select("prompt_id", "name", subject=pl.col("subjects").list.first(), score="score")
    mean = one.group_by("prompt_id", "name", "subject").agg(pl.col("score").mean())
    chosen = pairs.join(mean, left_on=["prompt_id", "chosen_id"], right_on=["prompt_id", "subject"])
    both = chosen.join(
        mean, left_on=["prompt_id", "rejected_id", "name"], right_on=["prompt_id", "subject", "name"], suffix="_other"
    )
    kept = ["pair_id", "name", "chosen_chars", "rejected_chars", "margin"]
    found = [both.with_columns(margin=(pl.col("score") - pl.col("score_other")).sign().cast(pl.Float64)).select(kept)]
    for turned in (False, True):
        met = _shown(pairs, said, turned)
        named = pl.when(pl.col("winner") == pl.col("chosen_id")).then(1.0).otherwise(-1.0)
        won = pl.coalesce((2 * pl.col("probability") - 1) * (-1.0 if turned else 1.0), named)
        found.append(met.with_columns(margin=won).select(kept))
    every = pl.concat(found).group_by("pair_id", "name").agg(
        pl.col("chosen_chars", "rejected_chars").first(), voice=pl.col("margin").mean().sign()
    )  # fmt: skip
    return every.sort("name", "pair_id")


def _shown(pairs: pl.DataFrame, said: pl.DataFrame, turned: bool) -> pl.DataFrame:
    """Returns the verdicts on the two answers of a pair, the rejected shown first where ``turned``."""
    sides = ["rejected_id", "chosen_id"] if turned else ["chosen_id", "rejected_id"]
    duels = said.filter(kind="pairwise").drop_nulls("winner").with_columns(
        one=pl.col("subjects").list.get(0, null_on_oob=True), other=pl.col("subjects").list.get(1, null_on_oob=True)
    )  # fmt: skip
    return pairs.join(duels, left_on=["prompt_id", *sides], right_on=["prompt_id", "one", "other"])


def _first(pairs: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    parts = [
        _shown(pairs, said, turned).select("name", first=pl.col("winner") == pl.col(side))
        for turned, side in ((False, "chosen_id"), (True, "rejected_id"))
    ]
    return pl.concat(parts)


def _shares(voices: pl.DataFrame, first: pl.DataFrame) -> dict[str, Any]:
    clear = voices.filter(pl.col("voice") != 0)
    unequal = clear.filter(pl.col("chosen_chars") != pl.col("rejected_chars"))
    longer = (unequal["chosen_chars"] > unequal["rejected_chars"]) == (unequal["voice"] > 0)
    return {
        "pairs": voices.height,
        "label": wilson(float((clear["voice"] > 0).sum()), clear.height)._asdict(),
        "longer": wilson(float(longer.sum()), unequal.height)._asdict(),
        "first": wilson(float(first["first"].sum()), first.height)._asdict(),
    }


def _agreement(voices: pl.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    clear = voices.filter(pl.col("voice") != 0).select("pair_id", "name", "voice")
    found = []
    for one, other in combinations(names, 2):
        met = clear.filter(name=one).join(clear.filter(name=other), on="pair_id", suffix="_other")
        if met.height:
            same = float((met["voice"] == met["voice_other"]).sum())
            found.append({"one": one, "other": other, **wilson(same, met.height)._asdict()})
    return found
