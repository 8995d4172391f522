"""How true are step labels? Arithmetic knows: searches over held-back problems, held against the truth of every step.

    python -m benchmarks.step_labels                  200 problems: labels, first errors, step pairs, convergence
    python -m benchmarks.step_labels --problems 600

A step is right when it works out two neighbours of what is left of the expression, with the right value, without
changing the value of the whole, and every step before it was right. Figures are of one run with the embedded policy at
temperature 1; the answers depend on the seed alone, so another run gives the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import uvloop

from schemas.exchange import Grown
from schemas.recipe import BlockSpec
from schemas.tables import TABLES
from storage.ledger import Ledger
from tasks.backends.embedded import Embedded
from tasks.driver import Driver
from tasks.recipes import load
from tasks.score import Step as Block
from tasks.search import Searching
from tasks.selectors._trees import Step, trees
from tasks.sources.arithmetic import OPERATORS, arithmetic

_LINE = re.compile(r"^Step (\d+): (-?\d+) ([-+*]) (-?\d+) = (-?\d+)$")
Sign = str | int


def value(parts: list[Sign]) -> int:
    """Returns what an expression is worth."""
    parts = list(parts)
    while len(parts) > 1:
        at = parts.index("*") if "*" in parts else 1
        parts[at - 1 : at + 2] = [OPERATORS[str(parts[at])](parts[at - 1], parts[at + 1])]
    return int(parts[0])


def right_steps(expression: str, steps: list[str]) -> list[bool]:
    """Returns for each step whether it and all before it are right.

    >>> right_steps("7 + 12 * 4", ["Step 1: 12 * 4 = 48", "Step 2: 7 + 48 = 56", "Answer: 56"])
    [True, False, False]
    """
    left: list[Sign] = [part if part in OPERATORS else int(part) for part in expression.split()]
    found, fine = [], True
    for step in steps:
        after = _after(left, step.rstrip("\n")) if fine else None
        fine = after is not None
        left = after or left
        found.append(fine)
    return found


def _after(left: list[Sign], step: str) -> list[Sign] | None:
    if step.startswith("Answer:"):
        return left if len(left) == 1 and step == f"Answer: {left[0]}" else None
    said = _LINE.match(step)
    if said is None:
        return None
    one, sign, other, result = int(said[2]), said[3], int(said[4]), int(said[5])
    for at in range(1, len(left) - 1, 2):
        if left[at - 1 : at + 2] == [one, sign, other] and OPERATORS[sign](one, other) == result:
            after = [*left[: at - 1], result, *left[at + 2 :]]
            if value(after) == value(left):
                return after
    return None


class Grower:
    """Runs searches over problems with one policy and one ledger."""

    def __init__(self, driver: Driver, problems: int, seed: int) -> None:
        self.driver = driver
        self.prompts = arithmetic(n=problems, split="test", seed=seed).to_dicts()
        self.expressions = {p["prompt_id"]: str(orjson.loads(p["meta"])["expression"]) for p in self.prompts}

    async def __call__(self, search: str, **params: Any) -> pl.DataFrame:
        """Returns the nodes of every problem's tree."""
        given = {"policy": "embedded", "max_tokens": 96, "keep_answers": False, **params}
        one = Searching(BlockSpec(verb="search", name=search, params=given), "benchmark", 0, {})
        grown: list[Grown] = await asyncio.gather(
            *(one(self.driver, prompt, (0, i)) for i, prompt in enumerate(self.prompts))
        )
        types = {
            name: kind for name, kind in TABLES["nodes"].empty().schema.items() if name not in ("run_id", "created_at")
        }
        return pl.DataFrame([row for part in grown for row in part.nodes], schema=types, orient="row")

    def truth(self, path: list[Step]) -> list[bool]:
        """Returns for each step of a path whether it is right."""
        return right_steps(self.expressions[path[0].prompt_id], [step.text for step in path])


async def labels(grow: Grower) -> dict[str, Any]:
    """Returns how often a label from 32 rollouts (right: a quarter of them or more end right) is true."""
    nodes = await grow("step_rollouts", n=4, rollouts=32)
    table: Counter[tuple[bool, bool]] = Counter()
    for tree in trees(nodes):
        for step in tree.steps[1:]:
            if not step.terminal and step.share is not None:
                table[grow.truth(step.path())[-1], step.share >= 0.25] += 1
    total = sum(table.values())
    return {
        "steps": total, "agree": share(table[True, True] + table[False, False], total),
        "right_called_right": share(table[True, True], table[True, True] + table[True, False]),
        "wrong_called_wrong": share(table[False, False], table[False, False] + table[False, True]),
    }  # fmt: skip


