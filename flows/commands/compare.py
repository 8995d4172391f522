"""``pairwright compare``: what several recipes make of the same stored answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.commands.common import json_option, print_json, root_option, table


@click.command()
@click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True)
@click.option("--gold", type=click.Path(path_type=Path), help="Pairs that people labelled, in any known shape.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with plots and pairs.")
@root_option
@json_option
def compare(recipes: tuple[str, ...], gold: Path | None, html: Path | None, root: str, as_json: bool) -> None:
    """Compare what each RECIPE made of the same stored answers.

    RECIPE is a dataset or dataset@version of the lake: run the recipes first; what they share is bought once. Shown are
    yield, overlap of pairs, margins, strength, lengths, agreement with people where they labelled answers, and cost.
    """
    from flows.compare import compare as compared
    from storage.store import Store

    found = compared(Store.open(root, create=False), recipes, gold=gold)
    if html is not None:
        from storage.files import atomic_file
        from tasks.reports.compare_page import compare_page

        with atomic_file(html) as draft:
            draft.write_text(compare_page(found), encoding="utf-8")
        click.echo(f"page: {html}", err=True)
    print_json(found) if as_json else _show(found)


def _show(found: dict[str, Any]) -> None:
    people = bool(found["people"])
    head = ["recipe", "made", "rows", "prompts", "of prompts", "margin", "strength", "P(better)", "chosen", "rejected",
            "longer", *(["people agree"] if people else []), "asked", "cost", "behind"]  # fmt: skip
    rows = [
        [
            each["recipe"], each["made"], f"{each['rows']:,}", f"{each['prompts']:,}", _percent(each["yield"]),
            *(_number(each[name]) for name in ("margin", "strength", "p_chosen", "chosen_chars", "rejected_chars")),
            _percent(each["longer"]["value"]), *([_percent(each["people"]["value"])] if people else []),
            _number(each["asked"]), _number(each["cost"]), _number(each["cost_behind"]),
        ]
        for each in found["recipes"]
    ]  # fmt: skip
    table(head, rows)
    names = [each["recipe"] for each in found["recipes"] if each["pairs"]]
    if len(names) > 1:
        click.echo("\npairs in common, in percent of all pairs of both (Jaccard); ⇄ pairs turned round\n")
        shares = {frozenset((each["a"], each["b"])): each for each in found["overlaps"]}
        cells = [[_shared(shares.get(frozenset((a, b)))) for b in names] for a in names]
        numbered = [f"{place} {name}" for place, name in enumerate(names, start=1)]
        rows = [[name, *line] for name, line in zip(numbered, cells, strict=True)]
        table(["", *(str(place) for place in range(1, len(names) + 1))], rows)
    if people:
        click.echo(f"\npeople agree: by {found['people']}")


def _shared(found: dict[str, Any] | None) -> str:
    if found is None or found["jaccard"] is None:
        return "·"
    turned = f" ⇄{found['opposed']:,}" if found["opposed"] else ""
    share = 100 * found["jaccard"]
    return f"{'<1' if 0 < share < 1 else round(share)}{turned}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _number(found: float | None) -> str:
    return "-" if found is None else f"{found:,}" if isinstance(found, int) else f"{found:,.4g}"
