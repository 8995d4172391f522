"""Which judges were audited on other pairs than those at hand, and by what these differ.

Source: Rabanser et al. 2019, arXiv:1810.11953 (two-sample tests before a model is trusted elsewhere).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from schemas.coins import coins
from tasks.readers.audits import ANSWERS, Audited, Floats
from tasks.readers.shift import MOST, Sample, reasons
from tasks.texts.likeness import LENGTH, NAMES, likeness

PAIRS = 5 * MOST
"""Pairs whose texts are looked at."""


def unlike(preferences: pl.DataFrame, pairs: pl.Series, table: Floats, records: list[Audited]) -> list[list[str]]:
    """Returns for each judge by what the pairs differ from its audit's: length gap, length, texts, agreement, task.

    Judges of one gold set share what is found for any of them. Empty where nothing differs, or nothing can be compared.

    Args:
        pairs: pair_id of the rows of the table. table: (pairs x judges x ANSWERS) what each said of the chosen.
    """
    if not len(pairs):
        return [[] for _ in records]
    rows = _sampled(preferences, pairs)
    like, longer = _texts(rows)
    place = pairs.search_sorted(rows["pair_id"]).to_numpy()
    tasks = rows["task"].to_list() if "task" in rows.columns else [None] * rows.height
    prompts = rows["prompt_id"].to_list()
    found: list[list[str]] = []
    for judge, record in enumerate(records):
        if record.like is None or record.longer is None or record.prompts is None:
            found.append([])
            continue
        own = Sample(record.prompts, _numbers(record.like, record.longer, record.said), _falling(record, records),
                     record.tasks or [None] * len(record.items))  # fmt: skip
        said = table[place]
        heard = ~np.isnan(said[:, judge, :3]).all(axis=1)
        here = Sample(
            [name for name, there in zip(prompts, heard, strict=True) if there],
            _numbers(like[heard], longer[heard], said[heard, judge]),
            {"agreement": _answered(said[heard, judge], np.delete(said[heard], judge, axis=1))},
            [task for task, there in zip(tasks, heard, strict=True) if there],
        )  # fmt: skip
        found.append(reasons(own, here, level=0.02 / len(records)))
    return [_of_gold(judge, records, found) for judge in range(len(records))]


def _of_gold(judge: int, records: list[Audited], found: list[list[str]]) -> list[str]:
    own = {gold for gold, _ in records[judge].items}
    shared = [
        name for names, record in zip(found, records, strict=True) if own & {gold for gold, _ in record.items}
        for name in names
    ]  # fmt: skip
    return list(dict.fromkeys(shared))


def _sampled(preferences: pl.DataFrame, pairs: pl.Series) -> pl.DataFrame:
    """Returns all pairs of prompts drawn by lot, as far as they are so many."""
    known = preferences.filter(pl.col("pair_id").is_in(pairs.implode()))
    prompts = known["prompt_id"].unique().sort()
    drawn = prompts.gather(np.argsort(coins(0, prompts), kind="stable")[:MOST].tolist())
    return known.filter(pl.col("prompt_id").is_in(drawn.implode())).sort("pair_id").head(PAIRS)


def _texts(rows: pl.DataFrame) -> tuple[Floats, Floats]:
    """Returns (pairs x numbers) what the texts are like, and log of the chosen's length over the rejected's."""
    if not {"prompt", "chosen", "rejected"} <= set(rows.columns):
        return np.full((rows.height, len(NAMES)), np.nan), np.full(rows.height, np.nan)
    texts = rows.select(_text(rows, name) for name in ("prompt", "chosen", "rejected"))
    like = np.array([likeness(*each) for each in texts.iter_rows()]).reshape(rows.height, len(NAMES))
    size = [pl.col(name).str.len_chars() + 1 for name in ("chosen", "rejected")]
    return like, texts.select((size[0] / size[1]).log()).to_series().to_numpy()


def _text(rows: pl.DataFrame, name: str) -> pl.Expr:
    if rows.schema[name] == pl.String:
        return pl.col(name).fill_null("")
    content = pl.element().struct.field("content").fill_null("")
    return pl.col(name).list.eval(content).list.join("\n").fill_null("")


def _numbers(like: Floats, longer: Floats, said: Floats) -> dict[str, Floats]:
    """Returns what is compared of texts and lengths, with how far the judge sides with the longer one."""
    voice = np.sign(np.nansum(np.sign(said[:, :3]), axis=1))
    leans = (voice * np.clip(longer, -1.0, 1.0))[:, None]
    gap, lengths = like[:, LENGTH][:, :1], np.column_stack([like[:, LENGTH][:, 1:], leans])
    return {"length gap": gap, "length": lengths, "texts": like[:, LENGTH.stop :]}


def _falling(record: Audited, records: list[Audited]) -> dict[str, Floats]:
    others = [other for other in records if other is not record]
    said = np.full((len(record.items), len(others), len(ANSWERS)), np.nan)
    for index, other in enumerate(others):
        place = {item: row for row, item in enumerate(other.items)}
        rows = np.array([place.get(item, -1) for item in record.items], dtype=np.int64)
        said[rows >= 0, index] = other.said[rows[rows >= 0]]
    return {"agreement": _answered(record.said, said)}


def _answered(said: Floats, others: Floats) -> Floats:
    """Returns three numbers a pair: whether both orders agree, how sure the judge is, how many others agree with it."""
    orders = np.where(
        np.isnan(said[:, 0] * said[:, 1]), np.nan, (np.sign(said[:, 0]) == np.sign(said[:, 1])).astype(float)
    )
    heard = ~np.isnan(said[:, :3]).all(axis=1)
    sure = np.where(heard, np.abs(_mean(said[:, :3])), np.nan)
    voice, voices = np.sign(_mean(said[:, :3])), np.sign(_mean(others[:, :, :3]))
    known = ~np.isnan(others[:, :, :3]).all(axis=2)
    count = known.sum(axis=1)
    same = ((voices == voice[:, None]) & known).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = same / count
    return np.column_stack([orders, sure, agreed])


def _mean(values: Floats) -> Floats:
    """Returns the means along the last axis of what is known, 0 where nothing is."""
    known = ~np.isnan(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1))
