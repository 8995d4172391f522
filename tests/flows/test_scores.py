"""Judges that need the log-probability of given text, at an OpenAI-compatible endpoint over a real socket."""

from __future__ import annotations

import json

PROMPTS = [{"prompt": f"Name fruits, number {i}."} for i in range(4)]


def test_a_judge_by_likelihood_runs_on_any_endpoint_that_scores_given_text(tmp_path, command, serve_engine):
    served = serve_engine(out_tokens=20)
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, PROMPTS)))
    said = ("followup_likelihood.positive=[Thank you so much]", "followup_likelihood.negative=[Wrong]")
    words = [word for setting in said for word in ("--set", setting)]
    ran = command(
        "run", "flr", "--prompts", "prompts.jsonl", "--policy", f"openai:{served.url}:plum", "--judge",
        f"openai:{served.url}:scorer", *words, "--yes", "--json",
    )  # fmt: skip
    assert ran.code == 1, ran.err  # the simulated scorer likes all answers alike, so there is no pair
    (outcomes,) = ran.json["outcomes"].values()
    assert set(outcomes) == {"valid"}
    asked = [body for body in served.engine.seen if body["model"] == "scorer"]
    assert asked
    assert all(body["max_tokens"] == 1 and "prompt_logprobs" in body for body in asked)
    before = len(served.engine.seen)
    assert command(
        "run", "flr", "--prompts", "prompts.jsonl", "--policy", f"openai:{served.url}:plum", "--judge",
        f"openai:{served.url}:scorer", *words, "--yes", "--json",
    ).json["calls"]["asked"] == 0  # fmt: skip
    assert len(served.engine.seen) == before


def test_an_endpoint_that_cannot_score_makes_no_label(tmp_path, command, serve_engine):
    served = serve_engine(out_tokens=20, scores=False)
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, PROMPTS)))
    ran = command(
        "run", "flr", "--prompts", "prompts.jsonl", "--policy", f"openai:{served.url}:plum", "--judge",
        f"openai:{served.url}:scorer", "--yes", "--json",
    )  # fmt: skip
    assert ran.code == 1
    (outcomes,) = ran.json["outcomes"].values()
    assert set(outcomes) == {"error"}
    assert "without prompt_logprobs" in json.dumps(ran.json)
