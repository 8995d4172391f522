"""``pairwright run`` and ``pairwright plan``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flows.commands.common import F, json_option, map_option, print_json, root_option, skip_option

if TYPE_CHECKING:
    from flows.plan import Plan
    from flows.result import Result

_OPTIONS: list[Callable[[F], F]] = [
    click.argument("recipe"),
    click.option("--prompts", type=click.Path(path_type=Path),
                 help="A file (Parquet, Arrow, JSONL, JSON, CSV, TSV), a folder, or hf:ORG/NAME."),
    click.option("--data", type=click.Path(path_type=Path), help="Completions one already has; replaces the policy."),
    map_option("Which column holds what; may be given again."),
    skip_option,
    click.option("--judge-block", metavar="NAME", help="Judge with this block in place of the recipe's judges."),
    click.option("--policy", metavar="SPEC", help="Who answers: embedded, openai:URL:MODEL, vllm:MODEL."),
    click.option("--judge", metavar="SPEC", help="Who judges, for judges that ask a model."),
    click.option("--set", "settings", multiple=True, metavar="BLOCK.PARAM=VALUE", help="Change one parameter."),
    click.option("--limit", type=click.IntRange(min=1), help="Only the first so many prompts."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of prompts and samples."),
    click.option("--publish", metavar="NAME", help="Name of the dataset; the recipe's name if not given."),
]  # fmt: skip


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_options
@click.option(
    "--budget", metavar="LIMITS", help="Stop asking at 5usd, 100000calls, 2000000tokens or 30min (join by +)."
)
@click.option("--yes", is_flag=True, help="Do not ask before an expensive run.")
@click.option("--on", "where", type=click.Choice(["local", "prefect"]), default="local", show_default=True,
              help="Run here, or as a Prefect flow that its server shows.")  # fmt: skip
@root_option
@json_option
def run(root: str, as_json: bool, budget: str | None, yes: bool, where: str, **asked: Any) -> int:
    """Run RECIPE, a name or a path, and publish what it makes.

    Ctrl-C stops cleanly; the same command goes on from there, and asks for nothing it already has.
    """
    from flows.plan import parse_budget
    from flows.summary import summary

    limits = parse_budget(budget)
    if where == "prefect":
        _settle_prefect()
        from flows.generate import generate, plain
        from flows.result import Result

        result = Result(**generate(**plain(_request(asked)), root=root, budget=budget))
    else:
        result = _run_here(asked, root, limits, yes)
    print_json(result.as_json()) if as_json else click.echo(summary(result), nl=False)
    return _code(result)


def _settle_prefect() -> None:
    """Keeps a server that Prefect starts for this run alone from phoning home, and gives it time on a busy machine."""
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")


def _run_here(asked: dict[str, Any], root: str, limits: dict[str, Any], yes: bool) -> Result:
    from functools import partial

    from flows import run as runner
    from flows.plan import make
    from flows.progress import live, note
    from flows.settings import Settings
    from flows.summary import estimate_text
    from tasks.spending import Budget

    plan = make(_request(asked))
    note("\n".join([*plan.notes, _head(plan)]))

    def approve(found: dict[str, Any]) -> bool:
        note(estimate_text(found).rstrip())
        if (found["cost"] or 0.0) <= Settings().ask_above:
            return True
        if not sys.stdin.isatty():
            note(f"about ${found['cost']:,.2f} in all, and nobody here to ask: give --yes")
            return False
        return click.confirm(f"About ${found['cost']:,.2f} in all. Go on?", err=True)

    watch = partial(live, plan.prompts.height)
    return runner.run(plan, root, budget=Budget(**limits), watch=watch, approve=None if yes else approve)


def _head(plan: Plan) -> str:
    verbs = " -> ".join(f"{spec.verb} {spec.name}" for spec in plan.recipe.blocks)
    return f"{plan.recipe.name}: {plan.prompts.height:,} prompts, {verbs}"


def _request(asked: dict[str, Any]) -> Any:
    from flows.plan import Request
    from tasks.load import parse_map

    return Request(**{**asked, "mapping": parse_map(asked["mapping"])})


def _code(result: Result) -> int:
    from flows.run import raise_for_status

    raise_for_status(result)
    return 0


@click.command()
@_options
@click.option("--pilot", type=click.IntRange(min=0), default=4, show_default=True,
              help="Prompts to run for real where nothing is known; answers are kept. 0 asks nothing.")  # fmt: skip
@root_option
@json_option
def plan(root: str, as_json: bool, pilot: int, **asked: Any) -> None:
    """Say what a run of RECIPE would ask, cost and reuse."""
    import uvloop

    from flows.plan import make
    from flows.run import plan_async
    from flows.summary import estimate_text

    planned = make(_request(asked))
    for line in planned.notes:
        click.echo(line, err=True)
    found = uvloop.run(plan_async(planned, root, prompts=pilot))
    print_json(found) if as_json else click.echo(estimate_text(found), nl=False)


@click.command()
@_options
@root_option
@json_option
def reparse(root: str, as_json: bool, **asked: Any) -> int:
    """Judge again from the answers in the ledger; ask nothing.

    Replies are read by the parsers there are now.

    Give the same RECIPE and options as the run whose answers are to be read again. Answers that are not in the ledger
    count as failed calls. What comes out is a new version; `pairwright diff` shows what the parser changed.
    """
    from flows import run as runner
    from flows.plan import make
    from flows.summary import summary

    result = runner.run(make(_request(asked)), root, offline=True)
    print_json(result.as_json()) if as_json else click.echo(summary(result), nl=False)
    return _code(result)
