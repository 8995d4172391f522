"""Verb: grows the search tree of a prompt, and gives its nodes and answers their ids.

A search is an exchange per prompt, like a sampler: ``Searching(spec, recipe, seed, fingerprints)`` is made once a run
and called once a prompt; it returns ``Grown(nodes, completions)``: rows of the tables nodes and completions, complete
but for what the store fills in. What was asked is in the ledger, so a killed search asks only for what was in flight.

Selectors over nodes return lean rows, which ``tasks.select`` makes whole, by what their mark says they make:

- preferences: prompt_id, chosen_id, rejected_id (node ids), chosen, rejected (messages), prefix (text), level ``step``,
  criterion, chosen_score, rejected_score, margin, p_chosen, weight, chosen_logprob, rejected_logprob, chosen_tokens,
  rejected_tokens, chosen_policy, rejected_policy, meta;
- steps: prompt_id, completions, labels, values, advantages, completion_id, meta;
- rankings: prompt_id, completion_ids, completions, rewards, ranks, criterion, meta;
- examples: prompt_id, completion_id, completion (messages), label, reward, weight, conditioning, meta.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.errors import BlockError, DataError, PairwrightError, RecipeError, boundary
from schemas.exchange import Grown, Reply, Request
from schemas.ids import canonical, content_id
from schemas.messages import assistant
from schemas.recipe import BlockSpec
from tasks import registry
from tasks.driver import Driver
from tasks.raised import Watch
from tasks.slots import Order

ROLES = ("verifier", "critic")
"""Parameters of a search that name a judge: ``math``, or ``{judge: pointwise, range: [1, 10], rubric: …}``."""


class Judge(NamedTuple):
    """A judge with its checked parameters, and the range of its scores, which is brought to 0 to 1."""

    block: registry.Block
    params: dict[str, Any]
    low: float = 0.0
    high: float = 1.0


class Searching:
    """One search block of a recipe, checked, with the fingerprint of its policy.

    Args:
        spec: the block. recipe: its recipe's name, for messages. seed: of the run; the block's own seed is added.
        fingerprints: SPEC -> content id of what its backend says it runs.
    """

    def __init__(self, spec: BlockSpec, recipe: str, seed: int, fingerprints: Mapping[str, str]) -> None:
        self.block = registry.find(spec.verb, spec.name)
        self.params, self.recipe = registry.check(spec, recipe), recipe
        if "seed" in self.params:
            self.params["seed"] += seed
        self.policy = self.params.get("policy", "")
        self.fingerprint = fingerprints.get(self.policy, "")
        self.judges = {role: _judge(self.params, role, recipe) for role in ROLES if self.params.get(role)}
        models = sorted(
            {fingerprints.get(self.params[name], "") for name in ("policy", "model") if name in self.params}
        )
        self.watches = {role: Watch(f"{role}: {judge.block.name}", recipe) for role, judge in self.judges.items()}
        self.identity = content_id("search", spec.name, self.params, models)

    async def __call__(self, driver: Driver, prompt: dict[str, Any], order: Order = (0, 0)) -> Grown:
        """Returns the prompt's tree as rows of the nodes table, and the answers met as rows of completions."""
        verdicts = Judges(prompt, self.judges)
        with boundary(f"recipe {self.recipe}, block search: {self.block.name}, prompt {prompt['prompt_id']}"):
            found: Any = await driver.exchange(self.block.function, prompt, verdicts, order=order, **self.params)
        self._count(driver, str(prompt["prompt_id"]), verdicts)
        return self.identified(prompt, found)

    def _count(self, driver: Driver, prompt_id: str, verdicts: Judges) -> None:
        """Counts the texts on which this prompt's judges raised; a judge that raises everywhere ends the run."""
        for role, watch in self.watches.items():
            asked, raised = verdicts.asked[role], verdicts.raised[role]
            before = driver.tally.unjudged.get(watch.block, (0, 0))
            driver.tally.unjudged[watch.block] = (before[0] + raised, before[1] + asked)
            if raised:
                watch.failed(driver, prompt_id, verdicts.errors[role], part=raised < asked)
            elif asked:
                watch.worked()

    def identified(self, prompt: Mapping[str, Any], grown: Grown) -> Grown:
        """Returns the rows with their ids: a node's is made of its tree and the texts on the way to it."""
        prompt_id = prompt["prompt_id"]
        tree_id = content_id("tree", prompt_id, self.identity)
        ids: dict[int | None, str | None] = {None: None}
        taken: dict[str, int] = {}
        for row in grown.nodes:
            parent_id = ids[row.pop("parent")]
            name = content_id("node", tree_id, parent_id, row["text"])
            again = taken[name] = taken.get(name, -1) + 1  # equal children, where the search keeps them apart
            node_id = content_id("node", name, again) if again else name
            ids[row.pop("node")] = node_id
            row |= {"node_id": node_id, "parent_id": parent_id, "tree_id": tree_id, "prompt_id": prompt_id}
            grew = {"policy": self.policy} if parent_id is None else {}
            row["meta"] = canonical({**(row.get("meta") or {}), **grew}).decode()
        for row in grown.completions:
            row.setdefault("policy", self.policy)
            row["prompt_id"], row["fingerprint"] = prompt_id, self.fingerprint
            row["meta"] = canonical(
                {"tree_id": tree_id, "node_id": ids[row.pop("node", None)], **row.get("meta", {})}
            ).decode()
            row["completion_id"] = content_id(
                "completion", prompt_id, row["policy"], self.fingerprint, row.get("sampling"), row.get("seed"),
                row["sample_index"], row["content_id"], row.get("prefix"),
            )  # fmt: skip
        unique = {row["completion_id"]: row for row in grown.completions}
        return Grown(grown.nodes, list(unique.values()))


