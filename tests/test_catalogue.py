"""What the catalogue names exists: every block, measure and part of an audit, and an export for every recipe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import catalogue
from schemas.blocks import FAMILIES
from tasks import recipes, registry

ROOT = Path(__file__).parent.parent
MEASURES = "".join((ROOT / "tasks" / "reports" / name).read_text("utf-8") for name in ("measures.py", "_varied.py"))
AUDIT = (ROOT / "tasks" / "reports" / "audit.py").read_text("utf-8")
SERVED = {name: entry for kind in catalogue.KINDS for name, entry in catalogue.told()[kind].items()}
NAMES = {
    "signals": """unit-test-reward r3 ctrl-u eureka directional-stimulus vlm-rm reward-ensembles text2reward themis
        auto-mc-reward par constrained-rm icpl domain-features pareto-order grpo-lambda vas clip-delta""",
    "checks": """length-kl on-policy-share m-rewardbench cyclic-preferences rewardmath contrast-instructions
        likelihood-signs tq-saco support starc best-of-n-kl reference-check subset-size entropy objective-mismatch
        length-reliance proxy-correlation overoptimisation""",
    "formats": """ofs-dpo alphapo rpo dpo dro asft infonca mipo rebel ppo f-dpo apa ppo-max tr-dpo remax dvpo spac fpo
        copg exo p3o dpo-kernels h-dpo prdp t-ppo nash-mp accelerated-po egpo rloo pairwise-or-pointwise dqo oreo genarm
        rto implicit-prm goal-conditioned-rm tdpo tgdpo r-to-q""",
}
"""The published systems of the response and step level that are no recipes."""


def exists(text: str) -> bool:
    verb, _, name = text.partition(" ")
    if verb == "measure":
        return bool(re.search(rf'yield f?"{name}[{{"]', MEASURES))
    if verb == "audit":
        return f'"{name}":' in AUDIT
    return verb in FAMILIES and name in registry.family(verb)


@pytest.mark.parametrize("kind", NAMES)
def test_every_published_name_is_served(kind):
    assert set(catalogue.told()[kind]) == set(NAMES[kind].split())


@pytest.mark.parametrize("name", SERVED)
def test_what_serves_a_name_exists(name):
    assert SERVED[name]["by"]
    assert set(SERVED[name]) <= {"by", "of", "note"}
    assert [each for each in SERVED[name]["by"] if not exists(each)] == []


def test_what_the_catalogue_says_of_blocks_and_exports_names_real_ones():
    told, known = catalogue.told(), registry.family("export")
    assert all(exists(block) for block in told["shows"])
    assert {name for names in (*told["shows"].values(), *told["takes"].values()) for name in names} <= set(known)
    assert set(told["loaders"]) <= set(known)
    assert all(known[name].tables[0] == table for table, names in told["takes"].items() for name in names)


def test_what_is_avoided_belongs_to_a_recipe_and_its_defect_has_a_test():
    told = catalogue.told()["avoids"]
    assert set(told) <= set(recipes.known())
    tests = (ROOT / "tests" / "test_known_defects.py").read_text("utf-8")
    numbers = {int(n) for text in told.values() for n in re.findall(r"\(D(\d+)\)", text)}
    assert all(f"def test_d{n}_" in tests for n in numbers)
    assert {int(n) for n in re.findall(r"def test_d(\d+)_", tests)} == set(range(1, 27))


@pytest.mark.parametrize("name", recipes.known())
def test_every_recipe_has_an_export_a_trainer_loads(name):
    recipe = recipes.load(name)
    assert not catalogue.made(recipe) or catalogue.exports(recipe)
