"""How many stored verdict texts the parser reads as they were published.

    python benchmarks/verdicts.py LLMBAR.parquet VICUNA.parquet [MRGSM8K.parquet CRITICS.parquet]

The first holds LLMBar's judge outputs (winner 1, 2 or None in original numbering; swapped; completion: the judge's own
words, which end in "Output (a) is better."), the second FastChat's GPT-4 reviews of Vicuna's answers (score_a, score_b,
review). The others are MR-GSM8K's solutions (uuid, question, steps) and what critics said of them (uuid, response,
pred_error_step). Prints one line a setting, and every text whose reading differs; ``docs/judging.md`` says why they do.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tasks.readers.first_wrong import read_first_wrong
from tasks.readers.scores import read_scores
from tasks.readers.verdicts import Several, read_winner

SETTINGS: tuple[Several, ...] = ("last", "first", "none")


def winners(rows: pl.DataFrame, several: Several) -> tuple[Counter[str], list[str]]:
    """Returns how many texts read the same, other or not at all, and the ends of those that do not."""
    counts: Counter[str] = Counter()
    differ = []
    for row in rows.iter_rows(named=True):
        said = {"A": "1", "B": "2"}.get(str(read_winner(row["completion"], several=several).value), "None")
        if row["swapped"]:
            said = {"1": "2", "2": "1"}.get(said, said)
        kind = "same" if said == row["winner"] else "unread" if said == "None" else "other"
        counts[kind] += 1
        if kind != "same":
            differ.append(f"published {row['winner']}, read {said}: …{row['completion'][-160:]!r}")
    return counts, differ


def steps(solutions: pl.DataFrame, critics: pl.DataFrame) -> tuple[Counter[str], list[str]]:
    """Returns how many critics' replies name the published first wrong step, another or none, and those that do not."""
    counts: Counter[str] = Counter()
    differ = []
    for row in critics.join(solutions.select("uuid", "steps"), on="uuid").iter_rows(named=True):
        shown = (row["question"], "\n".join(row["steps"]))
        said = read_first_wrong(row["response"], len(row["steps"]), shown).value
        kind = "unread" if said is None else "same" if str(said) == row["pred_error_step"].split()[-1] else "other"
        counts[kind] += 1
        if kind != "same":
            differ.append(f"published {row['pred_error_step']}, read {said}: …{row['response'][-160:]!r}")
    return counts, differ


def main(llmbar: str, vicuna: str, solutions: str | None = None, critics: str | None = None) -> None:
    """Prints the figures of the files."""
    texts = pl.read_parquet(llmbar).filter(pl.col("completion").is_not_null())
    for several in SETTINGS:
        counts, differ = winners(texts, several)
        print(f"LLMBar, several={several}: {dict(counts)} of {texts.height}, {counts['same'] / texts.height:.2%}")
        print(*differ if several == "last" else (), sep="\n")
    reviews = pl.read_parquet(vicuna)
    same = sum(
        read_scores(row["review"], ("1", "2"), 0, 10) == [row["score_a"], row["score_b"]]
        for row in reviews.iter_rows(named=True)
    )
    print(f"Vicuna: {same} of {reviews.height}, {same / reviews.height:.2%}")
    if solutions and critics:
        counts, differ = steps(pl.read_parquet(solutions), pl.read_parquet(critics))
        print(f"MR-GSM8K: {dict(counts)} of {counts.total()}, {counts['same'] / counts.total():.2%}", *differ, sep="\n")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
