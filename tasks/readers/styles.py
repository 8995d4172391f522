"""The forms of verdicts that published judges end in, by name: a judge may be held to one of them.

Source: ``[[A]]`` of MT-bench (arXiv:2306.05685, appendix A); ``[[A>>B]]`` of Arena-Hard (arXiv:2406.11939);
``[RESULT] 4`` of Prometheus (arXiv:2310.08491).
"""

from __future__ import annotations

import re
from typing import Literal

from tasks.readers.structured import Claim

Style = Literal["any", "json", "mtbench", "arena_hard", "prometheus"]

_MARK = re.compile(r"\s*[AB]\s*(?:>{1,2}|=|<{1,2})\s*[AB]\s*")


def in_style(claim: Claim, text: str, style: Style) -> bool:
    """Says whether a claim has the form that a style asks for; ``any`` takes every form."""
    if style == "any":
        return True
    if style == "json":
        return claim.form == "json"
    if claim.form != "brackets":
        return False
    result, mark = text.startswith("[RESULT]", claim.start), bool(_MARK.fullmatch(str(claim.value)))
    return result if style == "prometheus" else not result and mark == (style == "arena_hard")
