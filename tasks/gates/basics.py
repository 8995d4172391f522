"""What every preference dataset must satisfy before it is published.

Source: invariants of published constructions (chosen differs from rejected, none twice, chosen not outscored); length
and position bias as in MT-bench (arXiv:2306.05685, section 3.3).

Use it in every recipe. It is bad at meaning: it counts and compares, and a dataset of fluent nonsense passes.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from schemas.blocks import gate
from tasks.gates._schema import faulty, schema_faults
from tasks.gates._suite import Rows, checked, measured


@gate(scope="dataset")
def basics(
    preferences: Rows,
    completions: Rows,
    prompts: Rows,
    judgments: Rows,
    *,
    min_pairs: int = 1,
    max_error_rate: float = 0.1,
    max_unparsable_rate: float = 0.2,
    max_truncated_rate: float = 0.2,
    max_refused_rate: float = 0.2,
    max_contradicted_rate: float = 0.5,
    max_length_win_rate: float = 0.8,
    blocks: tuple[str, ...] = (),
    warns: tuple[str, ...] = (),
) -> pl.DataFrame:
    """Returns one row a check: name, severity (``block`` or ``warn``), success, observed, allowed, says.

    The checks stand in ``basics.json`` (a Great Expectations suite), what they look at in ``basics.sql``. A rate is
    that of the worst judge and criterion, over all its judgments; an answer "not applicable" is no refusal.
    ``contradicted_rate`` is over the comparisons that could be read; ``length_win_rate`` is the share of pairs whose
    chosen text is the longer, equal lengths half.

    Args:
        preferences: the pairs about to be published.
        completions, prompts: what their ids must resolve to.
        judgments: those of this run.
        blocks, warns: checks that are to block, or only to warn, whatever their file says.

    Raises:
        ValueError: a check could not be computed, or there is none of such a name.
    """
    limits = {
        "min_pairs": min_pairs,
        "max_error_rate": max_error_rate,
        "max_unparsable_rate": max_unparsable_rate,
        "max_truncated_rate": max_truncated_rate,
        "max_refused_rate": max_refused_rate,
        "max_contradicted_rate": max_contradicted_rate,
        "max_length_win_rate": max_length_win_rate,
    }
    here = Path(__file__)
    tables = {"preferences": preferences, "completions": completions, "prompts": prompts, "judgments": judgments}
    faults = schema_faults(preferences)
    if faults:  # nothing else can be asked of such a table
        return faulty(faults)
    numbers = measured(here.with_suffix(".sql").read_text(encoding="utf-8"), tables)
    return checked(here.with_suffix(".json"), numbers | {"schema_faults": 0.0}, limits, blocks=blocks, warns=warns)
