"""One row of a foreign file as prompts and answers, in one place for runs, recorded answers, audits and gold sets.

Source: the shapes that ``chat``, ``columns``, ``benchmarks``, ``answers`` and ``steps`` name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import DataError, nearest
from schemas.messages import Message
from tasks.importers import benchmarks, chat, choices
from tasks.importers.answers import Answer, Field, Found, answers, rating
from tasks.importers.columns import BESIDE_ANSWERS, NAMES, PROMPT, SYSTEM_BESIDE, check_mapping, column
from tasks.importers.turns import said, split
from tasks.importers.values import number, text

Row = Mapping[str, Any]
_TEXTS = ("reference", "task", "tests", "source", "split", "language", "group")
_NO_ANSWER = (
    "there is no answer: no column 'completion', and the last turn is not the assistant's; "
    "map it with --map completion=COLUMN"
)
_QUADRUPLE = {"x1", "x2", "y1", "y2"}
_KEPT = ("policy", "label", "score", "logprob", "on_policy_age", "first_error")


@dataclass(frozen=True)
class Taken:
    """A prompt of a row: its messages, what stands beside it, its answers, and whether an answer was cut off it."""

    messages: list[Message]
    fields: dict[str, str | None]
    own: Any = None
    answers: list[Answer] = field(default_factory=list)
    stripped: bool = False


class Reader:
    """Reads the rows of one file.

    Args:
        mapping: field -> column, before the usual names. file: named in messages.
        brings: whether answers are wanted too.
    """

    def __init__(self, mapping: Mapping[str, str], file: str, *, brings: bool = False) -> None:
        self.mapping, self.file, self.brings = mapping, file, brings
        self.columns: dict[str, None] = {}
        self.used: set[str] = set(mapping.values())
        self._vote: choices.Vote | None = None
        self._scored = False
        self._row: Row = {}

    def look(self, rows: Sequence[Row], every: Callable[[], Iterable[Row]] | None = None) -> None:
        """Learns from the first rows what the columns of the whole file mean.

        Args:
            every: gives all rows, which are gone through where the first ones do not tell.

        Raises:
            DataError: a mapped column is in none of them.
        """
        self.columns = dict.fromkeys(name for row in rows for name in row)
        scored = any(_is_number(row.get("score")) for row in rows)
        if every is not None and (
            set(self.mapping.values()) - self.columns.keys() or ("score" in self.columns and not scored)
        ):
            for row in every():
                self.columns |= dict.fromkeys(row)
                scored = scored or _is_number(row.get("score"))
        self._scored = scored or "score" in self.mapping
        check_mapping(self.mapping, self.columns, self.file)
        if choices.answers(self.columns, self.mapping):
            try:
                voting = choices.votes(rows, self.mapping)
            except ValueError as error:
                raise DataError(str(error), file=self.file) from error
            self._vote = next(iter(voting.values())) if len(voting) == 1 else None

    @property
    def unused(self) -> list[str]:
        """The columns that no row was read from."""
        return [name for name in self.columns if name not in self.used]

    def read(self, row: Row, number: int) -> list[Taken]:
        """Returns the prompts of a row: one, or two of a quadruple.

        Raises:
            DataError: it cannot be read; the message names file, row and field.
        """
        if not row.keys() <= self.columns.keys():
            self.columns |= dict.fromkeys(name for name in row if name not in self.columns)
        row = choices.unfolded(row)
        try:
            if row.keys() >= _QUADRUPLE and "prompt" not in self.mapping:
                return self._quadruple(row)
            return [self._one(row)]
        except Field as error:
            raise DataError(str(error), file=self.file, row=number, field=error.column) from error
        except ValueError as error:
            raise DataError(str(error), file=self.file, row=number) from error

    def _one(self, row: Row) -> Taken:
        item = benchmarks.item(row)
        found = answers(row, self.mapping, self._vote) if self.brings or self._paired(row) else None
        asked: list[Message] | None
        if found is not None and found.prompt is not None:
            asked, name = chat.messages(found.prompt), None
        else:
            asked, name = self._asked(row, item, found)
        if name is not None:
            self.used.add(name)
        if found is not None:
            return self._with_answers(row, item, found, asked, name)
        prompt, last = _prompt(asked, name or "prompt")
        if self.brings:
            if not last:
                raise Field(name or "prompt", _NO_ANSWER)
            filed = [self._rated_answer(row, Answer(last, {}))]
            return Taken(prompt, self._fields(row, item), self._own(row), filed)
        return Taken(prompt, self._fields(row, item), self._own(row), stripped=bool(last))

    def _paired(self, row: Row) -> bool:
        """Whether a row holds its prompt only in the answers of a pair."""
        return column(row, "prompt", self.mapping, PROMPT) is None and bool(
            column(row, "chosen", self.mapping) and column(row, "rejected", self.mapping)
        )

    def _asked(
        self, row: Row, item: benchmarks.Item | None, found: Found | None
    ) -> tuple[list[Message] | None, str | None]:
        """Returns the prompt's messages and the column they were read from; nulls where the answers hold the prompt."""
        known = {} if item is None or "prompt" in self.mapping else item.fields
        beside = found is not None and "completion" not in self.mapping and not found.used & set(NAMES["completion"])
        name = column(row, "prompt", self.mapping, BESIDE_ANSWERS if beside else PROMPT)
        if "prompt" in known:
            value, name = known["prompt"], item.asked if item else None
        elif name is None or name in (found.used if found else ()):
            if found is None:
                raise self._no_prompt()
            return None, None
        else:
            value = row.get(name)
        try:
            messages = (beside and said(value)) or chat.messages(value)
            return self._beside(row, messages, name or ""), name
        except ValueError as error:
            raise Field(name or "prompt", f"not a prompt: {error}") from error

    def _beside(self, row: Row, messages: list[Message], name: str) -> list[Message]:
        """Returns the prompt with the input, system text and history that stand in columns beside it."""
        more = self.mapping.get("input") or ("input" if name == "instruction" and self._free("input") else "")
        given = row.get(more)
        if isinstance(given, str) and given.strip():
            last = messages[-1]
            messages = [*messages[:-1], Message(**{**last, "content": f"{last['content']}\n\n{given}"})]
            self.used.add(more)
        found = {}
        for field_ in ("system", "history"):
            free = name in SYSTEM_BESIDE and self._free(field_)
            at = self.mapping.get(field_) or (field_ if free else "")
            if row.get(at) is not None:
                found[field_] = row[at]
                self.used.add(at)
        return chat.with_history(messages, found.get("system"), found.get("history")) if found else messages

    def _free(self, name: str) -> bool:
        return name not in self.mapping.values()

    def _with_answers(
        self, row: Row, item: benchmarks.Item | None, found: Found, asked: list[Message] | None, name: str | None
    ) -> Taken:
        self.used |= found.used
        whole = asked and _prompt(asked, name or "prompt")[0]
        try:
            prompt, turns = split(whole, [answer.messages for answer in found.answers])
        except ValueError as error:
            if whole is None and not any(each.messages and len(each.messages) > 1 for each in found.answers):
                raise self._no_prompt() from error
            raise
        several = len(found.answers) > 1
        filed = [
            self._rated_answer(row, answer._replace(messages=each), found.used, several=several)
            for answer, each in zip(found.answers, turns, strict=True)
        ]
        return Taken(
            prompt, self._fields(row, item), self._own(row), filed, stripped=len(whole or ()) != len(asked or ())
        )

    def _no_prompt(self) -> DataError:
        hint = nearest("prompt", self.columns)
        return DataError(
            f"no column 'prompt'; map it with --map prompt=COLUMN ({hint})", file=self.file, field="prompt"
        )

    def _rated_answer(
        self, row: Row, answer: Answer, read: frozenset[str] = frozenset(), *, several: bool = False
    ) -> Answer:
        """Returns an answer with what the row says of it; of several answers a row's own rating is none's."""
        brought = {}
        for name in _KEPT[:1] if several else _KEPT:
            at = column(row, name, self.mapping)
            if at is None or at not in row or name in answer.brought or (name == "score" and not self._rated(at)):
                continue
            if at in read:
                continue
            brought[name] = rating(name, row[at], at)
            self.used.add(at)
        return answer._replace(brought={**answer.brought, **brought})

    def _rated(self, at: str) -> bool:
        return at != "score" or self._scored  # a column of that name that means something else

    def _fields(self, row: Row, item: benchmarks.Item | None) -> dict[str, str | None]:
        fields: dict[str, str | None] = {}
        for name in _TEXTS:
            at = self.mapping.get(name, name)
            value = row.get(at)
            if value is None and item is not None and name in item.fields:
                fields[name] = item.fields[name]
                continue
            try:
                fields[name] = text(_unwrapped(value) if name == "reference" else value)
            except ValueError as error:
                raise Field(at, error) from error
            self.used.add(at)
        if item is not None:
            self.used |= item.used
        return fields

    def _own(self, row: Row) -> Any:
        at = self.mapping.get("prompt_id", "prompt_id")
        self.used.add(at)
        return row.get(at)

    def _quadruple(self, row: Row) -> list[Taken]:
        self.used |= _QUADRUPLE
        taken = []
        for place, order in (("1", "12"), ("2", "21")):
            prompt = _prompt(chat.messages(row[f"x{place}"]), f"x{place}")[0]
            filed = [
                Answer(chat.messages(row[f"y{each}"], "assistant"), {"label": label})
                for each, label in zip(order, (True, False), strict=True)
            ]
            taken.append(Taken(prompt, self._fields(row, None), self._own(row), filed if self.brings else []))
        return taken


def _is_number(value: Any) -> bool:
    try:
        return number(value) is not None
    except ValueError:
        return not isinstance(value, str)  # a list, a truth value: refused by its row


def _unwrapped(value: Any) -> Any:
    """Returns the text of a reference that came as an answer's messages; any other value as it is."""
    if isinstance(value, list) and value and all(isinstance(each, dict) and "role" in each for each in value):
        return "\n\n".join(row["content"] or "" for row in chat.messages(value))
    return value


def _prompt(rows: list[Message] | None, name: str) -> tuple[list[Message], list[Message]]:
    try:
        return chat.asked(rows or [])
    except ValueError as error:
        raise Field(name, f"not a prompt: {error}") from error
