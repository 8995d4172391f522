import pytest

from benchmarks.selection import ELSEWHERE, SAMPLES, baseline, blocks, make, measure
from tasks import registry


@pytest.mark.slow
def test_the_benchmark_of_selection_measures_every_block_that_is_not_measured_elsewhere(tmp_path, capsys):
    make(tmp_path, 40)
    (tmp_path / "out").mkdir()
    assert baseline(tmp_path, tmp_path / "out")["cpu_s"] >= 0
    rows = {
        (step.block.verb, step.block.name): measure(step, tmp_path, tmp_path / "out")["rows"] for step in blocks([])
    }
    assert capsys.readouterr().out == "", "a block that was not given what it needs"
    families = {(verb, name): block for verb in ("select", "filter", "weight") for name, block in
                registry.family(verb).items() if block.function.__module__.startswith("tasks.")}  # fmt: skip
    here = {key for key, block in families.items() if key[1] not in ELSEWHERE and "nodes" not in block.tables}
    assert rows.keys() == here
    assert rows["select", "best_vs_worst"] == 40
    assert rows["select", "weighted_examples"] == 40 * SAMPLES
    assert rows["filter", "contradictory_pairs"] == rows["weight", "strength"] == 40 * SAMPLES // 2
