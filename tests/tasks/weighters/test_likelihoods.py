import orjson
import pytest

from tasks.weighters.likelihoods import likelihoods
from tests.support.preferences import pairs
from tests.support.scored import completions


def test_what_the_sampler_noted_of_both_texts():
    rows = completions([
        {"completion_id": "c0", "meta": '{"condition":"good","likelihood":{"good":-0.6,"bad":-1.1}}'},
        {"completion_id": "r0"},
    ])  # fmt: skip
    note = orjson.loads(likelihoods(pairs([{}]), rows, conditions=["good", "bad"])["meta"][0])
    assert note["chosen_likelihood"] == {"good": -0.6, "bad": -1.1}
    assert note["rejected_likelihood"] in ({"good": None, "bad": None}, None)
    with pytest.raises(ValueError, match="conditions are empty"):
        likelihoods(pairs([{}]), rows, conditions=[])
