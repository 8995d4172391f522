"""The answers that a row brings with its prompt: one, a pair, a list of rated ones, or a conversation's last turn.

Source: TRL's dataset formats; UltraFeedback (arXiv:2310.01377); Nectar (ranks, 1 is best); RewardBench 2
(arXiv:2506.01937) and RM-Bench (arXiv:2410.16184), whose chosen and rejected are lists; LLaMA-Factory's
preference forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.messages import Message, text_of
from tasks.importers import chat, choices, steps
from tasks.importers.columns import column
from tasks.importers.values import number, text, truth
from tasks.texts.pieces import joined

Row = Mapping[str, Any]


class Answer(NamedTuple):
    """One answer.

    Attributes:
        messages: its turns; a conversation that begins with the prompt still holds it. brought: what the data say of it
            (label, score, policy). cuts: where its steps begin, for one that came as steps.
    """

    messages: list[Message] | None
    brought: dict[str, Any]
    cuts: list[int] | None = None


class Field(ValueError):
    """What is wrong with one column of a row."""

    def __init__(self, column: str, why: object) -> None:
        super().__init__(str(why))
        self.column = column


class Found(NamedTuple):
    """A row's answers and the columns they were read from."""

    answers: list[Answer]
    used: frozenset[str]
    prompt: str | None = None


def answers(row: Row, mapping: Mapping[str, str], vote: choices.Vote | None = None) -> Found | None:
    """Returns the answers of a row that stand in columns of their own; null where there are none.

    Args:
        mapping: field -> column. vote: which of two answers is better, for rows of two.

    Raises:
        Field: a column does not hold what it should.
    """
    single = column(row, "completion", mapping)
    if solution := steps.solution(row) if "completion" not in mapping else None:
        made = Answer(chat.messages(solution.text, "assistant"), solution.brought, solution.cuts)
        return Found([made], solution.used, solution.prompt)
    sides = [column(row, side, mapping) for side in ("chosen", "rejected")]
    if all(sides) and "completion" not in mapping:
        return _pair(row, str(sides[0]), str(sides[1]), mapping)
    if single is not None:
        return Found([one(row.get(single), single)], frozenset([single]))
    several = listed(row)
    if several:
        return Found([Answer(answer(item, several), brought) for item, brought in items(row, several)],
                     frozenset([several, *choices.BESIDE]))  # fmt: skip
    two = choices.answers(row, mapping)
    if two is None:
        return None
    better = vote(row) if vote else None
    names = (row.get("model_a"), row.get("model_b"))
    found = [
        Answer(answer(row[name], name), _brought(label=better and better == place, policy=policy))
        for name, place, policy in zip(two, ("first", "second"), names, strict=True)
    ]
    return Found(found, frozenset([*two, "model_a", "model_b"]))


def _brought(**known: Any) -> dict[str, Any]:
    return {name: value for name, value in known.items() if value is not None}


def listed(row: Row) -> str | None:
    """Returns the column that holds a list of several answers."""
    return next((name for name in choices.LISTS if isinstance(row.get(name), list)), None)


