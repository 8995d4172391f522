"""``pairwright cycles``: whether the judges' comparisons can be put in an order at all."""

from __future__ import annotations

from typing import Any

import click

from flows.commands.common import json_option, print_json, root_option, table

READ = ("prompt_id", "judge", "fingerprint", "kind", "subjects", "criterion", "outcome", "winner", "meta")


@click.command()
@click.argument("judges", nargs=-1)
@click.option("--criterion", help="Of this criterion only.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(0), help="Cycles shown.")
@root_option
@json_option
def cycles(judges: tuple[str, ...], criterion: str | None, limit: int, root: str, as_json: bool) -> None:
    """Report cycles in the comparisons of JUDGES, by default of all together: A over B, B over C, C over A.

    A triad is three completions of a prompt whose three pairs all have a winner; transitivity is the share of triads
    that do not go round. A knot is the largest set in which each beats each other, directly or through others.
    """
    import polars as pl

    from storage.store import Store
    from tasks.scorers._cycles import cycle_report

    rows = Store.open(root, create=False).read("judgments", READ).filter(pl.col("kind").is_in(["pairwise", "listwise"]))
    if judges:
        rows = rows.filter(pl.col("judge").is_in(judges))
    if criterion is not None:
        rows = rows.filter(criterion=criterion)
    report = cycle_report(rows.collect())
    found = [_of_criterion(str(name), part) for (name,), part in report.group_by("criterion", maintain_order=True)]
    worst = report.filter(pl.col("knot") > 1).sort("knot", "cycles", "prompt_id", descending=[True, True, False])
    examples = worst.head(limit).select("prompt_id", "criterion", "knot", "cycles", "example").to_dicts()
    if as_json:
        print_json({"criteria": found, "cycles": examples})
        return
    if not found:
        click.echo("no comparisons in the lake")
        return
    table([name.replace("_", " ") for name in found[0]], [list(row.values()) for row in found])
    for each in examples:
        click.echo(f"{each['prompt_id']} ({each['criterion']}): {' > '.join([*each['example'], each['example'][0]])}")


def _of_criterion(name: str, part: Any) -> dict[str, Any]:
    """Returns the sums over the prompts of one criterion."""
    triads, round_ = int(part["triads"].sum()), int(part["cycles"].sum())
    return {
        "criterion": name, "prompts": part.height, "pairs": int(part["pairs"].sum()), "ties": int(part["ties"].sum()),
        "triads": triads, "cycles": round_, "transitivity": round(1 - round_ / triads, 4) if triads else None,
        "prompts_with_a_cycle": int((part["knot"] > 1).sum()), "largest_knot": int(part["knot"].max()),
        "prompts_one_answer_wins": int(part["condorcet"].is_not_null().sum()),
    }  # fmt: skip
