"""``pairwright audit``: how far a judge can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flows.commands.common import json_option, print_json, root_option


@click.command()
@click.argument("judge")
@click.option(
    "--gold", type=click.Path(path_type=Path), required=True, help="Labelled pairs or steps, in any known shape."
)
@click.option(
    "--verdicts", type=click.Path(path_type=Path), help="The judge's recorded verdicts, instead of asking it."
)
@click.option(
    "--answers", type=click.Path(path_type=Path), help="The models' answers, for votes of MT-bench that come without."
)
@click.option("--judge", "model", metavar="SPEC", help="Who judges, for judges that ask a model.")
@click.option("--set", "settings", multiple=True, metavar="PARAM=VALUE", help="Change one parameter of the judge.")
@click.option("--shape", help="The gold set's shape, where its columns do not tell.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many items.")
@root_option
@json_option
def audit(
    judge: str, gold: Path, verdicts: Path | None, answers: Path | None, model: str | None, settings: tuple[str, ...],
    shape: str | None, limit: int | None, root: str, as_json: bool,
) -> None:  # fmt: skip
    """Measure JUDGE on gold labels: agreement, order, position, length, self-preference, calibration.

    JUDGE is a judge block, which then judges the gold pairs or solutions; or, where the gold set or --verdicts holds
    recorded verdicts, the name of a judge among them. The audit is kept in the lake, with a page to read in
    <lake>/audits.
    """
    import uvloop
    import yaml

    from flows.audit import asked, recorded
    from schemas.recipe import BlockSpec
    from tasks import registry

    if verdicts is None and judge in registry.family("judge"):
        pairs = (setting.partition("=") for setting in settings)
        params = {name: yaml.safe_load(value) for name, _, value in pairs}
        spec = BlockSpec(verb="judge", name=judge, params=params)
        found = uvloop.run(asked(spec, gold, root, model=model, limit=limit, shape=shape))
    else:
        found = recorded(judge, gold, verdicts, root, shape=shape, answers=answers)
    if as_json:
        print_json({**found.document, "audit_id": found.row["audit_id"], "page": str(found.page)})
        return
    click.echo(_text(found.document))
    click.echo(f"\npage: {found.page}")


def _text(document: dict[str, Any]) -> str:
    verdict, order = document["verdict"], document["order"]
    pairs = [
        f"  against single votes       {_rate(document['votes']['all'])}",
        f"  humans among themselves    {_rate(document['ceiling']['all'])}",
        f"  same in both orders        {_rate(order['agreement'])}",
        f"  calibration error          {_number(document['calibration']['error'])}",
    ]
    lines = [
        f"{document['judge']}: {document['items']:,} items, {document['verdicts']:,} verdicts "
        f"({', '.join(f'{count:,} {name}' for name, count in document['outcomes'].items())})",
        f"  agreement with gold        {_rate(verdict['all'])}",
        f"  kappa                      {_number(verdict['kappa'])}",
        *(pairs if not document["steps"] else []),
        *(
            f"  among the strongest half   {_rate(kept['agreed'])}"
            for kept in document["strongest"]
            if kept["share"] == 0.5
        ),
    ]
    lines += _steps(document)
    if document.get("together"):
        lines.append(f"  {document['together']['says']}")
    lines += [f"  ! {found['bias']}: {found['says']}" for found in document["findings"]]
    return "\n".join(lines)


def _steps(document: dict[str, Any]) -> list[str]:
    """Returns what is known of a judge of steps, and of its explanations where somebody graded them."""
    found, graded = document["steps"], document["explanations"]
    lines = [f"  explanations graded right  {_rate(graded)}"] if graded["n"] else []
    if not found:
        return lines
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in found["kinds"].items() if count)
    return [
        f"  first wrong step named     {_rate(found['erroneous'])}",
        f"  ... at most one step away  {_rate(found['within_one'])}",
        f"  none named where none is   {_rate(found['error_free'])}",
        f"  harmonic mean (F1)         {_rate(found['f1'])}",
        f"  verdicts                   {kinds}",
        *(f"    {task:<24} {_rate(of['f1'])}" for task, of in found["tasks"].items()),
        *lines,
    ]


def _rate(rate: dict[str, Any]) -> str:
    if rate["value"] is None:
        return "-"
    return f"{100 * rate['value']:.1f} % ({100 * rate['low']:.1f}-{100 * rate['high']:.1f}, n={rate['n']:,})"


def _number(rate: dict[str, Any]) -> str:
    if rate["value"] is None:
        return "-"
    span = "" if rate["low"] is None else f" ({rate['low']:.3f}-{rate['high']:.3f})"
    return f"{rate['value']:.3f}{span}"