async def first_errors(grow: Grower, rule: str = "sequential") -> dict[str, Any]:
    """Returns how often the step found is the true first wrong one, and rollouts spent against 32 at every step."""
    nodes = await grow("first_error", n=8, most_wrong=8, rule=rule)
    found = exact = none = spent = all_steps = 0
    for tree in trees(nodes):
        wrong = [leaf.path() for leaf in tree.leaves() if (leaf.reward or 0.0) < 0.5]
        if not tree.root.successes:
            none += len(wrong)
            continue
        inner = set()
        for path in wrong:
            first = grow.truth(path).index(False)
            told = [place for place, step in enumerate(path) if step.meta.get("first_error")]
            found += 1
            exact += told[:1] == [first]
            inner |= {step.node_id for step in path if not step.terminal}
        spent += int(tree.root.meta["samples"]) - 8
        all_steps += 32 * len(inner)
    return {
        "wrong_solutions": found, "exact": share(exact, found), "rollouts": spent, "rollouts_of_all_steps": all_steps,
        "share_of_rollouts": share(spent, all_steps), "left_alone_no_right_solution": none,
    }  # fmt: skip


async def step_pairs(grow: Grower, recipe: str, **params: Any) -> dict[str, Any]:
    """Returns how often a recipe's chosen step is truly right and its rejected one truly wrong."""
    blocks = load(recipe).blocks
    search = next(block for block in blocks if block.verb == "search")
    given = {**search.params, **params}
    given.pop("policy")
    nodes = await grow(search.name, **given)
    select = next(block for block in blocks if block.verb == "select")
    rows: pl.DataFrame = Block.of(select, recipe)({"nodes": nodes})
    by_id = {step.node_id: step for tree in trees(nodes) for step in tree.steps}
    good = bad = 0
    for one, other in rows.select("chosen_id", "rejected_id").iter_rows():
        good += grow.truth(by_id[one].path())[-1]
        bad += not grow.truth(by_id[other].path())[-1]
    return {"pairs": rows.height, "chosen_right": share(good, rows.height), "rejected_wrong": share(bad, rows.height)}


async def convergence(grow: Grower, count: int, rollouts: int) -> dict[str, Any]:
    """Returns the mean absolute error of n rollouts against many, times sqrt(n): alike if it falls so."""
    found = {n: await grow("step_rollouts", n=2, rollouts=n) for n in (4, 16, 64, rollouts)}
    shares = {
        n: {s.prompt_id + s.prefix + s.text: s.share for t in trees(f) for s in t.steps if s.depth and not s.terminal}
        for n, f in found.items()
    }
    told = sorted(shares[rollouts])[:count]
    errors = {
        n: float(np.mean([abs((shares[n][key] or 0.0) - (shares[rollouts][key] or 0.0)) for key in told]))
        for n in (4, 16, 64)
    }
    return {"nodes": len(told), "rollouts": rollouts, "error": errors,
            "error_times_sqrt_n": {n: round(e * n**0.5, 4) for n, e in errors.items()}}  # fmt: skip


def share(hits: int, total: int) -> float | None:
    """Returns a share, null of nothing."""
    return round(hits / total, 4) if total else None


async def main(problems: int, rollouts: int, seed: int) -> dict[str, Any]:
    """Returns all figures."""
    policy = Embedded()
    await policy.start()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        grow = Grower(Driver({"embedded": policy}, ledger), problems, seed)
        found: dict[str, Any] = {
            "labels": await labels(grow), "first_error": await first_errors(grow),
            "first_error_any": await first_errors(grow, "any"),
            "pairs_step_dpo": await step_pairs(grow, "step-dpo"),
            "pairs_svpo": await step_pairs(grow, "svpo"),
            "pairs_mcts_dpo": await step_pairs(grow, "mcts-dpo", evaluate=["rollouts"]),
        }  # fmt: skip
        few = Grower(grow.driver, max(60, problems // 4), seed)
        found["convergence"] = await convergence(few, 200, rollouts)
        found["calls"] = grow.driver.tally.asked
    await policy.close()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--rollouts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(json.dumps(uvloop.run(main(asked.problems, asked.rollouts, asked.seed)), indent=1))
