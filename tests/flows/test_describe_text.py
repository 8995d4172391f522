"""What a version's description looks like in a terminal, from a description written by hand."""

import pytest

from flows.describe_text import text

WORDS = "word " * 60
FOUND = {
    "version": "d@v2", "status": "published", "tags": ["best"], "origin": "goes back to v1", "recipe": "r",
    "run_id": "0123456789abcdef01234567-0000", "code_version": "0.1.0+abcdef",
    "created_at": "2026-01-01T00:00:00+00:00",
    "digest": "d" * 32, "rows": {"preferences": 1234},
    "removed": {"length": {f"reason {i}": i for i in range(20)}}, "outcomes": {"pairwise": {"valid": 7}},
    "pairs": {"prompts": 1200, "margin_mean": 0.51234},
    "measures": [
        {"measure": "tq", "of": "correct: from a random sample to the best", "value": 1 / 3, "n": 1234},
        {"measure": "distinct_2", "of": "chosen", "value": 1.0, "n": 500},
    ],
    "policies": [{"policy": "embedded", "chosen": 3, "rejected": 4}], "trees": None,
    "gates": [{"success": True, "severity": "block", "name": "pairs", "observed": 3.0, "allowed": ">= 1"}],
    "examples": {"picked at random": [
        {"pair_id": "f" * 32, "margin": None, "prompt": WORDS, "chosen": "one\n\ntwo", "rejected": "x"},
        {"row_id": "e" * 32, "prompt": "p", "texts": [{"name": "step 1", "facts": "label 1", "text": WORDS}]},
    ]},
}  # fmt: skip


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    assert max(map(len, text(FOUND, width).splitlines())) <= width


def test_measures_stand_with_what_they_are_of_and_over_how_many_rows():
    lines = text(FOUND).splitlines()
    assert lines[lines.index("measures (over how many rows)") + 1 :][:2] == [
        "  tq             0.3333  correct: from a random sample to the best (1,234)",
        "  distinct 2          1  chosen (500)",
    ]


def test_what_a_version_does_not_have_is_left_out():
    bare = {**FOUND, "measures": [], "policies": [], "gates": [], "origin": None, "pairs": {"prompts": 0}}
    said = text(bare)
    assert not {"measures", "pairs", "gates"} & {line.split(" (")[0] for line in said.splitlines()}
    assert "goes back" not in said
    assert "goes back to v1" in text(FOUND)


def test_lines_of_a_text_are_shown_as_one():
    assert "    chosen    one | two" in text(FOUND).splitlines()
