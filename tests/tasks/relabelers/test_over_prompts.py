from tasks.relabelers.over_prompts import over_prompts
from tests.support.preferences import pairs
from tests.support.scored import completions


def test_prompts_are_compared_by_what_they_led_to():
    rows = completions([{"completion_id": "c0", "meta": '{"rewritten":"Better question?"}'}, {"completion_id": "r0"}])
    row = over_prompts(pairs([{}]), rows, task="Rewrite.").row(0, named=True)
    assert [m["content"] for m in row["prompt"]] == ["Rewrite.", "Question?"]
    assert row["chosen"] == [{"role": "assistant", "content": "Better question?", "tool_calls": None, "extra": None}]
    assert row["rejected"][0]["content"] == "Question?"  # an answer to the original stands for the original
    assert (row["chosen_id"], row["rejected_id"]) == ("c0", "r0")
