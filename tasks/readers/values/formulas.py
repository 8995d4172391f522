r"""Reads a formula in LaTeX or plain notation: ``\frac{1}{2}``, ``2\sqrt3``, ``3 1/2``, ``2*sqrt(3)``, ``7!``.

Source: the notations of MATH (arXiv:2103.03874) and GSM8K (arXiv:2110.14168) answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import factorial

from tasks.readers.values import algebra
from tasks.readers.values.algebra import Formula, TooLargeError, UnreadError
from tasks.readers.values.functions import FUNCTIONS, GREEK, function_value
from tasks.readers.values.powers import power

_TOKEN = re.compile(r"\\[a-zA-Z]+|\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?![\d.]))?|\.\d+|[a-zA-Z]+|\S")
_ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "lg": "log", "dfrac": "frac", "tfrac": "frac",
            "cfrac": "frac", "dbinom": "binom", "tbinom": "binom"}  # fmt: skip
_OPEN = {"(": ")", "{": "}", "[": "]"}
_SIGNS = ("\\cdot", "\\times", "\\div", "\\degree", "\\rfloor", "\\rceil", "\\rvert")
DEGREE = algebra.divide(algebra.atom("x", "pi"), algebra.number(180))
_DEEPEST = 40


def formula(text: str) -> Formula:
    """Returns the formula a text is, all of it.

    Raises:
        UnreadError: the text is no formula, or its value is too large to write down.
    """
    reader = _Reader(text)
    result = reader.sum()
    if reader.peek():
        raise UnreadError(f"{reader.peek()!r} does not belong to a formula")
    return result


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]
        self.at = 0
        self.depth = 0
        self.bars = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *tokens: str) -> str:
        return self.take() if self.peek() in tokens else ""

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise UnreadError(f"{token!r} is missing")

    def deeper(self, read: Callable[[], Formula]) -> Formula:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise TooLargeError("a formula is nested too deeply")
        result = read()
        self.depth -= 1
        return result

    def sum(self) -> Formula:
        total = self.product()
        while sign := self.accept("+", "-"):
            term = self.product()
            total = algebra.add(total, algebra.negative(term) if sign == "-" else term)
        return total

    def product(self) -> Formula:
        total = self.signed()
        while True:
            if self.accept("*", "\\cdot", "\\times"):
                total = algebra.multiply(total, self.signed())
            elif self.accept("/", "\\div", ":"):
                total = algebra.divide(total, self.signed())
            elif self.starts():
                total = algebra.multiply(total, self.powers())
            else:
                return total

    def starts(self) -> bool:
        token = self.peek()
        if token == "|":
            return not self.bars
        if token[:1].isdigit() or token[:1] == ".":
            return self.at > 0 and not self.tokens[self.at - 1][0][-1:].isdigit()
        return token[:1].isalpha() or token in _OPEN or (token[:1] == "\\" and token not in _SIGNS)

    def signed(self) -> Formula:
        if self.accept("-"):
            return algebra.negative(self.deeper(self.signed))
        if self.accept("+"):
            return self.deeper(self.signed)
        return self.powers()

    def powers(self) -> Formula:
        base = self.factorials(self.atom())
        if self.accept("\\degree"):
            base = algebra.multiply(base, DEGREE)
        if self.accept("^"):
            base = power(base, self.deeper(self.exponent))
            base = self.factorials(base)
        return base

    def factorials(self, base: Formula) -> Formula:
        while self.accept("!"):
            value = algebra.constant(base)
            if value is None or value.denominator != 1 or value < 0:
                base = algebra.atom("f", "factorial", algebra.frozen(base))
            elif value > 1000:
                raise TooLargeError("a factorial is too large")
            else:
                base = algebra.number(factorial(int(value)))
        return base

    def exponent(self) -> Formula:
        if self.accept("-"):
            return algebra.negative(self.exponent())
        self.accept("+")
        inside = self.atom() if self.peek() == "{" or self.peek() == "(" else self.single()
        if self.accept("^"):
            inside = power(inside, self.deeper(self.exponent))
        return inside

    def single(self) -> Formula:
        r"""Reads what one command takes as its argument: a group, a command, one letter, or one digit (``\frac12``)."""
        token = self.peek()
        if token == "{" or token[:1] == "\\":
            return self.atom()
        if len(token) > 1 and self.argument_of_command():
            text, start, end = self.tokens[self.at]
            self.tokens[self.at : self.at + 1] = [(text[0], start, start + 1), (text[1:], start + 1, end)]
        return self.atom()

    def argument_of_command(self) -> bool:
        before = self.tokens[self.at - 1][0] if self.at else ""
        return before[:1] == "\\" or (before.isdigit() and self.at > 1 and self.tokens[self.at - 2][0] == "\\frac")

    def group(self, close: str) -> Formula:
        result = self.deeper(self.sum)
        self.expect(close)
        return result

    def atom(self) -> Formula:
        token = self.take()
        if not token:
            raise UnreadError("a formula ends too early")
        if token[0].isdigit() or token[0] == ".":
            return self.mixed(Fraction(token))
        if token in _OPEN:
            bars, self.bars = self.bars, 0
            result = self.group(_OPEN[token])
            self.bars = bars
            return result
        if token == "|":
            self.bars += 1
            inside = self.group("|")
            self.bars -= 1
            return function_value("abs", [inside])
        if token[0] == "\\":
            return self.command(token[1:])
        return self.letters(token)

    def mixed(self, whole: Fraction) -> Formula:
        r"""Reads the fraction of ``3 1/2`` and ``3\frac{1}{2}`` with the whole number before it."""
        here = self.at
        if whole.denominator == 1 and self.peek() in ("\\frac", "\\dfrac", "\\tfrac"):
            self.take()
            try:
                parts = [algebra.constant(self.single()), algebra.constant(self.single())]
            except UnreadError:
                parts = [None]
            if all(part is not None and part.denominator == 1 and part > 0 for part in parts) and parts[0] < parts[1]:  # type: ignore[operator]
                return algebra.number(whole + Fraction(parts[0] or 0) / Fraction(parts[1] or 1))
            self.at = here
        elif whole.denominator == 1 and self.peek().isdigit() and self.peek(1) == "/" and self.peek(2).isdigit():
            top, bottom = int(self.peek()), int(self.peek(2))
            if 0 < top < bottom and self.spaced():
                self.at += 3
                return algebra.number(whole + Fraction(top, bottom))
        return algebra.number(whole)

    def spaced(self) -> bool:
        return self.tokens[self.at][1] > self.tokens[self.at - 1][2]

    def command(self, name: str) -> Formula:
        name = _ALIASES.get(name, name)
        if name == "frac":
            top = self.single()
            return algebra.divide(top, self.single())
        if name == "binom":
            return function_value("binom", [self.single(), self.single()])
        if name == "sqrt":
            degree = self.group("]") if self.accept("[") else algebra.number(2)
            inside = self.atom() if self.peek() in ("(", "{") else self.single()
            return power(inside, algebra.divide(algebra.number(1), degree))
        if name in ("lfloor", "lceil", "lvert"):
            inside = self.group("\\r" + name[1:])
            return function_value({"lfloor": "floor", "lceil": "ceil", "lvert": "abs"}[name], [inside])
        if name in FUNCTIONS:
            return self.call(name)
        return self.named(name)

    def letters(self, token: str) -> Formula:
        token = _ALIASES.get(token, token)
        if token in ("sqrt", "cbrt"):
            inside = self.atom() if self.peek() in ("(", "{") else self.single()
            return power(inside, algebra.number(Fraction(1, 2 if token == "sqrt" else 3)))
        if token in FUNCTIONS:
            return self.call(token)
        if token in ("pi", "theta", "alpha", "beta", "phi", "lambda", "omega", "sigma", "infty"):
            return self.named(token)
        if len(token) > 1:
            if len(token) > 3 or (len(token) == 3 and ([*token] != sorted(token) or set(token.lower()) & set("eiou"))):
                raise UnreadError(f"{token!r} is a word")
            text, start, _ = self.tokens[self.at - 1]
            rest = [(letter, start + i, start + i + 1) for i, letter in enumerate(text)]
            self.tokens[self.at - 1 : self.at] = rest
            token = rest[0][0]
        if not token[0].isalpha():
            raise UnreadError(f"{token!r} does not start a formula")
        return self.named(token)

    def named(self, name: str) -> Formula:
        if name == "i" and self.peek() != "_":
            return algebra.IMAGINARY
        if len(name) > 1 and name not in (*GREEK, "pi", "infty"):
            raise UnreadError(f"the command {name!r} is not understood")
        if name == "infty":
            raise UnreadError("infinity is no number")
        if self.accept("_"):
            name += "_" + self.index()
        while self.accept("'"):
            name += "'"
        if len(name) == 1 and self.peek() == "(" and name in "fghFGHP" and self.peek(2) in (")", ","):
            name += self.arguments()
        return algebra.atom("x", name)

    def index(self) -> str:
        if not self.accept("{"):
            return self.take()
        name = ""
        while (token := self.take()) != "}":
            if not token or token == "{":
                raise UnreadError("an index does not end")
            name += token
        return name

    def arguments(self) -> str:
        name = self.take()
        while name[-1] != ")":
            if not self.peek():
                raise UnreadError("an argument list does not end")
            name += self.take()
        return name

    def call(self, name: str) -> Formula:
        base: list[Formula] = []
        exponent = None
        if name == "log" and self.accept("_"):
            base = [self.single()]
        if self.accept("^"):
            exponent = self.deeper(self.exponent)
            if algebra.constant(exponent) == -1:
                name, exponent = "arc" + name, None
        arguments = self.list(_OPEN[self.take()]) if self.peek() in ("(", "{", "[") else [self.deeper(self.argument)]
        result = function_value(name, [*arguments, *base])
        return result if exponent is None else power(result, exponent)

    def list(self, close: str) -> list[Formula]:
        items = [self.deeper(self.sum)]
        while self.accept(","):
            items.append(self.deeper(self.sum))
        self.expect(close)
        return items

    def argument(self) -> Formula:
        """Reads the argument of a function that stands without brackets: ``sin 2x``, ``log -3`` is none."""
        total = self.powers()
        while self.starts() and self.peek() not in ("(", "[") and self.peek()[1:] not in FUNCTIONS:
            total = algebra.multiply(total, self.powers())
        return total
