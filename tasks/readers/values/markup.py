r"""Brings an answer into one notation: plain digits, LaTeX commands for signs, no delimiters, emphasis or spacing.

Source: Unicode Standard, chapter 22 (numbers and mathematical symbols); LaTeX markup of MATH (arXiv:2103.03874).
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

_SIGNS = {
    "−": "-", "–": "-", "—": "-", "﹣": "-", "‐": "-", "‑": "-", "×": "\\times ", "·": "\\cdot ", "⋅": "\\cdot ",
    "∙": "\\cdot ", "÷": "/", "∕": "/", "⁄": "/", "π": "\\pi ", "∞": "\\infty ", "≤": "\\le ", "≥": "\\ge ",
    "⩽": "\\le ", "⩾": "\\ge ", "≠": "\\ne ", "≈": "\\approx ", "±": "\\pm ", "∓": "\\mp ", "∪": "\\cup ",
    "∩": "\\cap ", "∈": "\\in ", "∅": "\\emptyset ", "ℝ": "\\R ", "°": "\\degree ", "º": "\\degree ", "′": "'",
    "’": "'", "‘": "'", "“": '"', "”": '"', "√": "\\sqrt ", "∛": "\\sqrt[3]", "∜": "\\sqrt[4]", "θ": "\\theta ",
    "α": "\\alpha ", "β": "\\beta ", "γ": "\\gamma ", "λ": "\\lambda ", "φ": "\\phi ", "ω": "\\omega ",
    "μ": "\\mu ", "µ": "\\mu ", "Ω": "\\Omega ", "\u2126": "\\Omega ", "∧": " and ", "∨": " or ", "→": "\\to ",
    "،": ",", "、": ",", "，": ",", "；": ";", "：": ":", "٫": ".", "٬": ",", "٪": "%", "％": "%", "⟨": "(", "⟩": ")",
    "\u00a0": "\u2009", "\u202f": "\u2009", "\u200b": "", "\u200e": "", "\u200f": "", "\ufeff": "", "⁠": "",
    "。": "",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SYNONYMS = {
    "leq": "le", "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "lt": "<", "gt": ">", "dfrac": "frac",
    "tfrac": "frac", "cfrac": "frac", "varnothing": "emptyset", "circ": "degree", "land": "and", "lor": "or",
    "wedge": " and ", "vee": " or ", "cdotp": "cdot", "ast": "*", "div": "/", "colon": ":", "dollar": "$",
    "lbrace": "⦃", "rbrace": "⦄", "lbrack": "[", "rbrack": "]", "langle": "(", "rangle": ")", "mid": "|", "vert": "|",
    "infin": "infty", "Reals": "R", "ldots": "...", "dots": "...", "cdots": "...", "simeq": "approx", "sim": "approx",
    "degrees": "degree", "celsius": "degree C", "Rightarrow": "to", "implies": "to", "quad": " ", "qquad": " ",
}  # fmt: skip
_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|bigl?|bigr|Bigl?|Bigr|biggl?|biggr|mathstrut|nolimits|hfill|hspace"
    r"|boldsymbol|mathit|bf|rm|it|strut|phantom|boxed|fbox|hline|,|!|;|:|>|\s)(?![a-zA-Z])"
)
_TEXTS = re.compile(
    r"\\(?:text|textbf|textrm|textit|textsf|texttt|textnormal|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname\*?"
    r"|emph|underline|bold|bm|boldsymbol|boxed|fbox|ensuremath|overline)\s*\{([^{}]*)\}"
)
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_CALCULATOR = re.compile(r"<<[^<>]*>>")
_REPEATING = re.compile(r"(\d*)\.(\d*)\\(?:overline|bar)\s*(?:\{(\d+)\}|(\d))")
_RADICAL = re.compile(r"√ ?(\d+(?:\.\d+)?)")
_POWER = re.compile(r"(?<=[\w)])\*\*(?=[\w(-])")
_EMPHASIS = re.compile(r"\*\*|__|`|</?[a-zA-Z]{1,6}>")
_SCALES = {"万": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12, "千": 1000, "百": 100}
_SCALED = re.compile(r"(?:\d+(?:\.\d+)?[万億亿兆千百]+)+(?:\d+(?!\.?\d))?")
_PART = re.compile(r"(\d+(?:\.\d+)?)([万億亿兆千百]*)")


def plain(text: str) -> str:
    r"""Returns a short answer in one notation.

    >>> plain("$\\left(−1,\\tfrac{1}{2}\\right)$.")
    '(-1,\\frac{1}{2})'
    >>> plain("\\text{ \\textbf{(C)} } √７")
    '(C) \\sqrt 7'
    """
    text = _CALCULATOR.sub("", text.strip())
    text = _letters(_RADICAL.sub(r"\\sqrt{\1}", text))
    text = _REPEATING.sub(_fraction, text)
    text = text.replace("\\\\", "⏎" if "\\begin" in text else "\\")
    text = _POWER.sub("^", text)
    text = _EMPHASIS.sub("", text)
    for _ in range(4):
        text = _TEXTS.sub(r" \1 ", text)
    text = _DROPPED.sub(lambda m: "\u2009" if m[0][-1] in ",;:> " else "", text)
    text = text.replace("\\{", "⦃").replace("\\}", "⦄").replace("\\|", "|").replace("\\%", "%").replace("\\#", "#")
    text = text.replace("\\_", "_").replace("\\&", " and ").replace("~", " ")
    text = re.sub(r"\\[()\[\]]", " ", text)
    text = _COMMAND.sub(_command, text)
    text = re.sub(r"(?<=\d)\{,\}(?=\d{3})", "", text)
    text = re.sub(r"\^\s*(?:\{\s*\\degree\s*\}|\\degree)", r"\\degree ", text)
    text = _dollars(text)
    text = re.sub(r"[ \t\n\r]+", " ", text).strip()
    text = re.sub(r"^(?:[=:]|\\approx|\\to)+ *", "", text)
    return text.rstrip("!?" if not re.search(r"[\d)]!+$", text) else "").rstrip(" .,;")


def _fraction(match: re.Match[str]) -> str:
    r"""Returns the fraction of a repeating decimal: ``0.1\overline{6}`` is 1/6."""
    whole, fixed, repeated = match[1] or "0", match[2], match[3] or match[4]
    tail = Fraction(int(repeated), (10 ** len(repeated) - 1) * 10 ** len(fixed))
    value = Fraction(f"{whole}.{fixed or 0}") + tail
    return f"({value.numerator}/{value.denominator})"


def _letters(text: str) -> str:
    result: list[str] = []
    for i, letter in enumerate(text):
        if letter in _RAISED:
            same = i and text[i - 1] in _RAISED
            digit = _RAISED[letter]
            if same:
                result[-1] = result[-1][:-1] + digit + "}"
            else:
                result.append("^{" + digit + "}")
        elif letter in _LOWERED:
            if i and text[i - 1] in _LOWERED:
                result[-1] = result[-1][:-1] + _LOWERED[letter] + "}"
            else:
                result.append("_{" + _LOWERED[letter] + "}")
        elif letter in _SIGNS:
            result.append(_SIGNS[letter])
        elif letter.isascii():
            result.append(letter)
        else:
            result.append(_other(letter))
    return "".join(result)


def _other(letter: str) -> str:
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    form = unicodedata.normalize("NFKC", letter)
    if "⁄" in form:
        top, _, bottom = form.partition("⁄")
        return f"\\frac{{{top}}}{{{bottom}}}"
    return "".join(_SIGNS.get(part, part) for part in form)


def _command(match: re.Match[str]) -> str:
    name = match[1]
    other = _SYNONYMS.get(name)
    if other is None:
        return match[0]
    return "\\" + other + " " if other.isalpha() and other not in ("and", "or") else f" {other} "


def _dollars(text: str) -> str:
    r"""Removes dollar signs that delimit a formula; those of money become ``¤``."""
    text = text.replace("\\$", "¤")
    if text.count("$") % 2 == 0:
        return text.replace("$", " ")
    return re.sub(r"\$(?=\s*-?[\d.])", "¤", text, count=1).replace("$", " ")


def scaled(text: str) -> str:
    """Returns a text in which numbers with East Asian scales (``3万``, ``1億2000万``) are written out."""
    return _SCALED.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    total = Fraction(0)
    for digits, scales in _PART.findall(match[0]):
        factor = 1
        for scale in scales:
            factor *= _SCALES[scale]
        total += Fraction(digits) * factor
    return str(total.numerator) if total.denominator == 1 else match[0]
