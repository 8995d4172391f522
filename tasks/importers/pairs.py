"""Published preference data in its usual shapes, as pairs of messages.

Source: TRL's dataset formats (explicit and implicit prompt, standard and conversational); Anthropic HH; UltraFeedback's
binarized form; RewardBench 2 and RM-Bench; Nectar; the sets with two answers and a label that ``choices`` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from schemas.errors import DataError
from schemas.ids import content_id
from schemas.messages import Message, text_of
from schemas.tables import PREFERENCES
from tasks.importers import choices
from tasks.importers.answers import Answer
from tasks.importers.columns import NAMES, column
from tasks.importers.rows import Reader, Taken

Row = Mapping[str, Any]
FIELDS = (
    "prompt", "system", "history", "input", *NAMES, "first", "second", "better",
)  # fmt: skip
"""Fields that a mapping may name a column for."""
_QUADRUPLE = {"x1", "x2", "y1", "y2"}
_RATED = ("completion", "messages", "conversations")


def as_pairs(
    rows: pl.DataFrame | Sequence[tuple[int, Row]], mapping: Mapping[str, str], *, file: str = "rows",
    reader: Reader | None = None, refuse: Callable[[DataError], None] | None = None,
) -> dict[str, pl.DataFrame]:  # fmt: skip
    """Returns the pairs of each set of labels: columns of the preferences table; ties and missing answers make none.

    Data with one label a row have one set, ``pairs``; with several annotators, one for each of their columns. A row
    with a list of rated answers gives its best and its worst; so do rated answers in rows of their own, prompt by
    prompt. Lists of chosen and rejected answers give every pair of one and the other.

    Args:
        rows: of the file, as they are, counted from 1, or with their numbers.
        mapping: field -> column, before the usual names.
        file, refuse: named in messages, and given a row that cannot be read; without it that is raised.
        reader: keeps account of the columns used.

    Raises:
        ValueError: the columns hold no pairs, or it is not clear which answer a label means; the message says so.
        DataError: a row cannot be read.
    """
    numbered = list(enumerate(rows.iter_rows(named=True), start=1)) if isinstance(rows, pl.DataFrame) else rows
    given = [row for _, row in numbered]
    names = dict.fromkeys(name for row in given for name in row)
    for field, at in mapping.items():
        if field not in FIELDS:
            raise ValueError(f"no field {field!r} to map; there are {', '.join(FIELDS)}")
        if at not in names:
            raise ValueError(f"no column {at!r}; there are {', '.join(names)}")
    reader = reader or Reader(mapping, file, brings=True)
    voting = _voting(given, names, mapping)
    if voting is None:
        raise ValueError(
            f"no pairs in the columns {', '.join(names)}: expected prompt, chosen and rejected, or two answers "
            "and a label; name the columns with --map chosen=COLUMN,rejected=COLUMN or first=…,second=…,label=…"
        )
    reader.look(given)
    taken = list(_taken(reader, numbered, refuse))
    if not voting:
        return {"pairs": _frame(_by_rating(taken))}
    sets = {name: _frame(_voted(taken, vote)) for name, vote in voting.items()}
    if set(sets) == {"pairs"} or len(sets) > 1:
        return sets
    return {"pairs": sets.popitem()[1]}


def as_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """Returns pairs of any shape as texts: id, prompt, chosen and rejected, with the other columns of those that were.

    Raises:
        ValueError: the columns hold no pairs. DataError: a row cannot be read.
    """
    numbered = rows if "id" in rows.columns else rows.with_row_index("id")
    ids = numbered["id"].cast(pl.String)
    sides = ("prompt", "chosen", "rejected")
    if all(rows.schema.get(side) == pl.String for side in sides):
        return numbered.with_columns(ids.alias("id"))
    reader = Reader({}, "gold", brings=True)
    records = list(enumerate(rows.iter_rows(named=True), start=1))
    reader.look([row for _, row in records])
    made = []
    for name, record in zip(ids, records, strict=True):
        found = list(_by_rating(list(_taken(reader, [record], None))))
        for place, pair in enumerate(found):
            texts = {side: text_of(pair[side]) for side in sides}
            made.append({"id": name if len(found) == 1 else f"{name}/{place}", **texts})
    return pl.DataFrame(made, schema=dict.fromkeys(("id", *sides), pl.String))


def _voting(
    rows: Sequence[Row], names: Mapping[str, None], mapping: Mapping[str, str]
) -> dict[str, choices.Vote] | None:
    """Returns the sets of votes on two answers; none where answers are rated, null where nothing rates them."""
    top = dict.fromkeys(names, 0)
    if (column(top, "chosen", mapping) and column(top, "rejected", mapping)) or names.keys() >= _QUADRUPLE:
        return {}
    several = any(isinstance(row.get(name), list) for name in choices.LISTS for row in rows[:100])
    if choices.answers(names, mapping) or several:
        voting = choices.votes(rows, mapping)
        if voting or several:
            return voting
    single = column(top, "completion", mapping) or any(name in names for name in _RATED)
    rated = any(column(top, name, mapping) for name in ("label", "score"))
    return {} if single and rated else None


def _taken(
    reader: Reader, rows: Iterable[tuple[int, Row]], refuse: Callable[[DataError], None] | None
) -> Iterator[tuple[Row, Taken]]:
    for number, row in rows:
        if any(row.get(name) is None for name in _gaps(row, reader.mapping)):
            continue
        try:
            yield from ((row, each) for each in reader.read(row, number))
        except DataError as error:
            if refuse is None:
                raise
            refuse(error)


def _gaps(row: Row, mapping: Mapping[str, str]) -> list[str]:
    """Returns the columns of a pair's two answers: where one is null there is no pair."""
    return [name for side in ("chosen", "rejected") if (name := column(row, side, mapping))]


