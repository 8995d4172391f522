"""Says whether a text follows one verifiable instruction, by its id: IFEval's in English, M-IFEval's in es, fr and ja.

Source: IFEval (arXiv:2311.07911, section 2); M-IFEval (arXiv:2502.04688, section 3) for ids that begin ``es:``, ``fr:``
and ``ja:``; ``en:`` is IFEval's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.judges import _ifeval_en, _ifeval_es, _ifeval_fr, _ifeval_ja

CHECKS = _ifeval_en.CHECKS
ALL = {**CHECKS, **_ifeval_es.CHECKS, **_ifeval_fr.CHECKS, **_ifeval_ja.CHECKS}
_PROBE = "."
"""Arguments are looked at with this text, however blank the answer is."""


def loosened(text: str) -> list[str]:
    """Returns the eight readings of the loose rule: without its first line, its last line, and its asterisks."""
    lines = text.split("\n")
    cuts = [text, "\n".join(lines[1:]).strip(), "\n".join(lines[:-1]).strip(), "\n".join(lines[1:-1]).strip()]
    return [*cuts, *(cut.replace("*", "") for cut in cuts)]


def follows(text: str, kind: str, given: Mapping[str, Any], *, loose: bool = False) -> bool:
    """Says whether a text follows one instruction; a blank text follows none.

    Raises:
        ValueError: an unknown kind, or arguments it does not have.
    """
    check = ALL.get(kind.removeprefix("en:")) if isinstance(kind, str) else None
    if check is None:
        raise ValueError(f"{kind!r} is no instruction of IFEval's or M-IFEval's; there are {', '.join(sorted(ALL))}")
    readings = loosened(text) if loose else [text]
    try:
        check(_PROBE, given)
        return any(reading.strip() != "" and check(reading, given) for reading in readings)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        why = f"the arguments {dict(given)} of {kind} are not its own: {type(error).__name__}: {error}"
        raise ValueError(why[:400]) from error
