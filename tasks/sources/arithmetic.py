"""Arithmetic problems whose answers are known exactly: what the embedded policy was trained to work out step by step.

Source: made here. Three or four operands, ``*`` before ``+`` and ``-``, and a tenth of all expressions held back.

Use it for demonstrations and tests that need exact answers and a policy on any machine. It is bad at standing for a
real task: a model of any size solves it.
"""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Iterator

import polars as pl

from schemas.blocks import source
from schemas.ids import canonical, coin, content_id
from schemas.messages import to_rows

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}
HELD_BACK = 0.1
TRIES = 200
"""Draws per wanted problem before the space of problems counts as used up."""

_STEP = re.compile(r"^Step \d+: (-?\d+) ([-+*]) (-?\d+) = (-?\d+)$")


@source
def arithmetic(
    *, n: int = 400, seed: int = 0, operators: tuple[str, ...] = ("+", "-", "*"), split: str = "train"
) -> pl.DataFrame:
    """Returns ``n`` distinct problems such as ``What is 7 + 12 * 4?``, in an order that depends only on the parameters.

    Args:
        n: how many. seed: another seed, other problems.
        operators: which of ``+``, ``-`` and ``*`` may occur.
        split: ``train`` or ``test``; the embedded policy never saw a ``test`` expression in training.

    Raises:
        ValueError: a parameter is out of range, or there are fewer such problems.
    """
    rows = []
    for expression in expressions(n, seed, operators, split):
        messages = to_rows(question(expression))
        rows.append(
            {
                "prompt_id": content_id("prompt", messages), "messages": messages, "reference": answer(expression),
                "task": "math", "source": "arithmetic", "split": split, "language": "en",
                "meta": canonical({"expression": expression}).decode(),
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def expressions(n: int, seed: int, operators: tuple[str, ...] = tuple(OPERATORS), split: str = "train") -> list[str]:
    """Returns ``n`` distinct expressions of the split, in the order drawn."""
    if n < 1:
        raise ValueError(f"n is {n}, expected at least 1")
    if split not in ("train", "test"):
        raise ValueError(f"split is {split!r}, allowed are train, test")
    if not operators or any(symbol not in OPERATORS for symbol in operators):
        raise ValueError(f"operators are {list(operators)}, allowed are {', '.join(OPERATORS)}")
    draw = random.Random(seed)
    found: dict[str, None] = {}
    for _ in range(TRIES * n):
        expression = _draw(draw, operators)
        if split_of(expression) == split:
            found[expression] = None
            if len(found) == n:
                return list(found)
    raise ValueError(f"there are not {n} such problems; found {len(found)}")


def _draw(draw: random.Random, operators: tuple[str, ...]) -> str:
    """Returns one expression: two or three operators, no two ``*`` in a row, times up to 12 * 9."""
    symbols: list[str] = []
    for _ in range(draw.choice((2, 3))):
        allowed = [symbol for symbol in operators if symbol != "*" or symbols[-1:] != ["*"]]
        if allowed:
            symbols.append(draw.choice(allowed))
    parts = []
    for before, after in zip(["", *symbols], [*symbols, ""], strict=True):
        highest = 12 if after == "*" else 9 if before == "*" else 49
        parts += [str(draw.randint(1, highest)), after]
    return " ".join(parts[:-1])


def split_of(expression: str) -> str:
    """Returns the split an expression belongs to, for every seed."""
    return "test" if coin(0, "arithmetic", expression) < HELD_BACK else "train"


def question(expression: str) -> str:
    """Returns the text of the prompt."""
    return f"What is {expression}?"


def answer(expression: str) -> str:
    """Returns the exact value as text."""
    return solution(expression).rsplit(" ", 1)[1]


def solution(expression: str) -> str:
    """Returns the worked solution.

    >>> print(solution("7 + 12 * 4"))
    Step 1: 12 * 4 = 48
    Step 2: 7 + 48 = 55
    Answer: 55
    """
    parts = expression.split()
    lines: list[str] = []
    while len(parts) > 1:
        at = parts.index("*") if "*" in parts else 1
        left, symbol, right = parts[at - 1 : at + 2]
        value = str(OPERATORS[symbol](int(left), int(right)))
        lines.append(f"Step {len(lines) + 1}: {left} {symbol} {right} = {value}")
        parts[at - 1 : at + 2] = [value]
    return "\n".join([*lines, f"Answer: {parts[0]}"])


def steps(text: str) -> Iterator[tuple[str, bool]]:
    r"""Yields each ``Step`` line of a solution, and whether what it says is true; one that cannot be read is not.

    >>> list(steps("Step 1: 2 * 3 = 7\nAnswer: 7"))
    [('Step 1: 2 * 3 = 7', False)]
    """
    for line in text.splitlines():
        if line.startswith("Step "):
            found = _STEP.match(line)
            yield line, found is not None and OPERATORS[found[2]](int(found[1]), int(found[3])) == int(found[4])
