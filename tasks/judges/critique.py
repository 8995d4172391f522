"""Has a model write a critique of an answer first, and grade the answer after, with the critique before it.

Source: MM-RLHF (arXiv:2502.10391, critique-based reward model); Self-Taught Evaluators (arXiv:2408.02666).

Use it where a bare score is too quick: long answers, reasoning, code. It is bad at price, two calls a completion, and a
critique that finds nothing tends to lift the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schemas.blocks import judge
from schemas.exchange import Exchange, Reply
from schemas.messages import text_of
from tasks.judges import _grades
from tasks.judges._ask import ALTERNATIVES, Ask, seed_of, sheet
from tasks.judges._rows import Row, judgeable, with_cost_of
from tasks.judges._text import harmless

RUBRIC = "How much does the answer help the person who set the task: is it correct, complete, clear and to the point?"


@judge(asks=True)
def critique(
    prompt: dict[str, Any],
    completions: Sequence[Row],
    *,
    model: str,
    rubric: str = RUBRIC,
    lowest: int = 1,
    highest: int = 10,
    criterion: str = "overall",
    logprobs: bool = False,
    most_outside: float = 0.5,
    temperature: float = 0.0,
    max_tokens: int = 768,
    structured: bool = False,
    seed: int = 0,
) -> Exchange:
    """Returns one judgment a completion: the score given after the critique, which is kept as its ``rationale``.

    A critique that failed, was refused or cut gives its outcome to the judgment, and no score is asked for.

    Args:
        model: SPEC of the judge.
        lowest, highest: ends of the scale, both allowed.
        logprobs, most_outside: as in ``pointwise``.
        structured: ask the endpoint to enforce the form of the score (JSON Schema).

    Raises:
        ValueError: the scale has no room.
    """
    _grades.check_scale(lowest, highest)
    held = judgeable(completions)
    if not held:
        return []
    texts = [harmless(text_of(row["messages"])) for row in held]
    first = sheet(__file__, prompt, {"rubric": rubric}, part="write")
    asked = seed_of(seed, prompt)
    write = Ask(model, first.version, asked, temperature, max_tokens)
    critiques: list[Reply] = yield [write(first({"answer": text})) for text in texts]
    page = sheet(__file__, prompt, {"rubric": rubric, "lowest": str(lowest), "highest": str(highest)})
    ask = Ask(
        model, page.version, asked, temperature, max_tokens, _grades.schema(lowest, highest) if structured else None,
        ALTERNATIVES if logprobs else 0,
    )  # fmt: skip
    found = [i for i, reply in enumerate(critiques) if reply.outcome == "ok"]
    said = {i: harmless(critiques[i].text) for i in found}
    requests = [ask(page({"answer": texts[i], "critique": said[i]})) for i in found]
    scores = dict(zip(found, (yield requests) if requests else [], strict=True))
    rows = []
    for i, completion in enumerate(held):
        material = (page.task, rubric, said.get(i, ""))
        row = _grades.row(
            completion, scores.get(i, critiques[i]), (lowest, highest), criterion, material,
            most_outside=most_outside if logprobs else None,
        )  # fmt: skip
        if i in scores:
            row = with_cost_of(row, critiques[i]) | {"rationale": critiques[i].text}
        rows.append(row)
    return rows
