"""How far the labels of a dataset can be trusted, and whether it is fit to be trained and measured with.

Source: position bias as in MT-bench (arXiv:2306.05685, section 3.3); self-preference by identity (Panickssery et al.
2024, arXiv:2404.13076); strength as in arXiv:2401.06080; near-duplicates as in arXiv:2107.06499; decontamination as in
arXiv:2411.15124, section 3.2; shift between audited and judged pairs (Rabanser et al. 2019, arXiv:1810.11953).

Use it beside ``basics``, which says that the rows are sound. It is bad at small datasets: rates of fifty pairs are
chance.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from schemas.blocks import gate
from tasks.gates._suite import Rows, asked, checked, measured
from tasks.texts.items import read_items
from tasks.texts.minhash import near
from tasks.texts.overlap import index, overlaps

SAMPLE = 200_000
"""Prompts that are searched for near-duplicates; where there are more, the share found is scaled up."""


@gate(scope="dataset", files=("against",))
def trust(
    preferences: Rows,
    judgments: Rows,
    previous: Rows,
    *,
    max_flip_rate: float = 0.4,
    max_first_shown_excess: float = 0.1,
    max_identity_rate: float = 0.02,
    max_saturated_rate: float = 0.6,
    max_weak_rate: float = 0.2,
    max_even_rate: float = 0.05,
    max_unlike_rate: float = 0.1,
    max_near_duplicate_share: float = 0.1,
    threshold: float = 0.8,
    against: str | tuple[str, ...] = (),
    run: int = 13,
    max_drift: float = 0.5,
    blocks: tuple[str, ...] = (),
    warns: tuple[str, ...] = (),
) -> pl.DataFrame:
    """Returns one row a check: name, severity (``block`` or ``warn``), success, observed, allowed, says.

    The checks stand in ``trust.json`` (a Great Expectations suite), what they look at in ``trust.sql``. Rates of judges
    are those of the worst judge and criterion.

    Args:
        preferences: the pairs about to be published. judgments: those of this run.
        previous: the pairs of the newest published version; no rows where there is none.
        max_unlike_rate: of pairs that ``weight: posterior`` found unlike those its judges were audited on; the checks
            ``unlike_length``, ``unlike_texts``, ``unlike_task`` and ``unlike_agreement`` name by what.
        threshold: Jaccard similarity of 3-word shingles from which two prompts are near-duplicates.
        against: benchmark items that no prompt may share ``run`` words in a row with: texts, or a file or folder of
            them as ``filter: decontaminate`` reads.
        max_drift: from the previous version, in standard deviations for means, as a share for the mix of policies.
        blocks, warns: checks that are to block, or only to warn, whatever their file says.
    """
    limits = {name: value for name, value in locals().items() if name.startswith("max_")}
    here = Path(__file__)
    tables = {"preferences": preferences, "judgments": judgments, "previous": previous}
    numbers = measured(here.with_suffix(".sql").read_text(encoding="utf-8"), tables)
    numbers["near_duplicate_share"] = _near_duplicates(preferences, threshold)
    numbers["benchmark_overlaps"] = _overlaps(preferences, against, run) if against else 0.0
    return checked(here.with_suffix(".json"), numbers, limits, blocks=blocks, warns=warns)


PROMPTS = """
with step as (select greatest(approx_count_distinct(prompt_id) // {sample}, 1)::ubigint as step from preferences)
select
    prompt_id, (select step from step) as step,
    any_value(array_to_string(list_transform(prompt, lambda m: coalesce(m.content, '')), chr(10))) as prompt
from preferences where hash(prompt_id) % (select step from step) = 0
group by prompt_id order by prompt_id
"""


def _near_duplicates(preferences: Rows, threshold: float) -> float:
    rows = asked(PROMPTS.format(sample=SAMPLE), {"preferences": preferences})
    if not rows.height:
        return 0.0
    found = len(near(rows["prompt"], threshold=threshold).row)
    return min(1.0, found / rows.height * int(rows["step"][0]))  # a sample of 1 in n holds 1 in n of the partners


def _overlaps(preferences: Rows, against: str | tuple[str, ...], run: int) -> float:
    rows = asked(PROMPTS.format(sample=2**60), {"preferences": preferences})
    items = read_items(Path(against))["text"] if isinstance(against, str) else pl.Series(against)
    return float(len(overlaps(rows["prompt"], index(items, run=run)).text))
