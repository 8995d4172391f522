"""Long texts, chunk by chunk: the best of several chunks is kept, if it agrees with what was written, and mended.

Source: LongDPO (arXiv:2502.02095, section 3: width 4, depth 4, memory of facts, critiques that refine weak chunks).

Use it for long texts without one checkable answer. It is bad at plans that only show at the end.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from schemas.blocks import search
from schemas.exchange import Reply, Request, Search, Verdicts
from schemas.ids import seed_for
from tasks.searches._ask import Policy
from tasks.searches._judge import read_steps
from tasks.searches._rows import grown
from tasks.searches._tree import Node, Rules, Tree
from tasks.texts.pieces import Pieces

_PARTS = Path(__file__).with_suffix(".txt")
Asking = Generator[list[Request], list[Reply], str | None]


@search
def longform(
    prompt: dict[str, Any],
    verdicts: Verdicts,
    *,
    policy: str,
    model: str,
    critic: str | dict[str, Any] = "pointwise",
    width: int = 4,
    depth: int = 4,
    chunk: int = 512,
    memory: bool = True,
    refine_below: float = 0.55,
    temperature: float = 0.7,
    top_p: float = 1.0,
    seed: int = 0,
    system: str | None = None,
) -> Search:
    """Returns one played path of chunks with their siblings; a mended chunk is a sibling of origin ``refined``.

    A chunk the critic could not value is neither chosen nor rejected.

    Args:
        policy: SPEC of the writer. model: SPEC of the critic and of the questions about facts.
        critic: a judge of unfinished texts, with the ``range`` of its scores.
        width, depth: chunks at a place, and places. chunk: tokens of one.
        memory: remember facts of chosen chunks; a chunk that contradicts one is passed over.
        refine_below: below this value the best chunk is criticised, written again with the advice, and replaced where
            the new one is valued higher.
    """
    tree, pieces = Tree(Rules(backup="none")), Pieces("words", size=chunk)
    asked = Policy(
        prompt, policy, temperature=temperature, top_p=top_p, step_tokens=chunk, max_tokens=chunk, seed=seed,
        system=system,
    )  # fmt: skip
    node, facts = tree.root, list[str]()
    notes: dict[Node, dict[str, Any]] = {}
    for _ in range(depth):
        request = asked.step(node.prefix, width, node.sampled, ())
        node.sampled += width
        (reply,) = yield [request]
        fresh = [a.child for a in read_steps(tree, asked, pieces, node, request, reply) if a.child and a.fresh]
        yield from _valued(verdicts, fresh)
        best = yield from _agreeing(asked, model, fresh, facts, notes)
        if best is None:
            break
        if (best.evaluation or 0.0) < refine_below:
            best = yield from _refined(tree, asked, pieces, verdicts, model, best, notes)
        best.played = True
        if best.terminal:
            break
        if memory:
            said = yield from _say(asked, model, "facts", {"passage": best.text})
            facts += [line for line in (said or "").splitlines() if line.strip() and line.strip().upper() != "NONE"][:2]
        node = best
    return grown(tree, asked, {"search": "longform", "facts": facts}, notes)


def _valued(verdicts: Verdicts, nodes: list[Node]) -> Generator[list[Request], list[Reply], None]:
    scores = yield from verdicts("critic", [node.prefix for node in nodes], [False] * len(nodes))
    for node, score in zip(nodes, scores, strict=True):
        if score is not None:
            node.evaluation = node.estimate = score
            node.visits = 1
            if node.terminal:
                node.reward = node.estimate


def _agreeing(
    policy: Policy, model: str, nodes: list[Node], facts: list[str], notes: dict[Node, dict[str, Any]]
) -> Generator[list[Request], list[Reply], Node | None]:
    """Returns the best chunk that contradicts no fact; the best of all where every one does."""
    ranked = sorted(
        (node for node in nodes if node.estimate is not None), key=lambda node: (-(node.estimate or 0.0), node.number)
    )
    for node in ranked if facts else []:
        said = yield from _say(policy, model, "contradicts", {"facts": "\n".join(facts), "passage": node.text})
        if said is None or not said.strip().lower().startswith("yes"):
            return node
        notes.setdefault(node, {})["contradicts"] = True
    return ranked[0] if ranked else None


def _refined(
    tree: Tree, policy: Policy, pieces: Pieces, verdicts: Verdicts, model: str, weak: Node,
    notes: dict[Node, dict[str, Any]],
) -> Generator[list[Request], list[Reply], Node]:  # fmt: skip
    """Returns the chunk written again with a critique where it is valued higher, else the weak one."""
    start = weak.parent
    assert start is not None
    critique = yield from _say(policy, model, "critique", {"before": start.prefix, "passage": weak.text})
    if not critique:
        return weak
    notes.setdefault(weak, {})["critique"] = critique
    guided = _fill("refine", {"task": _task(policy), "critique": critique})
    request = Request(
        model=policy.spec, messages=[{"role": "user", "content": guided}], prefix=start.prefix or None,
        temperature=policy.temperature, top_p=policy.top_p, max_tokens=policy.step_tokens, logprobs=True,
        seed=seed_for(policy.seed, policy.key, "refine", start.prefix),
    )  # fmt: skip
    (reply,) = yield [request]
    made = [a.child for a in read_steps(tree, policy, pieces, start, request, reply) if a.child and a.fresh]
    for node in made:
        node.origin = "refined"
    yield from _valued(verdicts, made)
    better = [node for node in made if (node.estimate or 0.0) > (weak.estimate or 0.0)]
    return better[0] if better else weak


def _say(policy: Policy, model: str, part: str, values: dict[str, str]) -> Asking:
    """Asks the model one question, and returns its answer; null where there is none."""
    text = _fill(part, {"task": _task(policy), **values})
    request = Request(
        model=model, messages=[{"role": "user", "content": text}], temperature=0.0, max_tokens=256,
        seed=seed_for(policy.seed, policy.key, part), template="longform-1",
    )  # fmt: skip
    (reply,) = yield [request]
    return reply.text if reply.outcome == "ok" else None


def _task(policy: Policy) -> str:
    return "\n\n".join(str(message.get("content") or "") for message in policy.messages)


def _fill(part: str, values: dict[str, str]) -> str:
    """Returns a part of the template with its places filled in one pass, so that no text can open another place."""
    text = _PARTS.read_text(encoding="utf-8").partition(f"[{part}]\n")[2]
    text = text.partition("\n[")[0]
    pieces = text.split("{{")
    found = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        found.append(values[name] + rest)
    return "".join(found).strip()
