r"""Answer votes: the share of a prompt's completions that come to the same final answer.

Source: ScPO (arXiv:2411.04109, section 2.2: votes of k samples); self-consistency (arXiv:2203.11171, section 2).

Use it where right answers are few and wrong ones differ. It is bad where the model is wrong the same way every time.
"""

from __future__ import annotations

import polars as pl

from schemas.blocks import scorer
from tasks.readers.answers import answer_key
from tasks.scorers._quantile import finished


@scorer(texts=True)
def answer_votes(
    completions: pl.DataFrame, *, pattern: str | None = None, criterion: str = "votes", least: int = 1
) -> pl.DataFrame:
    r"""Returns for each completion with a final answer its share of the votes: those with the same answer, over all.

    ``judgments`` is the number of votes. The answer is what a completion marks as its final one, as judge ``math``
    reads it; equal values are one answer. A completion without an answer, or cut, casts no vote, but counts among all.

    Args:
        completions: with their messages.
        pattern: the answer is the last match of this regular expression instead, its first group that took part.
        least: fewer distinct answers than this give a prompt no scores.
    """
    content = pl.element().struct.field("content").fill_null("")
    texts = completions.select(pl.col("messages").list.eval(content).list.join("\n\n")).to_series()
    keys = pl.Series([answer_key(text, pattern=pattern) for text in texts], dtype=pl.String)
    answer = pl.when(pl.col("finish_reason") != "length").then(keys)
    votes = completions.select("prompt_id", "completion_id", answer=answer, of=pl.len().over("prompt_id")).filter(
        pl.col("answer").is_not_null()
    )
    distinct = pl.col("answer").n_unique().over("prompt_id")
    counted = votes.filter(distinct >= least).with_columns(judgments=pl.len().over("prompt_id", "answer"))
    scored = counted.select(
        "prompt_id", "completion_id", "judgments", criterion=pl.lit(criterion),
        score=pl.col("judgments") / pl.col("of"), standard_error=pl.lit(None, pl.Float64),
    )  # fmt: skip
    return finished(scored, "answer_votes")
