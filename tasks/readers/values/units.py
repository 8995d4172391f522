r"""Reads units behind a number: names, symbols, powers, products; and how many base units they are.

Source: the International System of Units (BIPM brochure, 9th edition) and the customary units of the United States.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_BASE = "length mass time current temperature amount angle money item"


class Unit(NamedTuple):
    """A unit: how many base units one is, and the powers of the base units; a noun is a unit of its own."""

    factor: Fraction
    powers: tuple[tuple[str, int], ...]
    clear: bool = True  # false for a single letter, which may be something else


def _rows(text: str, base: str, power: int = 1) -> dict[str, tuple[Fraction, str, int]]:
    rows = {}
    for line in text.split(";"):
        factor, *names = line.split()
        for name in names:
            rows[name.replace("_", " ")] = (Fraction(factor), base, power)
    return rows


_KNOWN = {
    **_rows("1 m meter metre; 1000 km kilometer kilometre; 1/100 cm centimeter centimetre; 1/1000 mm millimeter"
            " millimetre; 1/1000000 \\mum um micrometer micron; 1/1000000000 nm nanometer; 381/1250 ft foot feet;"
            " 127/5000 in inch inche; 1143/1250 yd yard; 201168/125 mi mile; 1/10 dm decimeter", "length"),
    **_rows("1/1000 L l liter litre; 1/1000000 mL ml milliliter millilitre cc; 473176473/125000000000 gal gallon;"
            " 473176473/500000000000 qt quart; 473176473/1000000000000 pt pint; 473176473/2000000000000 cup",
            "length", 3),
    **_rows("10000 ha hectare; 40468564224/10000000 acre", "length", 2),
    **_rows("1 kg kilogram; 1/1000 g gram; 1/1000000 mg milligram; 1000 tonne metric_ton;"
            " 45359237/100000000 lb lbs pound; 45359237/1600000000 oz ounce; 90718474/100000 ton", "mass"),
    **_rows("1 s sec second; 1/1000 ms millisecond; 1/1000000 \\mus us microsecond; 60 min minute; 3600 h hr hour;"
            " 86400 d day; 604800 week wk; 1209600 fortnight; 2629800 month; 31557600 year yr; 315576000 decade;"
            " 3155760000 century centurie", "time"),
    **_rows("1 A amp ampere; 1/1000 mA milliampere", "current"),
    **_rows("1 K kelvin", "temperature"),
    **_rows("1 \\degreeC degree_C celsius", "celsius"), **_rows("1 \\degreeF degree_F fahrenheit", "fahrenheit"),
    **_rows("1 mol mole", "amount"),
    **_rows("1 degree deg \\degree", "angle"),
    **_rows("1 rad radian", "radian"),
    **_rows("1 dollar USD usd \\$ buck; 1/100 cent ¢", "dollar"),
    **_rows("1 euro EUR eur €", "euro"), **_rows("1 pound_sterling GBP £", "sterling"),
    **_rows("1 rupee INR ₹", "rupee"),
    **_rows("1 yen JPY ¥ 円", "yen"), **_rows("1 yuan RMB CNY 元", "yuan"), **_rows("1 peso MXN", "peso"),
    **_rows("1 bit; 8 byte B; 8000 kB KB; 8000000 MB; 8000000000 GB", "bit"),
}  # fmt: skip
_DERIVED = {
    "N": "kg*m/s^2", "newton": "kg*m/s^2", "J": "kg*m^2/s^2", "joule": "kg*m^2/s^2", "W": "kg*m^2/s^3",
    "watt": "kg*m^2/s^3", "Pa": "kg/m/s^2", "pascal": "kg/m/s^2", "Hz": "1/s", "hertz": "1/s", "C": "A*s",
    "coulomb": "A*s", "V": "kg*m^2/s^3/A", "volt": "kg*m^2/s^3/A", "\\Omega": "kg*m^2/s^3/A^2",
    "ohm": "kg*m^2/s^3/A^2", "F": "A^2*s^4/kg/m^2", "farad": "A^2*s^4/kg/m^2", "T": "kg/s^2/A", "tesla": "kg/s^2/A",
    "mph": "mi/h", "kph": "km/h", "kmh": "km/h", "eV": "", "sqft": "ft^2", "sqm": "m^2",
}  # fmt: skip
_PREFIXES = {"k": 3, "M": 6, "G": 9, "m": -3, "\\mu": -6, "n": -9, "kilo": 3, "mega": 6, "giga": 9, "milli": -3}
_NOT_NOUNS = re.compile(
    r"\b(?:than|plus|minus|squared|cubed|and|or|to|hal(?:f|ves)|thirds?|quarters?|pi|sqrt|log|ln|sin|cos|tan|exp|not|no"
    r"|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|per ?cent|mod|times|divided|by|is|are|was|equals?|if"
    r"|base|less|more|but|either|remainder|the|twice|double|triple|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|am|pm|mixed)\b",
    re.IGNORECASE,
)
_NOUN = re.compile(r"(?:[^\W\d_]{2,}(?:['’.-][^\W\d_]+)*)(?:[ /-]{1,3}[^\W\d_]+){0,7}\.?")
_PIECE = re.compile(r"\\degree ?[CF]\b|\\[a-zA-Z]+ ?[a-zA-Z]*|[^\W\d_]+|\^ ?\{? ?-?\d ?\}?|[$€£₹¥¢*/·().-]|1(?=/)")


def unit(text: str) -> Unit | None:
    r"""Returns the unit a text is, all of it; null when it is none.

    >>> unit("km/h") == unit("kilometers per hour"), unit("ft") == unit("feet")
    (True, True)
    """
    text = re.sub(r"\\(?:cdot|times)\b", "*", text.strip(" .~"))
    text = (
        re.sub(r"(?<![a-z])per(?![a-z])", "/", text)
        .replace("\\degree C", "\\degreeC")
        .replace("\\degree F", "\\degreeF")
    )
    text = re.sub(r"\b(?:square|sq\.?) ([^\W\d_]+)", r"\1^2", text)
    text = re.sub(r"\b(?:cubic|cu\.?) ([^\W\d_]+)", r"\1^3", text)
    text = re.sub(r"([^\W\d_]+) squared\b", r"\1^2", text)
    text = re.sub(r"([^\W\d_]+) cubed\b", r"\1^3", text)
    text = re.sub(r"\\mu\s+(?=[a-z])", r"\\mu", text)
    text = re.sub(r"[{}\s]+", " ", text).strip()
    product = _product(text)
    if product is not None:
        return product
    return _noun(text)


def _product(text: str) -> Unit | None:
    factor = Fraction(1)
    powers: dict[str, int] = {}
    side = 1
    clear = False
    rest = text
    last: tuple[Fraction, dict[str, int]] | None = None
    while rest:
        match = re.match(r"\s*(?:(\\?[^\W\d_]+|[$€£₹¥¢])\s*(?:\^ ?(-?\d))?|([*/·.-])|([()]))", rest)
        if match is None or match[4]:
            return None
        rest = rest[match.end() :]
        if match[3]:
            side = -1 if match[3] == "/" else side
            if match[3] == "*" or match[3] == "·":
                side = side if side == 1 else -1
            continue
        last = _single(match[1])
        if last is None:
            return None
        clear = clear or len(match[1].lstrip("\\")) > 1 or match[1] in "$€£₹¥¢" or bool(match[2])
        exponent = side * int(match[2] or 1)
        factor *= last[0] ** exponent
        for name, power in last[1].items():
            powers[name] = powers.get(name, 0) + power * exponent
    if last is None:
        return None
    return Unit(factor, tuple(sorted((name, power) for name, power in powers.items() if power)), clear)


def _single(name: str) -> tuple[Fraction, dict[str, int]] | None:
    for form in (name, name.casefold() if len(name) > 2 else name):
        for base in (form, form.removesuffix("s") if len(form) > 2 else form, form.removesuffix("es")):
            if base in _KNOWN:
                factor, kind, power = _KNOWN[base]
                return factor, {kind: power}
            if _DERIVED.get(base):
                product = _product(_DERIVED[base].removeprefix("1"))
                if product is not None:
                    return product.factor, dict(product.powers)
        for prefix, exponent in _PREFIXES.items():
            rest = form.removeprefix(prefix)
            if rest != form and rest in _DERIVED and _DERIVED[rest]:
                product = _product(_DERIVED[rest].removeprefix("1"))
                if product is not None:
                    return product.factor * Fraction(10) ** exponent, dict(product.powers)
    return None


def _noun(text: str) -> Unit | None:
    if not _NOUN.fullmatch(text) or _NOT_NOUNS.search(text) or len(text) > 60:
        return None
    words = [word.casefold().strip(".").removesuffix("s") for word in re.findall(r"[^\W\d_]+", text)]
    return Unit(Fraction(1), (("noun " + " ".join(words), 1),), clear=False)


def factors(powers: tuple[tuple[str, int], ...]) -> list[Fraction]:
    """Returns how many base units each known unit of a kind is."""
    if len(powers) != 1:
        return []
    (name, power), *_ = powers
    return sorted({factor for factor, kind, times in _KNOWN.values() if (kind, times) == (name, power)})


def is_noun(item: Unit) -> bool:
    """Says whether a unit is a word that is no unit of measurement."""
    return item.powers[:1] != () and item.powers[0][0].startswith("noun ")
