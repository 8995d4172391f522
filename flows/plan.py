"""What a run is going to do, decided before anything is asked: recipe, prompts, backends, identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from flows.floor import check_floor_names
from flows.replayed import replayed
from flows.settings import Settings
from schemas.errors import DataError, RecipeError, UsageError
from schemas.ids import content_id
from schemas.recipe import BlockSpec, Recipe
from schemas.tables import AUDITS
from storage.files import content_digest
from storage.publish import check_name
from tasks import load, recipes, registry, search
from tasks.backends.base import Backend
from tasks.backends.specs import open_backend, parse
from tasks.intake import Intake
from tasks.read import CHUNK
from tasks.score import Step


@dataclass(frozen=True)
class Request:
    """What a user asks for: the arguments of ``pairwright run``, under their names."""

    recipe: str
    prompts: Path | None = None
    data: Path | None = None
    mapping: dict[str, str] = field(default_factory=dict)
    policy: str | None = None
    judge: str | None = None
    settings: tuple[str, ...] = ()
    limit: int | None = None
    seed: int = 0
    publish: str | None = None
    skip_bad: Path | None = None
    judge_block: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Returns what was asked for as plain values, so that the run can be asked for again."""
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}


@dataclass
class Plan:
    """A run, ready to go.

    Attributes:
        prompts: counted and checked. backends: SPEC -> backend, not started. before: steps on completions, before
            scores. after: filters, weighters and relabelers, shard by shard. last: those that need all rows.
        audits: of the lake, filled in when the run opens it. request: what this is the plan of. notes: on how the files
            were read, for a person.
    """

    recipe: Recipe
    dataset: str
    seed: int
    prompts: load.Prompts
    backends: dict[str, Backend]
    scorers: list[Step]
    selectors: list[Step]
    before: list[Step]
    after: list[Step]
    last: list[Step]
    gates: list[Step]
    audits: pl.DataFrame = field(default_factory=AUDITS.empty)
    request: Request | None = None
    notes: tuple[str, ...] = ()

    @property
    def late(self) -> bool:
        """Whether something before the pairs must see all rows, so that nothing is selected shard by shard."""
        early = (*self.before, *self.scorers, *self.selectors)
        return any(step.block.mark.scope == "dataset" for step in early)

    def identity(self, fingerprints: dict[str, str]) -> str:
        """Returns what makes two runs the same run: recipe, prompts, seed, dataset, and who answers."""
        return content_id("run", self.recipe.hash, self.dataset, self.seed, self.prompts.digest, fingerprints)


def make(request: Request) -> Plan:
    """Returns the plan of a run; nothing is asked and nothing is written.

    Raises:
        UsageError: the recipe, a file or a combination of arguments is wrong; the message says which and what to do.
    """
    recipe = recipes.load(request.recipe, request.settings, judge_block=request.judge_block)
    if request.data and request.prompts:
        raise UsageError("--data brings its own prompts; give --prompts or --data, not both")
    if request.data and request.policy:
        raise UsageError("--data replays recorded completions; leave out --policy")
    policy = f"replay:{request.data}" if request.data else request.policy
    recipe = recipes.with_models(recipe, policy=policy, judge=request.judge)
    if request.data and policy:
        recipe = recipes.without_doubles(recipe, policy)
    check_floor_names(recipe)
    registry.installed(recipe)
    check_name(request.publish or recipe.name)
    file = request.data or request.prompts
    intake = Intake(request.skip_bad)
    if file:
        brings = request.data is not None
        prompts = load.file_prompts(file, request.mapping, request.limit, brings=brings, intake=intake)
    else:
        made = _made(recipe, request.seed)
        prompts = load.Prompts(lambda: iter([made]), request.limit)
    _check_needs(recipe, prompts, str(file or f"recipe {recipe.name}"))
    recipe, opens = canonical(recipe)
    given = replayed(request.data, request.mapping, intake) if request.data else {}
    intake.write()
    blocks = {verb: [Step.of(spec, recipe.name) for spec in recipe.of(verb)] for verb in ("score", "select", "gate")}
    before, after, last = _curation(recipe)
    return Plan(
        recipe=recipe, dataset=request.publish or recipe.name, seed=request.seed, prompts=prompts,
        backends={spec: open_backend(text, **given if spec == policy else {}) for spec, text in opens.items()},
        scorers=blocks["score"], selectors=blocks["select"], before=before, after=after, last=last,
        gates=blocks["gate"], request=request, notes=tuple(intake.lines),
    )  # fmt: skip


