"""One search for all: rounds of selection, expansion, evaluation and backup, each round one list of requests.

Source: the systems named in ``_tree``; batched evaluation with virtual loss: Chaslot et al. 2008. A round's results are
applied in the order in which they were issued, so the order in which replies come does not matter.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.exchange import Reply, Request, Verdicts
from tasks.searches import _formulas as f
from tasks.searches._ask import Policy, confidence
from tasks.searches._choose import WALKS, best_child, descend, frontier
from tasks.searches._judge import Answer, outcome, read_steps, read_whole, rolled_out, tally
from tasks.searches._tree import Node, Tree
from tasks.texts.pieces import Pieces

Rounds = Generator[list[Request], list[Reply], None]
Evaluate = Literal["rollouts", "self", "critic", "value"]


@dataclass(frozen=True)
class Effort:
    """How much is tried, and how results are valued.

    Args:
        simulations: expansions of a tree (of each move, where the root advances). draws: samples an expansion.
        expand: ``whole`` draws whole continuations: the first step is the child, and the end tells what it is worth;
            ``step`` draws one step, which evaluators value.
        evaluate: what values a new node, beside its end where it is one. rollouts: of a new node.
        value_model: SPEC that answers score requests. value_range: its lowest and highest score.
        lookahead: share of the best rollout in a node's value. solved: stop after so many right and as many wrong ends.
        stable: stop when the best first step has not changed for so many rounds.
        advance: after its simulations the best child of the root becomes the root, until an end.
    """

    simulations: int = 64
    expand: Literal["whole", "step"] = "whole"
    draws: int = 1
    evaluate: tuple[Evaluate, ...] = ()
    rollouts: int = 0
    value_model: str = ""
    value_range: tuple[float, float] = (0.0, 1.0)
    prior: Literal["share", "mean", "length", "uniform"] = "share"
    lookahead: float = 0.0
    solved: int = 0
    stable: int = 0
    max_nodes: int = 4096
    advance: bool = False
    keep_path: bool = False


class Search:
    """One tree while it grows."""

    def __init__(self, tree: Tree, policy: Policy, pieces: Pieces, effort: Effort, verdicts: Verdicts) -> None:
        self.tree, self.policy, self.pieces, self.effort, self.verdicts = tree, policy, pieces, effort, verdicts
        self._leader: Node | None = None
        self._held = 0

    def grow(self) -> Rounds:
        """Yields one round of requests at a time until the budget, the goal or the tree is used up."""
        spent = 0
        while not self._done():
            picks = self._picks(self.effort.simulations - spent) if spent < self.effort.simulations else {}
            if picks:
                yield from self._round(picks)
                spent += sum(picks.values())
            elif self.effort.advance and self._advance():
                spent = 0
            else:
                break

    def _picks(self, left: int) -> dict[Node, int]:
        """Returns node -> simulations from it, up to the window, nodes with a common prefix side by side."""
        tree, effort, picks = self.tree, self.effort, dict[Node, int]()
        room = min(left, tree.rules.window)
        if tree.rules.select in WALKS:
            refine = effort.expand == "whole"
            for _ in range(room):
                node = descend(tree, refine=refine)
                if node is None:
                    break
                picks[node] = picks.get(node, 0) + 1
                node.waiting = not refine
                if refine:
                    node.drawn += effort.draws
                for one in node.path():
                    one.pending += 1
        else:
            picks = dict.fromkeys(frontier(tree, room, self.policy.seed), 1)
        return {node: picks[node] for node in sorted(picks, key=lambda node: node.prefix)}

    def _round(self, picks: dict[Node, int]) -> Rounds:
        walks, effort = self.tree.rules.select in WALKS, self.effort
        requests = []
        for node, times in picks.items():
            count = times * effort.draws
            requests.append(self._request(node, count, node.sampled))
            node.sampled += count
            node.drawn += 0 if walks and effort.expand == "whole" else count
        replies = yield requests
        answers: list[Answer] = []
        for (node, times), request, reply in zip(picks.items(), requests, replies, strict=True):
            if walks:
                for one in node.path():
                    one.pending -= times
            node.waiting = False
            answers += self._read(node, request, reply)
            if not node.children and effort.expand == "step":
                self.tree.close(node)  # nothing usable came: no use in asking the same again
        yield from self._value(answers)
        for node in picks:
            self._priors(node)

    def _request(self, node: Node, count: int, first: int) -> Request:
        stop = self.pieces.stop
        if self.effort.expand == "step" and (stop or self.pieces.chunked):
            return self.policy.step(node.prefix, count, first, stop)
        return self.policy.whole(node.prefix, count, first)

    def _read(self, node: Node, request: Request, reply: Reply) -> list[Answer]:
        if self.effort.expand == "step" and (request.stop or self.pieces.chunked):
            return read_steps(self.tree, self.policy, self.pieces, node, request, reply)
        return read_whole(self.tree, self.policy, self.pieces, node, request, reply, keep_path=self.effort.keep_path)

    def _value(self, answers: Sequence[Answer]) -> Rounds:
        """Values what a round found, and adds it to the tree in the order in which it was asked for."""
        fresh = [answer.child for answer in answers if answer.fresh and answer.child is not None]
        whole = [answer for answer in answers if self.effort.expand == "whole" or _ends(answer)]
        scores = yield from self.verdicts("verifier", [a.text for a in whole], [a.cut for a in whole])
        for answer, score in zip(whole, scores, strict=True):
            self._ended(answer, score)
        if self.effort.evaluate:
            yield from self._evaluated(fresh)
            for node in fresh:
                if node.estimate is not None:
                    self.tree.backed_up(node, node.estimate)

    def _ended(self, answer: Answer, score: float | None) -> None:
        last = answer.last or answer.parent
        for node in last.path():
            tally(node, score)
            if node is answer.parent:
                break
        if last.terminal and score is not None:
            last.reward = score
        if self.effort.evaluate or score is None:
            return  # a new node is valued by its evaluators; a repeated one teaches nothing new about them
        last.estimate = self.tree.scaled(last.successes / last.rollouts)
        self.tree.backed_up(last, self.tree.scaled(score))

    def _evaluated(self, nodes: Sequence[Node]) -> Rounds:
        effort, tree = self.effort, self.tree
        inner = [node for node in nodes if not node.terminal]
        opinions = yield from self._opinions(nodes if tree.rules.backup == "reward" else inner)
        best: list[float | None] = [None] * len(inner)
        if "rollouts" in effort.evaluate and effort.rollouts and inner:
            best = yield from rolled_out(self.policy, inner, [effort.rollouts] * len(inner), self.verdicts)
        tops = dict(zip(inner, best, strict=True))
        for node in nodes:
            node.evaluation = opinions.get(node)
            node.estimate = self._estimate(node, tops.get(node))

    def _opinions(self, nodes: Sequence[Node]) -> Generator[list[Request], list[Reply], dict[Node, float]]:
        """Returns node -> mean of what the policy itself, a value model and a critic think of it, from 0 to 1."""
        effort, found = self.effort, dict[Node, list[float]]()
        requests = [self.policy.opinion(node.prefix) for node in nodes] if "self" in effort.evaluate else []
        if "value" in effort.evaluate:
            requests += [self._score_request(node) for node in nodes]
        replies = (yield requests) if requests else []
        for place, reply in enumerate(replies):
            seen = (
                confidence(reply) if place < len(nodes) and "self" in effort.evaluate else self._ranged(_number(reply))
            )
            if seen is not None:
                found.setdefault(nodes[place % len(nodes)], []).append(seen)
        if "critic" in effort.evaluate and nodes:
            scores = yield from self.verdicts("critic", [node.prefix for node in nodes], [False] * len(nodes))
            for node, score in zip(nodes, scores, strict=True):
                if score is not None:
                    found.setdefault(node, []).append(score)
        return {node: sum(seen) / len(seen) for node, seen in found.items()}

    def _score_request(self, node: Node) -> Request:
        messages = [*self.policy.messages, {"role": "assistant", "content": node.prefix}]
        return Request(model=self.effort.value_model, kind="score", messages=messages, temperature=0.0)

    def _ranged(self, score: float | None) -> float | None:
        low, high = self.effort.value_range
        return None if score is None else f.within(0.0, 1.0, (score - low) / (high - low))

    def _estimate(self, node: Node, best: float | None) -> float | None:
        tree, effort = self.tree, self.effort
        if tree.rules.backup == "reward":
            if node.evaluation is None and not (node.terminal and node.reward is not None):
                return None
            above = node.parent.depth if node.parent else 0
            right = None if node.reward is None or not node.terminal else node.reward >= 0.5
            return f.step_confidence(node.evaluation or 0.0, above, right)
        if node.terminal:
            return None if node.reward is None else tree.scaled(node.reward)
        if effort.lookahead and node.evaluation is not None and best is not None:
            return tree.scaled(f.rollout_update(node.evaluation, best, effort.lookahead))
        parts = [] if node.evaluation is None else [node.evaluation]
        parts += [node.successes / node.rollouts] if node.rollouts else []
        return tree.scaled(sum(parts) / len(parts)) if parts else None

    def _priors(self, node: Node) -> None:
        kind = self.effort.prior
        drawn = sum(child.copies for child in node.children)
        for child in node.children:
            if kind == "share":
                child.prior = child.copies / drawn
            elif child.logprob is not None and kind != "uniform":
                power = f.prior_mean if kind == "mean" else f.prior_length
                child.prior = power(child.logprob, child.tokens)

    def _advance(self) -> bool:
        played = best_child(self.tree, self.tree.start)
        if played is None or played.terminal or played.depth >= self.tree.rules.max_depth:
            if played is not None:
                played.played = True
            return False
        played.played, self.tree.start = True, played
        return True

    def _done(self) -> bool:
        effort, tree = self.effort, self.tree
        if len(tree.nodes) >= effort.max_nodes:
            return True
        if effort.solved:
            ends = [outcome(node.reward) for node in tree.nodes if node.terminal]
            if min(ends.count(1), ends.count(0)) >= effort.solved:
                return True
        if effort.stable:
            leader = best_child(tree, tree.root)
            self._held = self._held + 1 if leader is not None and leader is self._leader else 0
            self._leader = leader
            return self._held >= effort.stable
        return False


def _ends(answer: Answer) -> bool:
    return answer.fresh and answer.child is not None and answer.child.terminal


def _number(reply: Reply) -> float | None:
    value = reply.choices[0].value if reply.outcome == "ok" else None
    return float(value) if isinstance(value, int | float) else None
