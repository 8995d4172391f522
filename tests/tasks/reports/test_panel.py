import polars as pl

from schemas.messages import assistant
from schemas.tables import JUDGMENTS
from tasks.reports.panel import panel
from tests.support.preferences import pairs


def judgment(judge, kind, subjects, *, score=None, winner=None, outcome="valid", fingerprint="f"):
    return {"prompt_id": "p", "judge": judge, "fingerprint": fingerprint, "kind": kind, "criterion": "good",
            "subjects": subjects, "outcome": outcome, "score": score, "winner": winner,
            "judgment_id": f"{judge}{fingerprint}{subjects}{score}{winner}"}  # fmt: skip


def table(rows):
    names = list(rows[0])
    return pl.DataFrame(rows, schema={name: JUDGMENTS.empty().schema[name] for name in names}).lazy()


PAIRS = pairs([
    {"chosen": assistant("long answer"), "rejected": assistant("short")},
    {"chosen": assistant("brief"), "rejected": assistant("long answer")},
    {"chosen": assistant("equal"), "rejected": assistant("lengt")},
])  # fmt: skip


def test_voices_are_counted_for_the_chosen_for_the_longer_and_for_the_first():
    won = [("c0", "r0", "c0"), ("r0", "c0", "c0"), ("c1", "r1", "r1"), ("r1", "c1", "r1"), ("c2", "r2", "c2"),
           ("r2", "c2", "r2")]  # fmt: skip
    said = [judgment("duel", "pairwise", [one, other], winner=winner) for one, other, winner in won]
    found = panel(PAIRS.lazy(), table(said))["judges"]["duel"]
    assert found["pairs"] == 3
    assert (found["label"]["value"], found["label"]["n"]) == (0.5, 2)  # the third contradicts itself: no voice
    assert (found["longer"]["value"], found["longer"]["n"]) == (1.0, 2)
    assert (found["first"]["value"], found["first"]["n"]) == (4 / 6, 6)


def test_two_judges_agree_where_both_prefer_the_same_side_and_failures_say_nothing():
    said = [
        judgment("a", "pointwise", ["c0"], score=3.0), judgment("a", "pointwise", ["r0"], score=1.0),
        judgment("a", "pointwise", ["c1"], score=1.0), judgment("a", "pointwise", ["r1"], score=4.0),
        judgment("a", "pointwise", ["c2"], score=1.0), judgment("a", "pointwise", ["r2"], score=1.0),
        judgment("b", "pairwise", ["c0", "r0"], winner="c0"), judgment("b", "pairwise", ["c1", "r1"], winner="c1"),
        judgment("b", "pairwise", ["c2", "r2"], outcome="unparsable"),
    ]  # fmt: skip
    found = panel(PAIRS.lazy(), table(said))
    assert {name: judge["pairs"] for name, judge in found["judges"].items()} == {"a": 3, "b": 2}
    (both,) = found["agreement"]
    assert (both["one"], both["other"], both["value"], both["n"]) == ("a", "b", 0.5, 2)


def test_one_judge_with_two_rubrics_is_two_judges():
    said = [
        judgment("j", "pointwise", [side], score=1.0, fingerprint=mark)
        for side in ("c0", "r0")
        for mark in ("ab", "cd")
    ]
    assert list(panel(PAIRS.lazy(), table(said))["judges"]) == ["j ab", "j cd"]


def test_a_dataset_nobody_judged_has_no_panel():
    assert panel(PAIRS.lazy(), JUDGMENTS.empty().lazy()) == {"judges": {}, "agreement": []}
