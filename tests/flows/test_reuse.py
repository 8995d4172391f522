import time

import pytest

from benchmarks.reuse import RECIPES, options, speaker, write_prompts
from flows import plan as planning
from flows.run import run
from flows.settings import Settings
from storage.store import Store

PROMPTS, SAMPLES = 40, 16


@pytest.mark.slow
def test_thirty_recipes_over_one_lake_buy_each_answer_once(tmp_path, serve_engine):
    served = serve_engine()
    served.engine.speak = speaker()
    write_prompts(tmp_path / "prompts.jsonl", PROMPTS)
    root, seconds, asked = str(tmp_path / "lake"), {}, {}
    for name in RECIPES:
        request = planning.Request(
            recipe=name, prompts=tmp_path / "prompts.jsonl", policy=f"openai:{served.url}:gen?identity=engine",
            judge=f"openai:{served.url}:judge?identity=engine", settings=tuple(options(name)),
        )  # fmt: skip
        began = time.process_time()
        result = run(planning.make(request), root, settings=Settings(workers=0))
        seconds[name], asked[name] = time.process_time() - began, result.calls["asked"]
        assert result.status == "done", (name, result.reason)
    assert len(RECIPES) == len(set(RECIPES)) == 30
    first, *others = RECIPES
    assert asked[first] == PROMPTS * (1 + SAMPLES)
    new = {name: count for name, count in asked.items() if name != first and count}
    assert new == {"mixture-of-judges": PROMPTS}, "it judges the prompts' references too"
    assert set(served.engine.asked.values()) == {1}
    assert len(served.engine.asked) == sum(asked.values())
    facts = Store.open(root).read("completions", columns=["completion_id"]).collect()["completion_id"]
    assert facts.n_unique() == facts.len()
    assert max(seconds[name] for name in others) < 5.0, "of CPU: what else the machine does is not the point"
