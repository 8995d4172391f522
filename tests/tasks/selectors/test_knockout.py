import itertools

import orjson
import polars as pl

from tasks.selectors.knockout import knockout
from tests.support.scored import completions, duels, places

STRENGTHS = [3, 1, 4, 1, 5, 9, 2, 6]


def all_duels(strengths, but=()):
    return duels([
        (f"{i:03d}", f"{j:03d}", 0.5 if a == b else float(a > b))
        for (i, a), (j, b) in itertools.combinations(enumerate(strengths), 2) if (i, j) not in but
    ])  # fmt: skip


def field(count):
    return completions([{"completion_id": f"{i:03d}"} for i in range(count)])


def test_eleven_comparisons_of_eight():
    found = knockout(field(8), all_duels(STRENGTHS))
    assert places(found) == [(5, 3)]
    assert orjson.loads(found["meta"][0]) == {"comparisons": 11}
    assert found["p_chosen"].to_list() == [1.0]


def test_only_what_was_needed_had_to_be_judged():
    needed = {(0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (5, 7), (2, 5), (1, 3), (4, 6), (3, 6), (3, 5)}
    spared = [pair for pair in itertools.combinations(range(8), 2) if pair not in needed]
    assert places(knockout(field(8), all_duels(STRENGTHS, spared))) == [(5, 3)]
    assert places(knockout(field(8), all_duels(STRENGTHS, [*spared, (4, 6)]))) == []


def test_one_left_over_waits():
    assert places(knockout(field(5), all_duels([1, 2, 3, 4, 5]))) == [(4, 0)]
    assert places(knockout(field(3), all_duels([1, 2, 3]))) == [(2, 0)]


def test_the_best_must_beat_the_worst():
    circle = duels([("000", "001", 1), ("001", "002", 1), ("000", "002", 0)])
    assert places(knockout(field(2), circle)) == [(0, 1)]
    tie = duels([("000", "001", 0.5)])
    assert places(knockout(field(2), tie)) == []


def test_a_judge_who_contradicts_itself_is_a_tie():
    both = pl.concat([duels([("000", "001", 1)]), duels([("001", "000", 1)])])
    assert places(knockout(field(2), both)) == []


def test_one_completion_meets_nobody():
    assert knockout(field(1), all_duels([1, 2])).height == 0
