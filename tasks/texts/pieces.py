r"""Where one step ends and the next begins. Joining the pieces of a text gives the text, to the letter.

Source: newline steps: Math-Shepherd (arXiv:2312.08935); "Step n": Step-DPO (arXiv:2406.18629); plans: CPL
(arXiv:2409.08642); sentences: MCTS-DPO (arXiv:2405.00451); chunks: LongDPO (arXiv:2502.02095).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Literal

Kind = Literal["newline", "step", "plan", "sentence", "words", "tokens", "turn", "tag", "whole"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s.!?])")
_TURNS = "User|Assistant|Tool|Observation"  # endpoints take four stop strings
_ANSWER = r"(?im)^\s*(?:final\s+)?answer\b|\\boxed\s*\{|^####"


@dataclass(frozen=True)
class Pieces:
    r"""A way to cut a text into steps.

    Args:
        kind: ``newline`` (lines; blank ones stay with the line before), ``step`` and ``plan`` (a piece begins at
            ``Step n`` or ``Plan n``), ``sentence``, ``words`` (chunks of ``size`` words; asked for in tokens),
            ``tokens`` (of ``size`` tokens, as they were sampled), ``turn`` (a piece begins where a line names who
            speaks, ``User:``), ``tag`` (a piece ends with ``</mark>``), ``whole``.
        mark: the word or tag, in place of the kind's own; the names of those who speak, with ``|`` between them.
        size: words or tokens a chunk.
        answer: pattern of what only a last piece holds.
    """

    kind: Kind = "newline"
    mark: str = ""
    size: int = 128
    answer: str = _ANSWER
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _answer: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        word = re.escape(self.mark or {"plan": "Plan", "tag": "step"}.get(self.kind, "Step"))
        patterns = {
            "newline": r"\n\s*(?=\S)",
            "step": rf"\n(?=\s*{word}\s+\d+\b)", "plan": rf"\n(?=\s*{word}\s+\d+\b)|\n(?=\s*Solution\b)",
            "tag": rf"</{word}>\s*(?=\S)", "words": rf"(?:\S+\s+){{{self.size}}}(?=\S)", "whole": r"(?!)",
            "turn": rf"\n(?=\s*(?:{'|'.join(map(re.escape, self.speakers))})\s*:)", "tokens": r"(?!)",
        }  # fmt: skip
        pattern = _SENTENCE if self.kind == "sentence" else re.compile(patterns[self.kind])
        object.__setattr__(self, "_pattern", pattern)
        object.__setattr__(self, "_answer", re.compile(self.answer))

    @property
    def speakers(self) -> list[str]:
        """Who may begin a turn."""
        return (self.mark or _TURNS).split("|")

    @property
    def chunked(self) -> bool:
        """Whether a number of tokens ends a step while it is written, so that a cut one is whole."""
        return self.kind in ("words", "tokens")

    @cached_property
    def stop(self) -> tuple[str, ...]:
        """The strings that end a step while it is written; none where only the whole text tells (then it is cut)."""
        if self.kind == "turn":
            return tuple(f"\n{name}:" for name in self.speakers)
        word = self.mark or {"plan": "Plan", "tag": "step"}.get(self.kind, "Step")
        return {"newline": ("\n",), "step": (f"\n{word} ",), "plan": (f"\n{word} ",), "tag": (f"</{word}>",)}.get(
            self.kind, ()
        )

    @property
    def restored(self) -> str:
        """What a step ends with when the stop string ended it: engines leave it out."""
        return self.stop[0] if self.kind == "tag" else "\n" if self.stop else ""

    def cut(self, text: str, tokens: Sequence[str] = ()) -> list[str]:
        r"""Returns the pieces of a text.

        Args:
            tokens: those the text was sampled as; without them, or where they do not join to it, it is one piece.

        >>> Pieces("step").cut("Step 1: a\nb\nStep 2: c\nAnswer: 3")
        ['Step 1: a\nb\n', 'Step 2: c\nAnswer: 3']
        """
        if not text:
            return []
        if self.kind == "tokens":
            written = list(accumulate(map(len, tokens)))
            ends = written[self.size - 1 :: self.size] if "".join(tokens).startswith(text) else []
        else:
            ends = [found.end() for found in self._pattern.finditer(text)]
        bounds = [0, *(end for end in ends if end < len(text)), len(text)]
        return [text[a:b] for a, b in pairwise(bounds) if b > a]

    def last(self, piece: str) -> bool:
        """Says whether a piece holds the answer, so that nothing follows."""
        return self._answer.search(piece) is not None


def joined(steps: Sequence[str]) -> tuple[str, list[int]]:
    r"""Returns listed steps as one text, a line each, and where in it each step but the first begins.

    >>> joined(["a", "", "b"])
    ('a\n\nb', [2, 3])
    """
    ends = list(accumulate(len(step) + 1 for step in steps))
    return "\n".join(steps), ends[:-1]


def parts(text: str, cuts: Sequence[int]) -> list[str]:
    r"""Returns the steps of a text that are known to begin at these places; an empty one stays one.

    >>> parts("a\n\nb", [2, 3])
    ['a\n', '\n', 'b']
    """
    return [text[start:end] for start, end in pairwise([0, *cuts, len(text)])]