def items(row: Row, name: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yields the answers of a list, each with what stands beside it: a score, a rank (lower is better), a model."""
    held = row[name]
    beside = {other: row[other] for other in choices.BESIDE if isinstance(row.get(other), list)}
    for place, item in enumerate(held):
        said, mark, model = item, None, None
        if isinstance(item, Mapping) and not any(who in item for who in chat.SPEAKER):
            said, model = choices.said(item), item.get("model")
            mark = _checked(name, choices.mark, item)
        for other, marks in beside.items():
            if mark is None and len(marks) == len(held) and marks[place] is not None:
                sign = -1.0 if other == "ranks" else 1.0
                mark = sign * float(_checked(other, number, marks[place]))
        yield said, _brought(score=mark, policy=model if isinstance(model, str) else None)


def _checked(name: str, read: Any, value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise Field(name, error) from error


def one(value: Any, name: str) -> Answer:
    """Returns a single answer; a list of texts is its steps, a line each. A null is an answer that is not there."""
    texts = [isinstance(step, str) for step in value] if isinstance(value, list) else []
    if any(texts) and not all(texts):
        raise Field(name, "expected the completion's text, found list of other than texts")
    if texts and all(texts):
        whole, cuts = joined(value)
        return Answer(chat.messages(whole, "assistant"), {}, cuts)
    return Answer(answer(value, name), {})


def answer(value: Any, name: str) -> list[Message] | None:
    """Returns an answer's turns; null of a null.

    Raises:
        Field: it is neither text nor messages.
    """
    if value is None or value == []:
        return None
    try:
        return chat.messages(value, "assistant")
    except ValueError as error:
        raise Field(name, _in_our_words(error, value)) from error


def _in_our_words(error: ValueError, value: Any) -> str:
    if str(error).startswith("expected text or a list of messages"):
        return f"expected the completion's text, found {type(value).__name__}"
    return str(error)


def _pair(row: Row, one_: str, other: str, mapping: Mapping[str, str]) -> Found:
    found, used = [], {one_, other}
    for side, name, label in (("chosen", one_, True), ("rejected", other, False)):
        marked = column(row, f"{side}_score", mapping)
        score = _checked(marked, number, row.get(marked)) if marked and not isinstance(row.get(marked), list) else None
        used |= {marked} if marked else set()
        for said in sides(row.get(name)):
            told = chat.dialogue(said) if isinstance(said, str) else None
            turns = with_prefix(told or answer(said, name), row)
            found.append(Answer(turns, _brought(label=label, score=score)))
    return Found(found, frozenset(used))


def sides(value: Any) -> Sequence[Any]:
    """Returns the answers of one side of a pair: a list of texts, or of conversations, is as many answers."""
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, list) and len(value) > 1 and all(isinstance(each, list) for each in value):
        return value
    return [value]


def with_prefix(turns: list[Message] | None, row: Row) -> list[Message] | None:
    """Returns a step of a pair of ours with the beginning that both steps share before it."""
    begun = row.get("prefix")
    if not turns or not isinstance(begun, str) or not {"chosen_id", "rejected_id"} <= row.keys():
        return turns
    first = turns[0]
    whole = Message(role=first["role"], content=begun + (first["content"] or ""), tool_calls=first["tool_calls"],
                    extra=first["extra"])  # fmt: skip
    return [whole, *turns[1:]]


def entry(answer: Answer) -> dict[str, Any]:
    """Returns an answer as the replay backend files it: its text, and its turns where they are more than one text."""
    turns = answer.messages
    filed: dict[str, Any] = {"text": text_of(turns) if turns else ""}
    if answer.cuts is not None:
        filed["cuts"] = answer.cuts
    if turns and (len(turns) > 1 or turns[0]["tool_calls"] or turns[0]["extra"]):
        filed["messages"] = turns
    return {**filed, **answer.brought}


def rating(name: str, value: Any, at: str) -> Any:
    """Returns what a column says of an answer, checked: a label true or false, a score a number, an age a whole one.

    Raises:
        Field: it is something else.
    """
    if value is None:
        return None
    if name == "label":
        return _checked(at, truth, value)
    if name in ("score", "logprob"):
        try:
            return value if isinstance(value, int | float) and number(value) is not None else number(value)
        except ValueError as error:
            raise Field(at, error) from error
    if name == "first_error" and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        raise Field(at, f"expected a step's number, found {value!r}")
    if name == "policy":
        return text(value)
    if name == "on_policy_age":
        try:
            age = None if isinstance(value, bool) else number(value)
        except ValueError:
            age = None
        if age is None or age < 0 or age != age // 1:
            raise Field(at, f"expected how many rounds old the answer is, from 0, found {value!r}")
        return int(age)
    return value
