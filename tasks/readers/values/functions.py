"""Values of functions where they are rational numbers.

Source: definitions of elementary functions (NIST Digital Library of Mathematical Functions, chapter 4).
"""

from __future__ import annotations

from math import comb

from tasks.readers.values import algebra
from tasks.readers.values.algebra import Formula
from tasks.readers.values.powers import power

FUNCTIONS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "asin", "acos", "atan", "sinh", "cosh",
    "tanh", "log", "ln", "lg", "exp", "floor", "ceil", "abs", "sqrt", "cbrt", "sgn", "Re", "Im", "det", "gcd", "lcm",
    "max", "min",
}  # fmt: skip
GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar",
))  # fmt: skip


def function_value(name: str, arguments: list[Formula]) -> Formula:
    """Returns a function's value where it is a rational number, else a symbol."""
    values = [algebra.constant(argument) for argument in arguments]
    first = values[0]
    if name == "exp":
        return power(algebra.atom("x", "e"), arguments[0])
    if name == "abs" and first is not None:
        return algebra.number(abs(first))
    if name in ("floor", "ceil") and first is not None:
        return algebra.number(first // 1 if name == "floor" else -(-first // 1))
    if name == "binom" and all(value is not None and value.denominator == 1 and 0 <= value <= 1000 for value in values):
        return algebra.number(comb(int(values[0] or 0), int(values[1] or 0)))
    if name in ("log", "ln") and first == 1:
        return algebra.number(0)
    if name in ("max", "min") and None not in values:
        return algebra.number((max if name == "max" else min)(value for value in values if value is not None))
    return algebra.atom("f", name, *map(algebra.frozen, arguments))
