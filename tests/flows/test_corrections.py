"""What is corrected beside a question buys no answer to it again."""

from __future__ import annotations

import json

import pytest

from tasks.backends.openai_spec import one_spelling
from tasks.backends.specs import parse

QUESTIONS = [f"What is {number} + 3?" for number in range(3)]
EMBEDDED = ("--policy", "embedded", "--judge", "embedded", "--set", "independent.max_tokens=16", "--set",
            "pairwise.max_tokens=8")  # fmt: skip


def prompts_file(folder, name, **more):
    file = folder / name
    file.write_text("\n".join(json.dumps({"prompt": text, **more}) for text in QUESTIONS))
    return file


@pytest.mark.parametrize(
    "correction", [{"reference": "4"}, {"tests": "assert f(1) == 2"}, {"group": "g"}, {"source": "elsewhere"}], ids=str
)
def test_a_correction_of_a_prompt_plans_no_call(command, tmp_path, correction):
    command("run", "oaif", "--prompts", prompts_file(tmp_path, "first.jsonl", reference="3"), *EMBEDDED, "--yes")
    bought = command("ledger", "stats", "--json").json["answers"]

    corrected = prompts_file(tmp_path, "corrected.jsonl", **correction)
    again, planned = (
        command("plan", "oaif", "--prompts", tmp_path / name, *EMBEDDED, "--pilot", "0", "--json").json
        for name in ("first.jsonl", corrected.name)
    )

    assert bought == 2 * len(QUESTIONS)
    assert planned == again  # which asks again only what the tiny judge failed to answer
    assert planned["in_ledger"] == bought


def test_two_rows_of_one_text_are_two_prompts_that_share_their_answers(command, tmp_path):
    file = tmp_path / "twice.jsonl"
    file.write_text("\n".join(json.dumps({"prompt": QUESTIONS[0], "reference": text}) for text in ("3", "three")))

    planned = command("run", "oaif", "--prompts", file, *EMBEDDED, "--yes", "--json")

    assert planned.json["rows"]["completions"] == 4
    assert command("ledger", "stats", "--json").json["models"]["embedded"]["calls"] <= 3


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("http://localhost:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("HTTP://LocalHost:80/v1", "http://127.0.0.1/v1"),
        ("https://Api.Example.com:443/v1//", "https://api.example.com/v1"),
        ("https://api.example.com/Team/v1", "https://api.example.com/Team/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://localhost.example.com/v1", "http://localhost.example.com/v1"),
        ("our-engine", "our-engine"),
    ],
)
def test_the_spellings_of_an_address_are_one(written, one):
    assert one_spelling(written) == one
    assert one_spelling(one) == one


def test_an_identity_tells_two_spellings_apart():
    plain, other = parse("openai:http://localhost:8000/v1:m"), parse("openai:http://localhost:8000/v1:m?identity=b")
    assert (plain.text, other.text) == ("openai:http://127.0.0.1:8000/v1:m", "openai:b:m")
    assert plain.written == "openai:http://localhost:8000/v1:m"
