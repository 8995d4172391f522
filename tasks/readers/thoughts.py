"""Cuts the thoughts out of a reply, so that only what was meant for the reader is read.

Source: the thinking tags of DeepSeek-R1 (arXiv:2501.12948), Qwen, Kimi, Magistral, OpenThoughts, Seed and gpt-oss.
"""

from __future__ import annotations

import re2  # type: ignore[import-untyped]

_TAGS = re2.compile(
    r"(?i)<(/?)\s*(?:seed:)?(?:think|thinking|thoughts?|reasoning|reason|scratchpad|reflection|analysis|inner_monologue)"
    r"\s*>|\[(/?)(?:think|thinking|reasoning)\]|◁(/?)think▷|<\|(begin|end)_of_thought\|>"
)
_CHANNEL = re2.compile(r"<\|channel\|>\s*(\w+)[^<]{0,80}<\|message\|>")


def without_thoughts(text: str) -> str:
    r"""Returns the text outside of all thoughts; one that is not closed runs to the end, one not opened from the start.

    >>> without_thoughts("<think>7 or 8</think>\nAnswer: 8")
    '\nAnswer: 8'
    >>> without_thoughts("so 7</think>8"), without_thoughts("8<think>no, 7")
    ('8', '8')
    """
    text = _last_channel(text)
    if "<" not in text and "[" not in text and "◁" not in text:
        return text
    kept: list[str] = []
    depth, start = 0, 0
    for tag in _TAGS.finditer(text):
        closes = "/" in tag.group(0)[:2] or tag.group(4) == "end"
        if depth == 0 and not closes:
            kept.append(text[start : tag.start()])
        if closes and depth == 0:
            kept = []  # the opening tag stood in the prompt
        depth = max(0, depth - 1) if closes else depth + 1
        start = tag.end()
    if depth == 0:
        kept.append(text[start:])
    return "".join(kept)


def _last_channel(text: str) -> str:
    if "<|channel|>" not in text:
        return text
    channels = list(_CHANNEL.finditer(text))
    if not channels:
        return text
    if channels[-1].group(1) != "final":
        return text[: channels[0].start()]
    return text[channels[-1].end() :].replace("<|return|>", "").replace("<|end|>", "")
