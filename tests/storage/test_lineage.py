import polars as pl
import pytest

from schemas.errors import UsageError
from storage.lineage import lineage
from storage.store import Store

RUN = {"recipe": "quickstart", "recipe_hash": "h1"}


def test_a_pair_leads_back_to_everything_behind_it(tmp_path, prompts, completions, judgments, pairs):
    store = Store.open(tmp_path)
    store.append("prompts", prompts("p1", "p2"), run_id="r1")
    rows = completions(("c1", "p1", "right"), ("c2", "p1", "no"), ("c3", "p1", "x"), cost=0.25, seed=7, sampling="{}")
    store.append("completions", rows, run_id="r1")
    found = judgments(("j1", "c1", "valid", 1.0), ("j2", "c2", "error", None), ("j3", "c3", "valid", 0.0), raw="Yes")
    both = judgments(("j4", "c1", "valid", None), kind="pairwise", cost=0.5).with_columns(
        subjects=pl.lit(["c2", "c1"], dtype=pl.List(pl.String))
    )
    store.append("judgments", found, run_id="r1")
    store.append("judgments", both, run_id="r1")
    run = {"run_id": ["r1"], "recipe": "quickstart", "recipe_hash": "h1", "status": "done"}
    store.append("runs", pl.DataFrame(run), run_id="r1")
    kept = {"prompt_id": "p1", "criterion": "right", "scorer": "mean", "judgments": 1}
    scores = pl.DataFrame({"completion_id": ["c1", "c2", "c3"], "score": [1.0, 0.0, 0.0], **kept})
    store.publish("d", {"preferences": pairs("a", "b"), "scores": scores}, run_id="r1", **RUN)
    store.publish("d", {"preferences": pairs("a")}, run_id="r2", **RUN)
    store.publish("d", {"preferences": pairs("c")}, run_id="r3", **RUN)

    told = lineage(store, "b")
    assert told["pair"]["pair_id"] == "b"
    assert told["pair"]["dataset"] == "d"
    assert [version["name"] for version in told["versions"]] == ["d@v1"]
    assert (told["run"]["recipe"], told["prompt"]["prompt_id"]) == ("quickstart", "p1")
    assert (told["chosen"]["policy"], told["chosen"]["seed"], told["chosen"]["sampling"]) == ("embedded", 7, "{}")
    assert told["rejected"]["completion_id"] == "c2"
    assert told["chosen"]["scores"][0]["score"] == 1.0
    assert [(j["judgment_id"], j["about"]) for j in told["judgments"]] == [
        ("j1", ["chosen"]), ("j2", ["rejected"]), ("j4", ["chosen", "rejected"]),
    ]  # fmt: skip
    assert told["judgments"][0]["raw"] == "Yes"
    assert told["cost"] == 1.0  # two completions at 0.25, the comparison at 0.5

    assert [version["name"] for version in lineage(store, "a")["versions"]] == ["d@v1", "d@v2"]
    assert lineage(store, "a")["pair"]["run_id"] == "r2"


def test_what_the_lake_does_not_hold_is_null(tmp_path, pairs):
    store = Store.open(tmp_path)
    store.publish("d", {"preferences": pairs("a")}, run_id="r1", status="quarantined", **RUN)
    told = lineage(store, "a")
    assert (told["run"], told["prompt"], told["chosen"], told["judgments"], told["cost"]) == (
        None,
        None,
        None,
        [],
        None,
    )
    assert told["versions"][0]["status"] == "quarantined"


def test_an_unknown_pair_is_a_usage_error(tmp_path, pairs):
    store = Store.open(tmp_path)
    with pytest.raises(UsageError, match="no version of any dataset holds the pair 'x'"):
        lineage(store, "x")
    store.publish("d", {"preferences": pairs("a")}, run_id="r1", **RUN)
    with pytest.raises(UsageError, match="'x'"):
        lineage(store, "x")
