"""What becomes of a judge that raises: judgments of outcome ``error``, counted; an end where it does nothing else.

One broken row is data. A judge that raises on every one of the first prompts is a fault of the judge, or of how the
recipe uses it, and the rest of the prompts need not be paid for to see that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.errors import BlockError, RecipeError
from tasks.driver import Driver, Rows

GIVE_UP_AFTER = 30
"""So many first prompts, all of which a judge raised on, mean that it raises on every one."""

NOT_JUDGED = ("empty", "refused", "filtered", "error")
FLAG = "raised"


class Watch:
    """Counts on how many prompts one block raised, and ends a run in which it does nothing else.

    Args:
        block: as the count names it (``judge: regex``). recipe: its name, for the message.
    """

    def __init__(self, block: str, recipe: str) -> None:
        self.block, self.recipe = block, recipe
        self.raised = 0
        self.works = False

    def worked(self) -> None:
        """Notes a prompt on which the block did not raise."""
        self.works = True

    def failed(self, driver: Driver, prompt_id: str, error: BlockError, *, part: bool = False) -> None:
        """Notes a prompt on which the block raised.

        Args:
            part: it raised on some of the prompt's completions only.

        Raises:
            RecipeError: it raised on each of the first prompts, so the run is stopped.
        """
        self.works |= part
        self.raised += 1
        driver.tally.raised[self.block] += 1
        driver.tally.first_raised.setdefault(self.block, f"prompt {prompt_id}: {named(error)}")
        if not self.works and self.raised >= GIVE_UP_AFTER:
            end = RecipeError(
                f"recipe {self.recipe}, block {self.block}, prompt {prompt_id}: it raised on all of the first "
                f"{self.raised} prompts, here {named(error)}; nothing more is asked, and every answer so far is kept. "
                "Mend the block, its parameters or the column it reads, and run again"
            )
            driver.stop(end)
            raise end


def named(error: BlockError) -> str:
    """Returns the exception's class and its message.

    >>> named(BlockError("KeyError", "'name'"))
    "KeyError: 'name'"
    """
    return f"{error.kind}: {error.message}" if error.message else error.kind


def failures(
    block: str, prompt_id: str, completions: Iterable[Mapping[str, Any]], criteria: Sequence[str], error: BlockError
) -> Rows:
    """Returns one judgment of outcome ``error`` a completion that holds an answer, and criterion."""
    return [
        {
            "kind": "pointwise", "subjects": [row["completion_id"]], "criterion": criterion, "outcome": "error",
            "score": None, "flags": [FLAG],
            "rationale": f"block {block}, prompt {prompt_id}, completion {row['completion_id']}: {named(error)}",
        }
        for row in completions for criterion in criteria if row.get("finish_reason") not in NOT_JUDGED
    ]  # fmt: skip
