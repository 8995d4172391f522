"""A run's result, for a person: what was made, what was refused, five pairs to read, where to look next."""

from __future__ import annotations

from typing import Any

from flows.result import Result


def summary(result: Result) -> str:
    """Returns the text that ``pairwright run`` ends with."""
    name = f"{result.dataset}@{result.version}" if result.version else result.dataset
    words = {"done": "published", "refused": "REFUSED, kept in quarantine", "stopped": "stopped"}
    lines = ["", f"{name}  {words[result.status]}  ({result.seconds:,.1f} s)", ""]
    lines += [f"  {table:<12} {count:>9,}" for table, count in result.rows.items() if count or table == "preferences"]
    for block, reasons in result.removed.items():
        lines += [f"  removed by {block}: {count:,} {reason}" for reason, count in reasons.items()]
    for judge, outcomes in result.outcomes.items():
        lines.append(f"  judge {judge}: " + ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items()))
    lines += _warnings(result)
    calls = result.calls
    lines.append(
        f"  calls: {calls['asked']:,} asked, {calls['from_ledger']:,} answers from the ledger, "
        f"{calls['failed']:,} failed; {result.tokens['completion']:,} tokens sampled, ${result.cost:,.4f}"
    )
    if share := result.tokens["cached_share"]:
        lines.append(f"  prompt tokens: {result.tokens['prompt']:,} read, {share:.0%} of them from engines' caches")
    for row in result.gates:
        if not row["success"]:
            severity = row["severity"].upper()
            lines.append(f"  gate {row['name']}: {severity} (found {row['observed']}, allowed {row['allowed']})")
    lines += _examples(result)
    if result.version:
        lines += ["", "Look next:", *_next(result)]
    return "\n".join(lines) + "\n"


def _warnings(result: Result) -> list[str]:
    lines = []
    for judge, found in result.comparisons.items():
        total = sum(found.values())
        if found.get("contradicted"):
            lines.append(
                f"  ! {judge}: {found['contradicted']:,} of {total:,} comparisons are contradicted: swapping the order "
                "changes the winner; they count for nobody"
            )
    for judge, found in result.labels.items():
        lines.append(f"  judge {judge} agrees with the file's label on {found['agree']:,} of {found['of']:,}")
    for block, found in result.raised.items():
        lines.append(f"  ! {block} raised on {found['prompts']:,} prompts, first on {found['first']}")
    lines += [f"  ! {count:,} calls failed: {error}" for error, count in list(result.errors.items())[:3]]
    return lines


def _examples(result: Result) -> list[str]:
    lines = []
    for i, pair in enumerate(result.examples, start=1):
        margin = "" if pair["margin"] is None else f"  margin {pair['margin']:g}"
        lines += ["", f"pair {i}  {pair['pair_id'][:12]}{margin}", f"  prompt    {_short(pair['prompt'])}"]
        lines += [f"  {side:<9} {_short(pair[side])}" for side in ("chosen", "rejected")]
    return lines


def _next(result: Result) -> list[str]:
    root = "" if result.root == "./lake" else f" --root {result.root}"
    name = f"{result.dataset}@{result.version}"
    form = " --format trl_dpo" if result.rows.get("preferences") else ""
    pair = f"  pairwright lineage {result.examples[0]['pair_id']}{root}" if result.examples else ""
    return [
        f"  pairwright report {name}{root}",
        f'  pairwright sql{root} "select margin, count(*) from preferences group by 1"',
        *([pair] if pair else []),
        f"  pairwright export {name}{form} --to ./export{root}",
    ]


def _short(text: str, width: int = 110) -> str:
    line = " | ".join(part for part in text.splitlines() if part.strip())
    return line if len(line) <= width else line[: width - 1] + "…"


def estimate_text(found: dict[str, Any]) -> str:
    """Returns an estimate as lines."""

    def about(value: float | None, form: str) -> str:
        return "unknown" if value is None else "about " + form.format(value)

    lines = [f"{found['recipe']}: {found['prompts']:,} prompts, {found['calls']:,} calls to make, "
             f"{found['in_ledger']:,} answers already in the ledger; "
             f"cost {about(found['cost'], '${:,.2f}')}, time {about(found['seconds'], '{:,.0f} s')}"]  # fmt: skip
    for row in found["models"]:
        tokens = about(row["completion_tokens"], "{:,}")
        lines.append(
            f"  {row['model']}: {row['calls']:,} calls for {row['answers_to_buy']:,} answers, {tokens} tokens to sample"
        )
    return "\n".join(lines) + "\n"
