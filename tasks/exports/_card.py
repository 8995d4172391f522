"""The dataset card that stands beside exported files.

Source: Hugging Face Hub, dataset cards (YAML head, then Markdown).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


def card(
    *,
    name: str,
    version: str,
    recipe: str,
    source: str,
    about: str,
    rows: int,
    columns: Sequence[str],
    files: str = "*.parquet",
    configs: Mapping[str, Mapping[str, str]] | None = None,
    recipe_yaml: str = "",
    outcomes: Mapping[str, Mapping[str, int]] | None = None,
    removed: Mapping[str, Mapping[str, int]] | None = None,
    checks: Sequence[Mapping[str, Any]] = (),
    digest: str = "",
    license: str | None = None,
    sources: Mapping[str, Mapping[str, int]] | None = None,
) -> str:
    """Returns the text of README.md; equal arguments give equal text, with no clock and no machine in it.

    Args:
        files: glob of the data files beside the card.
        configs: name -> split -> file, where there are several; the first is what is loaded by default.
        recipe_yaml: the recipe as it was run.
        outcomes: judge -> outcome -> judgments. removed: block -> reason -> rows.
        checks: rows of the gates. digest: of the data. sources: what something came from -> its name -> rows.
    """
    head: dict[str, Any] = {
        "pretty_name": f"{name} {version}",
        "tags": ["preference", "dpo", "pairwright"],
        "task_categories": ["text-generation"],
        "size_categories": [next((label for limit, label in _SIZES if rows < limit), "10M<n<100M")],
        "configs": _configs(configs or {"default": {"train": files}}),
    }
    if license:
        head["license"] = license
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=True, allow_unicode=True)}---",
        f"# {name} {version}",
        about.strip(),
        f"{rows:,} rows, made by Pairwright with the recipe `{recipe}` ({source.strip()}).",
        "Columns: " + ", ".join(f"`{column}`" for column in columns) + ".",
    ]
    if sources:
        parts += _section("Sources and licence", ("what", "from", "rows"), _flat(sources))
        terms = "The terms of the prompts' sources and of the models that answered apply"
        parts.append(f"Licence: {license}. {terms} beside it." if license else f"No licence is stated here. {terms}.")
    parts += _section("Judgments by outcome", ("judge", "outcome", "judgments"), _flat(outcomes))
    parts += _section("Removed", ("block", "reason", "rows"), _flat(removed))
    shown = [(c["name"], _number(c["observed"]), c["allowed"], _said(c)) for c in checks]
    parts += _section("Checks", ("check", "observed", "allowed", "result"), shown)
    if recipe_yaml:
        parts += ["## Recipe", f"~~~yaml\n{recipe_yaml.strip()}\n~~~"]
    if digest:
        parts.append(f"Digest of the data: `{digest}`")
    return "\n\n".join(parts) + "\n"


def _configs(configs: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"config_name": name, "data_files": [{"split": split, "path": path} for split, path in splits.items()]}
        for name, splits in configs.items()
    ]
    if len(made) > 1:
        made[0]["default"] = True
    return made


def _flat(counts: Mapping[str, Mapping[str, int]] | None) -> list[tuple[str, str, str]]:
    nested = counts or {}
    return [(one, other, f"{nested[one][other]:,}") for one in sorted(nested) for other in sorted(nested[one])]


def _section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = [columns, ["---"] * len(columns), *rows]
    table = "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )
    return [f"## {title}", table]


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4f}"


def _said(check: Mapping[str, Any]) -> str:
    return "ok" if check["success"] else {"block": "failed", "warn": "warning"}[check["severity"]]