def needs(spec: BlockSpec, recipe: str) -> list[tuple[str, str]]:
    """Returns (judge, field of the prompt) for all that a search's judges cannot do without."""
    params = registry.check(spec, recipe)
    judges = [_judge(params, role, recipe).block for role in ROLES if params.get(role)]
    return [(block.name, name) for block in judges for name in block.mark.needs]


def _judge(params: Mapping[str, Any], role: str, recipe: str) -> Judge:
    given = params[role]
    named: dict[str, Any] = {"judge": given} if isinstance(given, str) else dict(given)
    name = named.pop("judge", None)
    if not isinstance(name, str):
        raise RecipeError(f"recipe {recipe}: {role} names no judge; write {role}: math, or {role}: {{judge: math, …}}")
    block = registry.find("judge", name)
    low, high = named.pop("range", (0.0, 1.0))
    if not low < high:
        raise RecipeError(f"recipe {recipe}: the range of {role} is {low} to {high}; the second must be higher")
    if "model" in block.params.model_fields and params.get("model"):
        named.setdefault("model", params["model"])
    return Judge(block, registry.check(BlockSpec(verb="judge", name=name, params=named), recipe), low, high)


class Judges:
    """Has a search's texts judged by the recipe's judges; what they ask goes out with the search's own requests.

    Attributes:
        asked, raised: role -> texts given to its judge, and those of them on which it raised: they have no score.
        errors: role -> the first thing it raised.
    """

    def __init__(self, prompt: dict[str, Any], judges: Mapping[str, Judge]) -> None:
        self.prompt, self.judges = prompt, judges
        self.asked: Counter[str] = Counter()
        self.raised: Counter[str] = Counter()
        self.errors: dict[str, BlockError] = {}
        self.known: dict[tuple[str, str, bool], float | None] = {}
        for role, judge in judges.items():
            for name in judge.block.mark.needs:
                if prompt.get(name) is None:
                    raise DataError(f"{role} {judge.block.name!r} needs {name!r} on every prompt", field=name)

    def __call__(
        self, role: str, texts: Sequence[str], cut: Sequence[bool]
    ) -> Generator[list[Request], list[Reply], list[float | None]]:
        """Yields what the judge asks, and returns one score a text: the mean of its valid ones, null without any.

        A tree meets many texts again; each is judged once, unless no valid score came of it.
        """
        asked = [(role, text, ended) for text, ended in zip(texts, cut, strict=True)]
        fresh = [key for key in dict.fromkeys(asked) if key not in self.known]
        found = dict(zip(fresh, (yield from self._judged(role, fresh)), strict=True)) if fresh else {}
        self.known |= {key: score for key, score in found.items() if score is not None}
        return [found[key] if key in found else self.known[key] for key in asked]

    def _judged(
        self, role: str, asked: Sequence[tuple[str, str, bool]]
    ) -> Generator[list[Request], list[Reply], list[float | None]]:
        _, _, low, high = self.judges[role]
        completions = [
            {
                "completion_id": f"{number:06d}", "sample_index": number, "messages": assistant(text),
                "finish_reason": "length" if ended else "stop" if text else "empty",
                "prompt_id": self.prompt["prompt_id"],
            }
            for number, (_, text, ended) in enumerate(asked)
        ]  # fmt: skip
        self.asked[role] += len(asked)
        scores: list[list[float]] = [[] for _ in asked]
        for place, score in (yield from self._valid(role, completions)):
            scores[place].append(min(max((score - low) / (high - low), 0.0), 1.0))
        return [sum(seen) / len(seen) if seen else None for seen in scores]

    def _valid(
        self, role: str, completions: Sequence[dict[str, Any]]
    ) -> Generator[list[Request], list[Reply], list[tuple[int, float]]]:
        """Returns (number, score) of the valid judgments; where the judge raises there are none, and it is counted.

        A rule of ours that raised on several is asked again one by one, as ``tasks.judge`` does.
        """
        block, params = self.judges[role].block, self.judges[role].params
        try:
            rows = block.function(self.prompt, completions, **params)
            if inspect.isgenerator(rows):
                rows = yield from rows
            return [
                (int(row["subjects"][0]), float(row["score"]))
                for row in rows if row["outcome"] == "valid" and row["score"] is not None
            ]  # fmt: skip
        except PairwrightError:
            raise
        except Exception as error:  # noqa: BLE001 - no evidence, never a zero; the verb counts it
            raised = BlockError.of(error)
        ours = block.function.__module__.startswith("tasks.judges.")
        if len(completions) > 1 and ours and not inspect.isgeneratorfunction(block.function):
            found: list[tuple[int, float]] = []
            for completion in completions:
                found += yield from self._valid(role, [completion])
            return found
        self.raised[role] += len(completions)
        self.errors.setdefault(role, raised)
        return []
