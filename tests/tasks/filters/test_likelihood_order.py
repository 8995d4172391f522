import json

from tasks.filters.likelihood_order import likelihood_order
from tests.support.preferences import pairs

GOOD = ((-0.6, -0.8, -1.1), (-1.2, -0.9, -0.7))


def removed(*rows, **chosen):
    frame = pairs([
        {"meta": json.dumps({f"{side}_likelihood": dict(zip(("good", "none", "bad"), values, strict=True))
                             for side, values in zip(("chosen", "rejected"), row, strict=True)})}
        for row in rows
    ])  # fmt: skip
    return {int(name): reason for name, reason, _ in likelihood_order(frame, **chosen).iter_rows()}


def test_the_published_order():
    assert removed(GOOD) == {}
    assert removed(((-0.6, -1.1, -0.8), GOOD[1])) == {0: "likelihoods are out of order"}


def test_gaps_above_their_mean():
    def row(gap):
        return (-0.5, -0.5 - gap / 2, -0.5 - gap), (-0.5 - gap, -0.5 - gap / 2, -0.5)

    found = removed(row(0.5), row(0.1), row(0.3), near_policy=False)
    assert found == {1: "gap of likelihoods is small", 2: "gap of likelihoods is small"}


def test_texts_far_from_the_policy_go_before_gaps_are_compared():
    far = tuple(tuple(value - 5 for value in side) for side in GOOD)
    assert removed(GOOD, GOOD, far, wide=False) == {2: "far from the policy"}


def test_one_pair_alone_passes_and_none_divides_by_nothing():
    assert removed(GOOD) == {}
    assert removed() == {}


def test_what_is_not_known_goes():
    assert likelihood_order(pairs([{}])).rows() == [("0", "likelihoods are not known", None)]
