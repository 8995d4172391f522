"""An answer equals itself and never one with another number in it, over many kinds."""

from __future__ import annotations

import random
import re

import pytest

from tasks.readers.values import compare

KINDS = [
    "A", "-A", "A.B5", "A/B3", r"\frac{A}{B1}", r"A\sqrt{B}", r"\frac{A\sqrt{7}}{B1}", "A%", r"\$A.50", "A,B00",
    r"A\text{ cm}^2", "A km/h", "A apples", r"A^\circ", "(A, B)", "[A, B]", r"(-\infty, A) \cup (A00, \infty)",
    r"\{A, B\}", r"A \text{ or } B", "x = A", "y = Ax + B", "Ax + By = 1", "x^2 + Ax + B", "(x+A)(x-B)", r"A\pi",
    "A + Bi", "A x^{2}y - B", r"x \le A", "A:B1", r"A \times 10^{-B}", "A!", r"\binom{A00}{B}", r"\pm A",
    r"\begin{pmatrix} A & B \\ 1 & 0 \end{pmatrix}", "3A0_7", "e^{A}", r"\ln A3", r"A + \sqrt{B}", r"2^{A} - 1",
    "May A, 2020", "A:3B", r"\textbf{(C)}\ A", "A million", r"0.\overline{A}", "1/2^{AB}", "x^2+y^2=A", "A < x < 9B",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_equals_itself_and_not_one_with_another_number(kind: str) -> None:
    chance = random.Random(f"20260 {kind}")
    for _ in range(45):
        a, b = chance.sample(range(2, 7), 2)
        c = chance.choice([n for n in range(2, 7) if n not in (a, b)])
        answer = kind.replace("A", str(a)).replace("B", str(b))
        changed = re.sub("A", str(c), kind).replace("B", str(b))
        assert compare(answer, answer).result == "right"
        if "textbf" not in kind:
            assert compare(changed, answer).result == "wrong", (changed, answer)
            assert compare(answer, changed).result == "wrong", (changed, answer)
