"""Audit of a judge: its verdicts against gold labels, its agreement with itself, and its biases, with intervals.

Source: Zheng et al. 2023, arXiv:2306.05685, sections 3 and 4 (agreement, position, verbosity, self-enhancement); Zeng
et al. 2023, arXiv:2310.07641 (accuracy and agreement of two orders); Guo et al. 2017, arXiv:1706.04599 (calibration).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import polars as pl

from tasks.reports._agreement import agreement, ceiling, grouped, order, slices
from tasks.reports._bias import identity, is_biased, length, position
from tasks.reports._evidence import evidence
from tasks.reports._frames import FAILED, PAIR, against_votes, answers, combined, items, judged
from tasks.reports._statistics import Calibration, Rate, calibration
from tasks.reports._steps import explanations, of_steps
from tasks.reports._strength import of_verdicts
from tasks.reports.gold import VERDICTS, plain, shaped

Document = dict[str, Any]


def audit(
    gold: pl.DataFrame, verdicts: pl.DataFrame, *, judge: str = "", judge_policy: str | None = None, seed: int = 0
) -> Document:
    """Returns everything an audit finds, as one document of rates with 95 % intervals.

    A failed answer agrees with nothing and is counted; ``valid`` rates leave it out. A contradicted comparison is read
    as a tie. Where several people voted, the gold label is their majority (a split is a tie).

    Args:
        gold: columns as in ``gold.GOLD``. verdicts: columns as in ``gold.VERDICTS``, of one judge.
        judge_policy: the model that judges, as the gold table's policies name it; by default its own name.
        seed: of the bootstrap.
    """
    gold = plain(gold)
    verdicts = shaped(verdicts, VERDICTS)
    rows = judged(verdicts, items(gold))
    policies = identity(rows)
    own = judge_policy or judge
    document: Document = {
        "judge": judge, "items": rows["item_id"].n_unique(), "verdicts": rows.height,
        "outcomes": dict(sorted(rows["outcome"].value_counts().iter_rows())),
        "verdict": agreement(rows, "read", "label", seed=seed),
        "combined": agreement(combined(rows), "read", "label", seed=seed),
        "votes": agreement(against_votes(rows, gold), "read", "vote", seed=seed),
        "ceiling": ceiling(gold, seed=seed),
        "order": order(rows), "position": position(rows), "length": length(rows), "policies": policies,
        "self": own if own in policies else None,
        "calibration": _calibration(rows, seed), "strongest": of_verdicts(rows),
        "one_of_many": grouped(rows, "many_id"), "contrast": grouped(rows, "contrast_id"),
        "steps": of_steps(rows, seed=seed), "explanations": explanations(rows),
        "slices": slices(rows, seed=seed), "reliability": reliability(rows),
        "answers": answers(rows).to_dict(as_series=False), "evidence": evidence(rows, gold),
    }  # fmt: skip
    return {**document, "findings": findings(document)}


def reliability(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Returns truth -> answer -> count, both as places shown (``first``, ``second``); it anchors Dawid-Skene.

    Verdicts whose order is not known count half for either place.
    """
    counts = {truth: dict.fromkeys((*PAIR, "tie"), 0.0) for truth in PAIR}
    known = rows.filter(pl.col("label").is_in(PAIR), pl.col("read") != FAILED)
    for label, said, swapped, n in known.group_by("label", "read", "swapped").len().iter_rows():
        for turned, share in ((False, 0.5), (True, 0.5)) if swapped is None else ((swapped, 1.0),):
            counts[_shown(label, turned)][_shown(said, turned)] += share * n
    return counts


def _shown(label: str, swapped: bool) -> str:
    return label if label == "tie" or not swapped else PAIR[label == "first"]


def _calibration(rows: pl.DataFrame, seed: int) -> Calibration:
    """Returns the calibration of the claimed winner: folded onto it, so that who stands first does not matter."""
    known = rows.drop_nulls("probability").filter(
        pl.col("label").is_in([*PAIR, "tie"]), pl.col("outcome").is_in(["valid", "tie"])
    )
    chance = known["probability"].to_numpy()
    truth = known["label"].replace_strict({"first": 1.0, "second": 0.0, "tie": 0.5}, return_dtype=pl.Float64).to_numpy()
    backed = chance >= 0.5
    return calibration(
        np.where(backed, chance, 1 - chance), np.where(backed, truth, 1 - truth), known["item_id"].to_list(), seed=seed
    )


def findings(document: Document) -> list[dict[str, str]]:
    """Returns the biases an audit proves, each by name and in a sentence."""
    said = []
    bias: Rate = document["position"]["bias"]
    if is_biased(bias):
        place = "first" if (bias.value or 0) > 0 else "second"
        said.append(("position", f"prefers whichever is shown {place}, by {_points(bias)}"))
    found = document["length"]
    if is_biased(found["bias"], found["beyond_gold"]):
        which = "longer" if found["bias"].value > 0 else "shorter"
        said.append(("length", f"prefers the {which} answer, by {_points(found['bias'])}"))
    for policy, found in document["policies"].items():
        if is_biased(found["bias"], found["beyond_gold"]):
            name, whom = ("self", "its own answers") if policy == document["self"] else ("model identity", policy)
            favours = "favours" if found["bias"].value > 0 else "disfavours"
            said.append((name, f"{favours} {whom}, {_points(found['beyond_gold'])} beyond the gold labels"))
    kappa: Rate = document["verdict"]["kappa"]
    if kappa.n and (kappa.low is None or kappa.low <= 0):
        said.append(("chance", "agrees with the gold labels no better than chance could"))
    return [{"bias": name, "says": sentence} for name, sentence in said]


def _points(rate: Rate) -> str:
    low, high = sorted((abs(rate.low or 0.0), abs(rate.high or 0.0)))
    return f"{100 * abs(rate.value or 0.0):.1f} points ({100 * low:.1f}-{100 * high:.1f})"


def audit_row(document: Document, *, fingerprint: str, gold: str, gold_hash: str) -> dict[str, Any]:
    """Returns the document as a row of the audits table, without its id, run and time; everything is in ``meta``."""
    return {
        "judge": document["judge"], "fingerprint": fingerprint, "gold": gold, "gold_hash": gold_hash,
        "items": document["items"], "accuracy": document["verdict"]["all"].value,
        "kappa": document["verdict"]["kappa"].value, "order_agreement": document["order"]["agreement"].value,
        "position_bias": document["position"]["bias"].value, "length_bias": document["length"]["bias"].value,
        "calibration_error": document["calibration"].error.value,
        "slices": orjson.dumps(as_json(document["slices"])).decode(),
        "meta": orjson.dumps(as_json(document)).decode(),
    }  # fmt: skip


def as_json(value: Any) -> Any:
    """Returns a document with its rates and calibration as mappings, ready for JSON."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: as_json(part) for key, part in value._asdict().items()}
    if isinstance(value, dict):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    return value
