"""Reads recipe files: by name or path, extended once, with single parameters set from outside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.blocks import FAMILIES
from schemas.errors import RecipeError, nearest
from schemas.recipe import BlockSpec, Recipe
from tasks import registry

FOLDER = Path(__file__).resolve().parent.parent / "recipes"


def known(folder: Path = FOLDER) -> dict[str, Path]:
    """Returns the recipes that ship with the project, by name."""
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(name_or_path: str, settings: Iterable[str] = (), *, judge_block: str | None = None) -> Recipe:
    """Returns a recipe, resolved and checked.

    Args:
        name_or_path: ``rs-dpo``, or a path to a YAML file.
        settings: ``block.param=value``; ``block`` is a verb or a block's name, the value is YAML.
        judge_block: name of the judge to take in place of the recipe's judges.

    Raises:
        RecipeError: no such file, broken YAML, an unknown block or parameter; the message says the nearest.
    """
    path = _find(name_or_path)
    raw = _extended(path)
    try:
        recipe = Recipe.model_validate(raw)
    except ValidationError as error:
        faults = error.errors()
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])  # a misspelt field
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = nearest(str(first["loc"][-1]), [*Recipe.model_fields, "extends", "set"])
            raise RecipeError(f"{path}: no field {where!r} in a recipe; {hint}") from error
        raise RecipeError(f"{path}, {where}: {first['msg'].removeprefix('Value error, ')}") from error
    if path.stem != recipe.name:
        raise RecipeError(f"{path}: the recipe calls itself {recipe.name!r}; name and file must agree")
    recipe = with_settings(with_judge(recipe, judge_block) if judge_block else recipe, settings)
    registry.validate(recipe)
    return recipe


def _find(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        if not path.is_file():
            raise RecipeError(f"{path}: {'is a folder' if path.is_dir() else 'no such recipe file'}")
        return path
    names = known()
    if name_or_path not in names:
        raise RecipeError(f"no recipe {name_or_path!r}; {nearest(name_or_path, names)}")
    return names[name_or_path]


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise RecipeError(f"{path}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(raw, dict):
        raise RecipeError(f"{path}: a recipe is a mapping with name, source, about and blocks")
    return raw


def _extended(path: Path) -> dict[str, Any]:
    raw = _read(path)
    parent_name, changes = raw.pop("extends", None), raw.pop("set", {})
    if parent_name:
        beside = path.parent / f"{parent_name}.yaml"
        parent = _read(beside if beside.is_file() else _find(str(parent_name)))
        if "extends" in parent:
            raise RecipeError(f"{path}: extends {parent_name}, which extends another; a recipe extends one file, once")
        raw = {**parent, **raw}
    if changes and not isinstance(changes, dict):
        raise RecipeError(f"{path}, set: expected a mapping of block.param to value")
    for key, value in changes.items():
        raw["blocks"] = _set(raw.get("blocks", []), str(key), value, str(path))
    return raw


def _set(blocks: list[Any], key: str, value: Any, where: str) -> list[Any]:
    block, dot, param = key.rpartition(".")
    if not dot:
        raise RecipeError(f"{where}: {key!r} is not of the form block.param=value")
    hit, out = False, []
    for entry in blocks:
        verb = next((v for v in list(entry)[:1] if v in FAMILIES), None) if isinstance(entry, dict) else None
        if verb and block in (verb, entry[verb], f"{verb}.{entry[verb]}"):
            out.append({**entry, param: value})
            hit = True
        else:
            out.append(entry)
    if not hit:
        written = [(v, entry[v]) for entry in blocks if isinstance(entry, dict) for v in list(entry)[:1]]
        names = dict.fromkeys(name for pair in written for name in pair)
        raise RecipeError(f"{where}: no block {block!r} to set {param!r} of; {nearest(block, names)}")
    return out


def with_settings(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Returns the recipe with ``block.param=value`` settings applied, in order."""
    blocks: list[Any] = [block.as_yaml() for block in recipe.blocks]
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise RecipeError(f"--set {setting}: expected block.param=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RecipeError(f"--set {setting}: the value is not YAML") from error
        blocks = _set(blocks, key.strip(), value, f"--set {setting}")
    return Recipe.model_validate({**recipe.model_dump(exclude={"blocks"}), "blocks": blocks})


def with_judge(recipe: Recipe, name: str) -> Recipe:
    """Returns the recipe with one judge, with its defaults, in the place of its judges.

    Raises:
        RecipeError: there is no such judge; the message says the nearest.
    """
    registry.find("judge", name)
    blocks = [block for block in recipe.blocks if block.verb != "judge"]
    place = next((at for at, block in enumerate(recipe.blocks) if block.verb == "judge"), None)
    if place is None:
        place = next((at + 1 for at, block in enumerate(blocks) if block.verb in ("sample", "search")), 0)
    blocks.insert(place, BlockSpec(verb="judge", name=name, params={}))
    return recipe.model_copy(update={"blocks": tuple(blocks)})


def without_doubles(recipe: Recipe, policy: str) -> Recipe:
    """Returns the recipe in which records answer one sampling block only: they give each the same answers."""
    blocks: list[BlockSpec] = []
    for spec in recipe.blocks:
        again = any(known.verb == "sample" and known.params.get("policy") == policy for known in blocks)
        if not (again and spec.verb == "sample" and spec.params.get("policy") == policy):
            blocks.append(spec)
    return recipe.model_copy(update={"blocks": tuple(blocks)})


def with_models(recipe: Recipe, *, policy: str | None, judge: str | None) -> Recipe:
    """Returns the recipe with every sampler's policy, and every asking judge's model, replaced.

    A judge that asks the policy itself gets the policy, too, unless that only replays.
    """
    judging = None if policy and policy.startswith("replay:") else policy
    blocks = []
    for spec in recipe.blocks:
        params = registry.find(spec.verb, spec.name).params.model_fields
        changed = dict(spec.params)
        if policy and spec.verb in ("sample", "search") and "policy" in params:
            changed["policy"] = policy
        if judging and spec.verb == "judge" and "policy" in params:
            changed["policy"] = judging
        if judge and spec.verb in ("judge", "search") and "model" in params:
            changed["model"] = judge
        blocks.append(BlockSpec(verb=spec.verb, name=spec.name, params=changed))
    return recipe.model_copy(update={"blocks": tuple(blocks)})


def as_yaml(recipe: Recipe) -> str:
    """Returns a resolved recipe as YAML text, as ``pairwright recipe show`` prints it."""
    raw = recipe.model_dump(exclude={"blocks"}, exclude_defaults=True)
    raw["blocks"] = [block.as_yaml() for block in recipe.blocks]
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=110)
