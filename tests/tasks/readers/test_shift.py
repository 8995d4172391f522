import numpy as np
import pytest

from tasks.readers.shift import Sample, reasons


def sample(seed, count=60, shift=0.0, agree=0.8, task="math"):
    toss = np.random.default_rng(seed)
    return Sample(
        [f"{seed}-{i}" for i in range(count)], {"length": toss.normal(shift, 1.0, (count, 2))},
        {"agreement": (toss.random((count, 1)) < agree).astype(float)}, [task] * count,
    )  # fmt: skip


def test_two_samples_of_one_kind_are_alike():
    found = [reasons(sample(2 * seed), sample(2 * seed + 1)) for seed in range(40)]
    assert sum(map(bool, found)) <= 2


@pytest.mark.parametrize(
    ("here", "named"),
    [
        pytest.param({"shift": 1.0}, ["length"], id="longer"),
        pytest.param({"agree": 0.3}, ["agreement"], id="judges agree less"),
        pytest.param({"agree": 1.0}, [], id="judges that agree more are no reason"),
        pytest.param({"task": "law"}, ["task"], id="a task that was never audited"),
        pytest.param({"shift": -1.0, "task": "law"}, ["length", "task"], id="both"),
        pytest.param({"shift": 3.0, "count": 10}, [], id="too few prompts to tell"),
    ],
)
def test_what_differs_is_named(here, named):
    assert reasons(sample(0), sample(1, **here)) == named


def test_many_pairs_of_one_prompt_count_once():
    one, other = sample(0, 400, 0.0), sample(1, 400, 0.4)
    few = [each._replace(prompts=[f"{i % 8}" for i in range(400)]) for each in (one, other)]
    assert reasons(one, other) == ["length"]
    assert reasons(*few) == []


def test_what_is_not_known_on_a_side_is_not_compared():
    blank = sample(1, shift=2.0)
    blank.numbers["length"][:] = np.nan
    assert reasons(sample(0), blank) == []
