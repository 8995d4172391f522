import yaml

from tasks.exports._card import card

FACTS = {
    "name": "primes", "version": "v2", "recipe": "rs-dpo", "source": "RS-DPO, arXiv:2402.10038", "about": "Pairs.\n",
    "rows": 12345, "columns": ["prompt", "chosen"],
}  # fmt: skip


def test_sources_are_named_and_the_licence_beside_them():
    sources = {"prompts": {"a forum": 3}, "chosen answers": {"m": 2}}
    text = card(**FACTS, sources=sources, license="mit")
    assert "| prompts | a forum | 3 |" in text
    assert "Licence: mit. The terms of the prompts' sources" in text
    assert "No licence is stated here." in card(**FACTS, sources=sources)


def test_the_head_is_yaml_a_hub_reads():
    text = card(**FACTS, license="apache-2.0")
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["size_categories"] == ["10K<n<100K"]
    assert head["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": "*.parquet"}]}]
    assert head["license"] == "apache-2.0"
    assert "license" not in yaml.safe_load(card(**FACTS).split("---\n")[1])


def test_the_body_tells_rows_outcomes_removals_and_checks():
    text = card(
        **FACTS,
        outcomes={"math": {"valid": 1200, "unparsable": 3}},
        removed={"identical_texts": {"a | b": 7}},
        checks=[
            {"name": "pairs", "severity": "block", "success": True, "observed": 12345.0, "allowed": ">= 1"},
            {"name": "length_win_rate", "severity": "warn", "success": False, "observed": 0.91, "allowed": "<= 0.8"},
        ],
        recipe_yaml="name: rs-dpo",
        digest="abc",
    )
    for line in (
        "12,345 rows, made by Pairwright with the recipe `rs-dpo` (RS-DPO, arXiv:2402.10038).",
        "| math | unparsable | 3 |\n| math | valid | 1,200 |",
        "| identical_texts | a \\| b | 7 |",
        "| pairs | 12,345 | >= 1 | ok |\n| length_win_rate | 0.9100 | <= 0.8 | warning |",
        "~~~yaml\nname: rs-dpo\n~~~",
        "Digest of the data: `abc`",
    ):
        assert line in text


def test_equal_facts_make_equal_text_whatever_their_order():
    one = card(**FACTS, outcomes={"a": {"valid": 1}, "b": {"error": 2, "valid": 1}})
    assert one == card(**FACTS, outcomes={"b": {"valid": 1, "error": 2}, "a": {"valid": 1}})