def _made(recipe: Recipe, seed: int) -> pl.DataFrame:
    sources = recipe.of("prompts")
    if not sources:
        raise UsageError(f"recipe {recipe.name} brings no prompts of its own; give --prompts FILE, or --data FILE")
    steps = [Step.of(spec, recipe.name) for spec in sources]
    for step in steps:
        if "seed" in step.params:
            step.params["seed"] += seed
    frames: list[pl.DataFrame] = [step({}) for step in steps]
    return pl.concat(frames, how="diagonal_relaxed").unique("prompt_id", keep="first", maintain_order=True)


def _check_needs(recipe: Recipe, prompts: load.Prompts, file: str) -> None:
    needs = [(spec.name, name) for spec in recipe.of("judge") for name in registry.find("judge", spec.name).mark.needs]
    needs += [need for spec in recipe.of("search") for need in search.needs(spec, recipe.name)]
    if not needs:
        return
    row = 0
    for frame in prompts.shards(CHUNK):
        for judge, name in needs:
            missing = frame[name].is_null()
            if missing.any():
                raise DataError(
                    f"judge {judge!r} needs {name!r} on every prompt; map it with --map {name}=COLUMN",
                    file=file, row=row + int(missing.arg_max() or 0) + 1, field=name,
                )  # fmt: skip
        row += frame.height


def canonical(recipe: Recipe) -> tuple[Recipe, dict[str, str]]:
    """Returns the recipe with every SPEC stripped of its options, and what each SPEC is opened with.

    Options say how to ask, not what, so they belong neither to the recipe's hash nor to an answer's key. The recipe
    returned holds the digests of the files its blocks read.
    """
    opens: dict[str, str] = {}
    blocks: list[BlockSpec] = []
    files: dict[str, str] = {}
    for block in recipe.blocks:
        params = registry.check(block, recipe.name)
        files |= _files(block, params, recipe.name)
        models = [name for name in registry.SPECS if name in params]
        changed = dict(block.params)
        for name in models:
            if params[name] is None:  # it can do without
                continue
            if not params[name]:
                option = {"policy": "--policy SPEC", "model": "--judge SPEC"}.get(
                    name, f"--set {block.name}.{name}=SPEC"
                )
                raise RecipeError(
                    f"recipe {recipe.name}, block {block.verb}: {block.name} names no {name}; give {option}"
                )
            spec = parse(params[name])
            opens[spec.text] = params[name]
            changed[name] = spec.text
        mark = registry.find(block.verb, block.name).mark
        if mark.runs or (mark.asks and not models):
            opens["sandbox"] = Settings().sandbox
        blocks.append(BlockSpec(verb=block.verb, name=block.name, params=changed))
    return recipe.model_copy(update={"blocks": tuple(blocks), "files": files}), opens


def _files(block: BlockSpec, params: dict[str, Any], recipe: str) -> dict[str, str]:
    """Returns path -> digest of what the files hold that a block is to read.

    Raises:
        RecipeError: one is not there; better now than after everything was bought.
    """
    found = {}
    for name in registry.find(block.verb, block.name).mark.files:
        if isinstance(params[name], str) and params[name]:
            try:
                found[params[name]] = content_digest(Path(params[name]))
            except OSError as error:
                where = f"recipe {recipe}, block {block.verb}: {block.name}"
                raise RecipeError(f"{where}, parameter {name!r}: {error.strerror}: {params[name]}") from error
    return found


def _curation(recipe: Recipe) -> tuple[list[Step], list[Step], list[Step]]:
    before: list[Step] = []
    after: list[Step] = []
    last: list[Step] = []
    for spec in recipe.blocks:
        if spec.verb not in ("filter", "weight", "relabel"):
            continue
        step = Step.of(spec, recipe.name)
        if step.block.tables[0] != "preferences":
            before.append(step)
        elif last or step.block.mark.scope == "dataset":
            last.append(step)
        else:
            after.append(step)
    return before, after, last


def parse_budget(text: str | None) -> dict[str, Any]:
    """Returns the limits written as ``5usd``, ``100000calls``, ``2000000tokens``, ``30min``, joined by ``+``.

    Raises:
        UsageError: not of that form.
    """
    units = {"usd": "cost", "calls": "calls", "tokens": "tokens", "min": "seconds", "h": "seconds", "s": "seconds"}
    limits: dict[str, Any] = {}
    for part in filter(None, (text or "").split("+")):
        number = part.strip().rstrip("abcdefghijklmnopqrstuvwxyz").strip()
        unit = part.strip()[len(number) :].strip()
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if unit not in units or value < 0:
            raise UsageError(f"--budget {text}: {part!r} is not like 5usd, 100000calls, 2000000tokens or 30min")
        limits[units[unit]] = value * {"min": 60, "h": 3600}.get(unit, 1)
    return limits
