"""The verb: ids, judges, the ledger, and the embedded policy for real."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from schemas.errors import DataError, RecipeError, StoppedError
from schemas.exchange import Choice, Grown, Reply, Request
from schemas.recipe import BlockSpec
from schemas.tables import COMPLETIONS, NODES, conform
from storage.ledger import Ledger
from tasks.backends.embedded import Embedded
from tasks.check import refused, unjudged
from tasks.driver import Driver
from tasks.raised import GIVE_UP_AFTER
from tasks.score import Step
from tasks.search import Judges, Searching
from tasks.sources.arithmetic import arithmetic
from tasks.spending import Budget
from tests.support.searches import PROMPT


def searching(name: str = "mcts", seed: int = 0, **params: Any) -> Searching:
    given = {"policy": "script", "simulations": 12, **params}
    return Searching(BlockSpec(verb="search", name=name, params=given), "test", seed, {"script": "f"})


class Scripted:
    """A backend that answers with the sum or another number, by the request's seed and the sample's index."""

    spec, slots = "script", 8

    def __init__(self, pauses: bool = False) -> None:
        self.asked: list[Request] = []
        self.pauses = pauses

    async def start(self) -> dict[str, str]:
        return {}

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if self.pauses:
            await asyncio.sleep((request.seed or 0) % 7 / 2000)
        told = request.prefix or ""
        choices = []
        for index in range(request.first, request.first + request.n):
            draw = ((request.seed or 0) // 64 + 7 * index) % 5
            step = "" if told else f"Step 1: {draw % 2}\n"
            choices.append(Choice(index, f"{step}Answer: {2 if draw else 3}", completion_tokens=4))
        return Reply(choices=tuple(choices), prompt_tokens=9, cached_tokens=8)

    async def close(self) -> None:
        """Nothing to close."""


async def grown(search: Searching, ledger: Ledger, backend: Scripted, prompt: dict[str, Any] = PROMPT) -> Grown:
    return await search(Driver({"script": backend}, ledger), prompt)


def rows(found: Grown) -> tuple[pl.DataFrame, pl.DataFrame]:
    tables = []
    for table, part in ((NODES, found.nodes), (COMPLETIONS, found.completions)):
        types = {name: kind for name, kind in table.empty().schema.items() if name not in ("run_id", "created_at")}
        tables.append(pl.DataFrame(part, schema=types, orient="row"))
    return tables[0], tables[1]


def test_rows_fit_their_tables_and_every_parent_is_there(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.sqlite") as ledger:
        nodes, completions = rows(asyncio.run(grown(searching(), ledger, Scripted())))
    for table, frame in ((NODES, nodes), (COMPLETIONS, completions)):
        dated = frame.with_columns(run_id=pl.lit("r"), created_at=pl.lit(0).cast(pl.Datetime("us", "UTC")))
        assert conform(table, dated).num_rows == frame.height > 1
    ids = set(nodes["node_id"])
    assert nodes["parent_id"].null_count() == 1
    assert set(nodes["parent_id"].drop_nulls()) <= ids
    assert {orjson.loads(meta)["node_id"] for meta in completions["meta"]} <= ids
    assert nodes["node_id"].n_unique() == nodes.height


def test_ids_name_the_tree_and_the_path_of_texts(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.sqlite") as ledger:
        first = asyncio.run(grown(searching(), ledger, Scripted()))
        again = asyncio.run(grown(searching(), ledger, Scripted(pauses=True)))
        other = asyncio.run(grown(searching(seed=1), ledger, Scripted()))
        longer = asyncio.run(grown(searching(simulations=13), ledger, Scripted()))
    assert first.nodes == again.nodes
    assert not {row["node_id"] for row in first.nodes} & {row["node_id"] for row in other.nodes}
    assert not {row["tree_id"] for row in first.nodes} & {row["tree_id"] for row in longer.nodes}


def test_a_killed_search_asks_only_for_what_it_lacks_and_makes_the_same_nodes(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "whole.sqlite") as ledger:
        undisturbed, backend = searching(), Scripted()
        expected = asyncio.run(grown(undisturbed, ledger, backend))
        calls = len(backend.asked)
    total = 0
    for kill in range(1, 30):
        with Ledger.open(tmp_path / "killed.sqlite") as ledger:
            backend = Scripted()
            driver = Driver({"script": backend}, ledger, budget=Budget(calls=1))
            try:
                found = asyncio.run(searching()(driver, PROMPT))
            except StoppedError:
                assert len(backend.asked) == 1, kill
                total += 1
            else:
                total += len(backend.asked)
                break
    assert total == calls
    assert found.nodes == expected.nodes
    assert found.completions == expected.completions


def test_another_search_over_the_same_prompt_takes_its_answers_from_the_ledger(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.sqlite") as ledger:
        asyncio.run(grown(searching(), ledger, Scripted()))
        backend = Scripted()
        asyncio.run(grown(searching(c=2.0, simulations=4), ledger, backend))
    assert len(backend.asked) < 4


def test_scores_of_a_judge_are_brought_from_its_range_to_nought_to_one() -> None:
    search = searching(verifier={"judge": "length", "at_least": 1, "range": [0, 2]})
    exchange = Judges(dict(PROMPT), search.judges)("verifier", ["some words"], [False])
    with pytest.raises(StopIteration) as end:
        next(exchange)
    assert end.value.value == [0.5]


def test_a_text_that_could_not_be_judged_has_no_score() -> None:
    exchange = Judges(dict(PROMPT), searching().judges)(
        "verifier", ["Answer: 2", "Answer: 3", "Answer: 2"], [False, False, True]
    )
    with pytest.raises(StopIteration) as end:
        next(exchange)
    assert end.value.value == [1.0, 0.0, None]


def test_a_verifier_that_needs_a_reference_is_not_run_without_one() -> None:
    with pytest.raises(DataError, match="needs 'reference'"):
        Judges({**PROMPT, "reference": None}, searching().judges)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        pytest.param({"verifier": "mth"}, "no block judge: mth", id="an unknown judge"),
        pytest.param({"verifier": {"range": [0, 1]}}, "names no judge", id="no judge"),
        pytest.param({"verifier": {"judge": "math", "range": [1, 1]}}, "must be higher", id="an empty range"),
        pytest.param({"verifier": {"judge": "math", "rubrik": 1}}, "rubrik", id="an unknown parameter"),
    ],
)
def test_what_is_wrong_with_a_judge_is_said_before_anything_is_asked(params: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        searching(**params)


def test_two_prompts_have_two_trees(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.sqlite") as ledger:
        one = asyncio.run(grown(searching(), ledger, Scripted()))
        other = asyncio.run(grown(searching(), ledger, Scripted(), {**PROMPT, "prompt_id": "q"}))
    assert {row["prompt_id"] for row in other.nodes} == {"q"}
    assert not {row["tree_id"] for row in one.nodes} & {row["tree_id"] for row in other.nodes}


async def _embedded(ledger: Ledger, name: str, count: int, **params: Any) -> list[Grown]:
    policy = Embedded()
    await policy.start()
    try:
        driver = Driver({"embedded": policy}, ledger)
        spec = BlockSpec(verb="search", name=name, params={"policy": "embedded", "max_tokens": 96, **params})
        search = Searching(spec, "test", 0, {})
        prompts = arithmetic(n=count, split="test").to_dicts()
        return list(await asyncio.gather(*(search(driver, prompt, (0, i)) for i, prompt in enumerate(prompts))))
    finally:
        await policy.close()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("mcts", {"simulations": 12, "window": 4, "keep_path": True}),
        ("mcts", {"simulations": 8, "expand": "step", "evaluate": ["rollouts"]}),
        ("step_rollouts", {"n": 2, "rollouts": 4}),
        ("first_error", {"n": 6, "mend": 4}),
        ("omega", {"searches": 2}),
        ("controlled", {"n": 3}),
        ("branches", {"n": 3}),
    ],
)
def test_the_embedded_policy_grows_real_trees(tmp_path: Path, name: str, params: dict[str, Any]) -> None:
    with Ledger.open(tmp_path / "l.sqlite") as ledger:
        found = asyncio.run(_embedded(ledger, name, 3, **params))
    for tree in found:
        nodes, _ = rows(tree)
        ends = nodes.filter(pl.col("terminal") & pl.col("reward").is_not_null())
        assert ends.height
        assert set(ends["reward"]) <= {0.0, 1.0}
        assert nodes.filter(pl.col("successes") > pl.col("rollouts")).is_empty()


def test_a_verifier_that_raises_on_one_text_gives_no_evidence_there_and_is_counted():
    judges = {"verifier": Searching(BlockSpec(verb="search", name="step_rollouts", params={
        "policy": "script", "verifier": "numeric"}), "test", 0, {}).judges["verifier"]}  # fmt: skip
    verdicts = Judges({**PROMPT, "reference": "2"}, judges)
    asking = verdicts("verifier", ["Answer: 2", "Answer: " + "9" * 5000, "Answer: 3"], [False] * 3)
    with pytest.raises(StopIteration) as end:
        next(asking)
    assert end.value.value == [1.0, None, 0.0]
    assert (verdicts.asked["verifier"], verdicts.raised["verifier"]) == (3, 1)
    assert verdicts.errors["verifier"].kind == "ValueError"


def test_a_search_whose_verifier_raises_counts_it_and_a_gate_looks_at_the_share(tmp_path: Path) -> None:
    search = searching(simulations=3, verifier="numeric")
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        driver = Driver({"script": Scripted()}, ledger)
        grown = asyncio.run(search(driver, {**PROMPT, "reference": "12:00"}))
        assert grown.nodes
        assert not any(row["rollouts"] for row in grown.nodes)
        for number in range(GIVE_UP_AFTER - 2):
            asyncio.run(search(driver, {**PROMPT, "reference": "none", "prompt_id": f"p{number}"}))
        with pytest.raises(RecipeError, match="block verifier: numeric, prompt last: it raised on all of the first 30"):
            asyncio.run(search(driver, {**PROMPT, "reference": "12:00", "prompt_id": "last"}))
    raised, asked = driver.tally.unjudged["verifier: numeric"]
    assert raised == asked > 0
    gate = Step.of(BlockSpec(verb="gate", name="basics", params={"max_error_rate": 0.2}), "test")
    checks = unjudged({"verifier: numeric": (3, 10), "critic: math": (1, 10), "verifier: exact": (0, 9)}, [gate])
    assert [(row["name"], row["success"], row["observed"]) for row in checks] == [
        ("verifier: numeric error_rate", False, 0.3), ("critic: math error_rate", True, 0.1),
    ]  # fmt: skip
    assert "searches.verifier: numeric error_rate" in (refused(checks) or "")
