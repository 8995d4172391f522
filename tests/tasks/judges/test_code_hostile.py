"""Programs that attack their checker: none is called right, and none gets away without its fail."""

import json
import random

import pytest

from tasks.judges import _code_checker
from tests.support.code import Judge
from tests.support.hostile import KINDS, TESTS

NEAR = "import math\nfrom collections import Counter\ndef near(xs):\n    return set(xs)\n"
PROGRAMS = [text for texts in KINDS.values() for text in texts]
IDS = [f"{kind} {i}" for kind, texts in KINDS.items() for i, text in enumerate(texts)]


@pytest.fixture(scope="module")
def rows():
    judge = Judge()
    limits = {"cpu_s": 1, "wall_s": 20, "memory_mb": 200}
    found = judge(TESTS, NEAR, *PROGRAMS, NEAR, **limits)
    judge.close()
    return found


def test_the_attacks_are_many_and_an_honest_program_passes_before_and_after_them(rows):
    assert len(PROGRAMS) >= 60
    assert len(KINDS) >= 12
    assert [rows[0]["score"], rows[-1]["score"]] == [1.0, 1.0]


@pytest.mark.parametrize("number", range(len(PROGRAMS)), ids=IDS)
def test_a_program_that_attacks_its_checker_fails(rows, number):
    row = rows[number + 1]
    assert (row["outcome"], row["score"]) == ("valid", 0.0), row["rationale"]
    assert row["rationale"]
    assert json.loads(row["meta"])["passed"] < 5


ODD = [
    None, True, False, 0, -1, 10**30, "", "near", "set", "\ud800", [], {}, ["cb", 0], ["cb", -1], ["builtin", "set"],
    ["obj", [0, True, "near"]], ["obj", ["x", 1, 2]], ["obj", []], ["i", "0x1"], ["i", "x"], ["f", "nan"],
    ["D", "sNaN"], ["r", [0, 5, 1]], ["r", [0]], ["s", [["l", []]]], ["s", [1.5]], ["d", [[1]]], ["it", [1]], ["c", []],
    ["l", ["near", "set", "math"]], ["Tt", "2000-01-01"], ["z", [["f", "0x1p+0"]]], ["q", [1]], ["zz", 1], ["l", None],
]  # fmt: skip
KINDS_OF_MESSAGE = ["value", "raise", "callback", "results", "names", "set", None, 7]


def message(coin):
    """Returns one message, more often of a known kind than not."""
    if coin.random() < 0.1:
        return coin.choice(ODD)
    kind = coin.choice(KINDS_OF_MESSAGE[: 3 if coin.random() < 0.8 else None])
    return [kind, *(coin.choice([*ODD, "AssertionError", "StopIteration"]) for _ in range(coin.randrange(4)))]


@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_no_babble_on_the_wire_passes_the_tests(monkeypatch, first):
    given = {"setup": "", "tests": TESTS["test_list"], "entry": None, "preamble": ""}
    for seed in range(first, first + 250):
        coin = random.Random(seed)
        polite = [["value", None], ["value", ["l", ["near"]]], ["value", ["obj", [0, True, "near"]]]]
        said = iter(polite[: coin.randrange(4)])
        monkeypatch.setattr(_code_checker, "send", lambda *_: None)
        monkeypatch.setattr(_code_checker, "receive", lambda _, said=said, coin=coin: next(said, None) or message(coin))
        for kept in (_code_checker.LOST, _code_checker.CALLBACKS, _code_checker.NAMED):
            kept.clear()
        _code_checker.CALLS[0] = 0
        report = _code_checker.run(given)
        assert any(report["results"]), (seed, report)


def test_what_a_program_says_beside_the_point_ends_its_hearing(monkeypatch):
    said = iter([["value", None], ["value", ["l", ["f"]]], ["value", ["obj", [0, True, "f"]]], ["value"]])
    monkeypatch.setattr(_code_checker, "send", lambda *_: None)
    monkeypatch.setattr(_code_checker, "receive", lambda _: next(said))
    for kept in (_code_checker.LOST, _code_checker.CALLBACKS, _code_checker.NAMED):
        kept.clear()
    tests = ["try:\n    f()\nexcept:\n    pass", "try:\n    f()\nexcept:\n    pass"]
    report = _code_checker.run({"setup": "", "tests": tests, "entry": None, "preamble": ""})
    assert report["results"] == ["SolutionExit: the program gave an answer that cannot be read: ValueError"] * 2
