"""Recognises a gold set by its columns, and reads it with the importer for its shape.

Source: the shapes that ``tasks.reports.gold`` and ``gold_steps`` name.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tasks.importers.pairs import as_texts
from tasks.reports import gold as importers
from tasks.reports.gold import VERDICTS, Imported
from tasks.reports.gold_steps import bigbench_mistake, mrgsm8k

_NO_VERDICTS = pl.DataFrame(schema=VERDICTS)


def recognised(gold: pl.DataFrame, verdicts: pl.DataFrame | None = None, *, shape: str | None = None) -> Imported:
    """Returns the plain gold table of a file, and the verdicts that were published with it.

    Args:
        gold: the file as it is. verdicts: a second file with a judge's recorded verdicts, where there is one.
        shape: the importer's name, where the columns alone do not tell.

    Raises:
        ValueError: no importer fits; the message names the shapes and their columns.
    """
    for name, (needs, more, read) in _SHAPES.items():
        fits = needs <= set(gold.columns) and (more is None or (verdicts is not None and more <= set(verdicts.columns)))
        if shape in (name, None) and fits:
            return read(gold, verdicts)
    known = "; ".join(f"{name}: {', '.join(sorted(needs))}" for name, (needs, _, _) in _SHAPES.items())
    raise ValueError(f"these columns fit no gold set ({', '.join(gold.columns)}); known are {known}")


def _plain(gold: pl.DataFrame, verdicts: pl.DataFrame | None) -> Imported:
    known = _NO_VERDICTS if verdicts is None else verdicts
    absent = [pl.lit(None).cast(kind).alias(name) for name, kind in VERDICTS.items() if name not in known.columns]
    return Imported(importers.plain(gold), known.with_columns(absent).select(list(VERDICTS)))


def _pairs(gold: pl.DataFrame, _: pl.DataFrame | None) -> Imported:
    return Imported(importers.chosen_rejected(as_texts(gold)), _NO_VERDICTS)


def _llmbar(gold: pl.DataFrame, verdicts: pl.DataFrame | None) -> Imported:
    outputs = pl.DataFrame(
        schema={
            "subset": pl.String, "item": gold.schema["item"], "judge": pl.String, "prompting": pl.String,
            "trial": pl.Int64, "swapped": pl.Boolean, "winner": pl.String,
        }
    )  # fmt: skip
    return importers.llmbar(gold, outputs if verdicts is None else verdicts)


def _mtbench(gold: pl.DataFrame, verdicts: pl.DataFrame | None) -> Imported:
    assert verdicts is not None
    return importers.mtbench(gold, verdicts)


def _alone(read: Callable[[pl.DataFrame], Imported]) -> Callable[[pl.DataFrame, pl.DataFrame | None], Imported]:
    return lambda gold, _: read(gold)


_SHAPES: dict[str, tuple[set[str], set[str] | None, Callable[[pl.DataFrame, pl.DataFrame | None], Imported]]] = {
    "plain": ({"item_id", "label"}, None, _plain),
    "mtbench": ({"question_id", "turn", "model_a", "model_b", "winner", "judge"}, {"question_id", "winner"}, _mtbench),
    "llmbar": ({"subset", "item", "instruction", "output_1", "output_2", "gold"}, None, _llmbar),
    "pandalm": ({"idx", "instruction", "response_1", "annotator1", "gpt35_verdict"}, None, _alone(importers.pandalm)),
    "vicuna": ({"question_id", "model_a", "model_b", "score_a", "len_a"}, None, _alone(importers.vicuna)),
    "mrgsm8k": ({"uuid", "question", "first_error_step", "steps"}, None, mrgsm8k),
    "bigbench_mistake": ({"task", "item", "input", "steps", "mistake_index"}, None, _alone(bigbench_mistake)),
    "pairs": ({"chosen", "rejected"}, None, _pairs),
}
