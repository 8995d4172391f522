"""A real vLLM, with prefix caching on, under a tree search. Slow: the engine takes about a minute to start.

The engine's environment is made by ``./dev vllm`` when it is not there; without an index that fails, loudly.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson
import pytest

from tasks.backends import vllm_options
from tasks.backends.embedded import FOLDER
from tasks.sources.arithmetic import arithmetic

ROOT = Path(__file__).resolve().parents[2]
# On a CPU vLLM's smallest block is 32 tokens, and a prompt cut in two (chunked prefill) ends an engine whose samples
# are seeded: its random numbers cannot be wound back there.
ENGINE = "dtype=float32&args=--enforce-eager --block-size 32 --no-enable-chunked-prefill"


def interpreter() -> str:
    """Returns the Python that has vLLM, installed first where it is nowhere."""
    try:
        return vllm_options.interpreter(vllm_options.parse("vllm:m"))
    except vllm_options.MissingEngineError:
        made = subprocess.run(["./dev", "vllm"], cwd=ROOT, capture_output=True, text=True, timeout=3000, check=False)
    if made.returncode:
        pytest.fail(f"vLLM cannot be installed here, so nothing is known about it: {made.stderr[-2000:]}")
    return vllm_options.interpreter(vllm_options.parse("vllm:m"))


@pytest.mark.slow
def test_a_tree_search_finds_three_fifths_of_its_prompt_tokens_in_the_engines_cache(command, tmp_path: Path) -> None:
    rows = arithmetic(n=32, split="test", seed=3).select("messages", "reference").to_dicts()
    lines = [orjson.dumps({"prompt": row["messages"][0]["content"], "reference": row["reference"]}) for row in rows]
    (tmp_path / "prompts.jsonl").write_bytes(b"\n".join(lines))

    ran = command(
        "run", "mcts-dpo", "--prompts", "prompts.jsonl", "--policy",
        f"vllm:{FOLDER}?python={interpreter()}&{ENGINE}", "--json", "--yes",
    )  # fmt: skip

    assert ran.code == 0, ran.err
    assert ran.json["calls"]["failed"] == 0
    assert ran.json["rows"]["nodes"] > 100
    tokens = ran.json["tokens"]
    assert tokens["prompt"] > 10_000
    assert tokens["cached_share"] >= 0.6, tokens
