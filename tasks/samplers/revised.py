"""Drafts and their revisions: after a critique, after a better text, or as one trace of trial and error.

Source: refined DPO (arXiv:2402.08005: answer, critique, revised answer); BMC (arXiv:2408.07471, section 3.1: the loser
improved with the winner as reference and as few edits as possible); T1 (arXiv:2501.11651: trial and error in one text).

Use it for pairs that differ little and on purpose. It is bad where the reviser knows no better than the drafter: a
revision may be worse, so have both judged.
"""

from __future__ import annotations

from typing import Any, Literal

from schemas.blocks import sampler
from schemas.exchange import Exchange
from schemas.messages import text_of
from tasks.samplers._ways import Settings, fill, messages_of, template, whole


@sampler
def revised(
    prompt: dict[str, Any],
    *,
    policy: str,
    model: str | None = None,
    by: Literal["critique", "reference", "trial"] = "critique",
    n: int = 1,
    temperature: float = 1.0,
    top_p: float = 1.0,
    max_tokens: int = 1024,
    stop: tuple[str, ...] = (),
    seed: int = 0,
) -> Exchange:
    """Returns the drafts (condition ``draft``) and a revision of each (``revised``, with ``derived_from``).

    ``derived_from`` is the draft's content id. Drafts that are no whole answers, or for which the prompt
    has no reference to revise by, are not revised; a revision that failed has no row.

    Args:
        model: SPEC of who criticises and revises; by default the policy itself.
        by: ``critique`` asks for one and revises after it, kept in ``meta``. ``reference`` improves the draft towards
            the prompt's reference, with few edits. ``trial`` gives draft, critique and revision as one text
            (condition ``trace``) beside the draft.
        n: drafts.

    Raises:
        ValueError: n is below 1.
    """
    reference = str(prompt.get("reference") or "")
    if n < 1:
        raise ValueError(f"n is {n}; one draft at least is needed")
    settings = Settings(temperature, top_p, max_tokens, stop, seed, {"by": by})
    messages, writer = messages_of(prompt), model or policy
    drafting = settings.request(prompt, policy, messages, n=n)
    (reply,) = yield [drafting]
    rows = [settings.row(choice, reply, drafting, {"condition": "draft"}, "draft") for choice in reply.choices]
    drafts = [row for row in rows if row["finish_reason"] == "stop" and (reference or by != "reference")]
    critiques = [""] * len(drafts)
    if by != "reference" and drafts:
        asked, version = template("revised_critique")
        replies = yield [
            settings.request(
                prompt, writer, [*_shown(messages, row), {"role": "user", "content": asked}], template=version
            )
            for row in drafts
        ]
        critiques = [reply.text if reply.outcome == "ok" else "" for reply in replies]
        drafts, critiques = [d for d, c in zip(drafts, critiques, strict=True) if c], [c for c in critiques if c]
    asked, version = template("revised_bridge" if by == "reference" else "revised_write")
    texts = [fill(asked, {"reference": reference, "critique": said}) for said in critiques]
    requests = [
        settings.request(prompt, writer, [*_shown(messages, row), {"role": "user", "content": text}], template=version)
        for row, text in zip(drafts, texts, strict=True)
    ]
    replies = (yield requests) if requests else []
    for row, said, request, reply in zip(drafts, critiques, requests, replies, strict=True):
        for choice in reply.choices:
            notes = {"condition": "trace" if by == "trial" else "revised", "critique": said or None}
            made = settings.row(choice, reply, request, notes, f"revision of {row['sample_index']}")
            made |= {"sample_index": row["sample_index"], "derived_from": row["content_id"]}
            text = "\n\n".join((text_of(row["messages"]), said, text_of(made["messages"])))
            rows.append(whole(made, text) | {"derived_from": row["content_id"]} if by == "trial" else made)
    return rows


def _shown(messages: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    return [*messages, {"role": "assistant", "content": text_of(row["messages"])}]
