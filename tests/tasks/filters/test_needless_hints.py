from tasks.filters.needless_hints import needless_hints
from tests.support.scored import completions, graded


def removed(hints, right):
    rows = completions([
        {"completion_id": f"{i:03d}", "meta": None if hint is None else f'{{"hint":{hint}}}'}
        for i, hint in enumerate(hints)
    ])  # fmt: skip
    found = needless_hints(rows, graded({"j": {"correct": right}}))
    return {int(name): reason for name, reason, _ in found.iter_rows()}


def test_only_the_smallest_hint_that_helped_stays():
    assert removed([None, None, 0.25, 0.25, 0.5], [0, 0, 1, 0, 1]) == {
        0: "less hint than needed", 1: "less hint than needed", 4: "more hint than needed",
    }  # fmt: skip


def test_a_prompt_solved_without_a_hint_keeps_only_those():
    assert removed([0.0, 0.5], [1, 1]) == {1: "more hint than needed"}


def test_where_no_hint_helped_all_stay():
    assert removed([0.0, 0.5], [0, 0]) == {}
    assert removed([0.0, 0.5], [None, None]) == {}
