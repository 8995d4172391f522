from flows.result import Counts, Result
from flows.summary import summary
from schemas.messages import assistant


def counted(unparsable: int, valid: int) -> Counts:
    counts = Counts()
    completions = [
        {"completion_id": str(i), "prompt_id": f"prompt{i}", "messages": assistant(f"so\nit is {i}, or so"),
         "finish_reason": "stop"}
        for i in range(unparsable + valid)
    ]  # fmt: skip
    judgments = [
        {"judge": "math", "kind": "pointwise", "subjects": [str(i)], "prompt_id": f"prompt{i}", "score": None,
         "outcome": "unparsable" if i < unparsable else "valid", "flags": ["no_mark"] if i < unparsable else []}
        for i in range(unparsable + valid)
    ]  # fmt: skip
    counts.add_answers(completions, judgments)
    return counts


def shown(counts: Counts) -> list[str]:
    result = Result(
        status="done", dataset="d", version="v1", run_id="r", recipe="x", rows={"preferences": 0}, removed={},
        outcomes=counts.all_outcomes(), unread=counts.unread_shares(), comparisons={}, labels={},
        calls={"asked": 0, "from_ledger": 0, "failed": 0}, tokens={"completion": 0, "prompt": 0, "cached_share": None},
        cost=0.0, seconds=0.0,
    )  # fmt: skip
    return summary(result).splitlines()


def test_a_run_with_many_unknown_judgments_says_so_first_with_three_examples():
    lines = shown(counted(6, 94))
    assert lines[3:8] == [
        "  ! 6.0% of 100 judgments by math are not known, for example:",
        "    prompt0  …so it is 0, or so  (no_mark)",
        "    prompt1  …so it is 1, or so  (no_mark)",
        "    prompt2  …so it is 2, or so  (no_mark)",
        "",
    ]


def test_a_run_with_few_unknown_judgments_does_not_mention_them_first():
    assert not [line for line in shown(counted(5, 95)) if "are not known" in line]