def _by_rating(taken: Sequence[tuple[Row, Taken]]) -> Iterator[dict[str, Any]]:
    """Yields pairs of chosen with rejected; where answers only are rated, of a prompt's best with its worst."""
    rated: dict[str, tuple[Taken, list[Answer]]] = {}
    for _, each in taken:
        sides = {label: [a for a in each.answers if a.brought.get("label") is label] for label in (True, False)}
        if len(each.answers) > 1 and sides[True] and sides[False]:
            yield from (_pair(each, one, other) for one in sides[True] for other in sides[False])
        elif len(each.answers) > 1:
            yield from _extremes(each, each.answers)
        else:
            rated.setdefault(content_id("prompt", each.messages), (each, []))[1].extend(each.answers)
    for each, found in rated.values():
        yield from _extremes(each, found)


def _extremes(each: Taken, answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    marked = [(float(mark), answer) for answer in answers if answer.messages and (mark := _mark(answer)) is not None]
    if not marked:
        return
    best, worst = max(marked, key=lambda one: one[0]), min(marked, key=lambda one: one[0])
    if best[0] > worst[0]:
        yield _pair(each, best[1], worst[1])


def _mark(answer: Answer) -> Any:
    return answer.brought.get("score", answer.brought.get("label"))


def _voted(taken: Sequence[tuple[Row, Taken]], vote: choices.Vote) -> Iterator[dict[str, Any]]:
    for row, each in taken:
        better = vote(row)
        if better is None or len(each.answers) != 2 or not all(answer.messages for answer in each.answers):
            continue
        yield _pair(each, *(each.answers if better == "first" else each.answers[::-1]), scored=False)


def _pair(each: Taken, one: Answer, other: Answer, *, scored: bool = True) -> dict[str, Any]:
    asked: list[Message] = each.messages
    name = content_id("prompt", asked)
    numbers: dict[str, float] = {}
    for side, answer in (("chosen", one), ("rejected", other)):
        if scored and answer.brought.get("score") is not None:
            numbers[f"{side}_score"] = float(answer.brought["score"])
    if len(numbers) == 2:
        numbers["margin"] = numbers["chosen_score"] - numbers["rejected_score"]
    return {
        "prompt_id": name, "prompt": asked, "chosen": one.messages, "rejected": other.messages,
        "chosen_id": content_id("completion", name, one.messages),
        "rejected_id": content_id("completion", name, other.messages),
        "content_id": content_id("texts", name, one.messages, other.messages), "recipe": "foreign", **numbers,
    }  # fmt: skip


def _frame(made: Iterable[dict[str, Any]]) -> pl.DataFrame:
    """Returns the rows there are, with ids that depend on the row's place, so that doubles stay two rows."""
    rows = [row | {"pair_id": content_id("pair", i, row["content_id"])} for i, row in enumerate(made)]
    types = PREFERENCES.empty().schema
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["pair_id", "prompt_id", "chosen", "rejected"]
    return pl.DataFrame(rows, schema={name: types[name] for name in names})
