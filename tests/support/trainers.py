"""What the parsers of trainers read of a row, and what they refuse or silently leave out: one function a parser.

Said in our own words after reading the data code of OpenRLHF, LLaMA-Factory, Axolotl and verl; a row that such a parser
would skip, cut wrongly or misread raises ``Refused`` here. TRL needs no such stand-in: its own trainers run in the slow
tests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
ROLES = ("system", "user", "assistant", "tool")


class Refused(Exception):
    """The trainer would stop at this row, leave it out, or read something else than was meant."""


def chatml(messages: Sequence[Row], *, ask: bool = False) -> str:
    """Returns a conversation as a chat template writes it; with ``ask`` the assistant's turn is begun."""
    for message in messages:
        if set(message) != {"role", "content"} or message["role"] not in ROLES or message["content"] is None:
            raise Refused(f"a chat template is given {message}")
    said = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return said + ("<|im_start|>assistant\n" if ask else "")


def openrlhf_pair(row: Row) -> tuple[str, str, str, float]:
    """Returns prompt, chosen, rejected and margin as the reward dataset has them with --prompt_key and a template."""
    for key in ("prompt", "chosen", "rejected"):
        _whole_list(row, key)
    prompt = chatml(row["prompt"], ask=True)
    sides = [chatml([*row["prompt"], *row[side]]) for side in ("chosen", "rejected")]
    if not all(side.startswith(prompt) for side in sides):
        raise Refused("the answer does not begin where the prompt's text ends")
    margin = row.get("margin")
    return prompt, sides[0][len(prompt) :], sides[1][len(prompt) :], 0 if margin is None else margin


def openrlhf_unpaired(row: Row) -> tuple[str, int]:
    """Returns text and label as the unpaired dataset has them: with a template the output is the whole conversation."""
    _whole_list(row, "output")
    if row["label"] not in (0, 1):
        raise Refused(f"label {row['label']!r}: -1 marks the trainer's own unmatched rows")
    return chatml(row["output"]), int(row["label"])


def openrlhf_prompt(row: Row) -> tuple[str, str, str]:
    """Returns prompt, label and datasource as the prompt dataset has them."""
    _whole_list(row, "input")
    if not isinstance(row["label"], str):
        raise Refused("labels are collated as texts")
    return chatml(row["input"], ask=True), row["label"], row.get("datasource", "default")


def openrlhf_process(row: Row, mark: str, rewards: Sequence[str] | None) -> list[tuple[str, str | float]]:
    """Returns each step's text with its label, as the process reward dataset puts labels on the places of the mark."""
    labels = row["value"]
    if not isinstance(labels, list) or not labels:
        raise Refused("labels are no list, or an empty one")
    if isinstance(labels[0], str) and rewards is not None and not set(labels) <= set(rewards):
        raise Refused(f"labels {labels} are not all among {rewards}")
    pieces = row["input"].split(mark)
    if len(pieces) - 1 != len(labels):
        raise Refused(f"{len(pieces) - 1} marks stand against {len(labels)} labels")
    return list(zip(pieces[:-1], labels, strict=True))


def llamafactory(row: Row, entry: Row) -> dict[str, Any]:
    """Returns system, prompt and responses as the sharegpt converter and the processors after it have them.

    Args:
        entry: the dataset's part of dataset_info.json.
    """
    columns, ranking = entry["columns"], entry.get("ranking", False)
    if entry["formatting"] != "sharegpt" or "tags" in entry:
        raise Refused("this stands for sharegpt with its own tags")
    turns = list(row[columns["messages"]])
    system = turns.pop(0)["value"] if turns and turns[0]["from"] == "system" else ""
    allowed = (("human", "observation"), ("gpt", "function_call"))
    if any(turn["from"] not in allowed[place % 2] for place, turn in enumerate(turns)):
        raise Refused("roles do not alternate; the row is skipped with a warning")
    if len(turns) % 2 != (1 if ranking else 0):
        raise Refused("the number of turns is wrong; the row is skipped with a warning")
    if ranking:
        sides = [row[columns[side]] for side in ("chosen", "rejected")]
        if any(not isinstance(side, dict) or side["from"] not in allowed[1] for side in sides):
            raise Refused("a side is no turn of the model")
        return {"system": system, "prompt": turns, "responses": [side["value"] for side in sides]}
    tag, last = row[columns["kto_tag"]], turns.pop()
    if not isinstance(tag, bool):
        raise Refused("a tag that is no bool makes the row an ordinary one")
    responses = [last["value"], ""] if tag else ["", last["value"]]
    if bool(responses[0]) != tag:
        raise Refused("an empty wanted answer is read as an unwanted one")
    return {"system": system, "prompt": turns, "responses": responses, "wanted": tag}


def axolotl_pair(row: Row, template: Callable[..., str] = chatml) -> tuple[str, str, str]:
    """Returns prompt, chosen and rejected as ``chat_template.default`` cuts them out of what the template writes."""
    _whole_list(row, "messages")
    found = [template(row["messages"], ask=True)]
    for side in ("chosen", "rejected"):
        last = row[side][-1] if isinstance(row[side], list) else row[side]
        if last["role"] not in ROLES:
            raise Refused(f"there is no role {last['role']!r}")
        said = template([{"role": "user", "content": "[[dummy_message]]"}, last])
        found.append(said[said.find(last["content"]) :].rstrip())
    return found[0], found[1], found[2]


def axolotl_unpaired(row: Row) -> tuple[str, str, bool]:
    """Returns prompt, completion and label as ``chatml.ultra`` has them: one question and one answer, as texts."""
    if not all(isinstance(row[key], str) for key in ("prompt", "completion")) or not isinstance(row["label"], bool):
        raise Refused("prompt and completion are texts, label is a bool")
    system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    prompt = chatml([*system, {"role": "user", "content": row["prompt"]}], ask=True)
    return prompt, f"{row['completion']}<|im_end|>", row["label"]


def verl_prompt(row: Row) -> tuple[str, str, str]:
    """Returns prompt, data source and ground truth as the RLHF dataset and the reward managers have them."""
    _whole_list(row, "prompt")
    if "images" in row or "videos" in row:
        raise Refused("with such a column, marks in the text are cut out")
    model, more = row["reward_model"], row["extra_info"]
    if model["style"] not in ("rule", "model") or (model["style"] == "rule" and not model["ground_truth"]):
        raise Refused("a rule has nothing to check against")
    if not isinstance(more.get("index"), int) or not isinstance(row["data_source"], str):
        raise Refused("extra_info.index and data_source name the row in logs and in the choice of the reward")
    json.dumps(more)
    return chatml(row["prompt"], ask=True), row["data_source"], model["ground_truth"]


def _whole_list(row: Row, key: str) -> None:
    if not isinstance(row[key], list) or not row[key]:
        raise Refused(f"{key} is no list of messages: {row[key]!r}")


def trl(row: Row, *sides: str) -> None:
    """Raises where TRL's chat templates would fail, or an answer be empty: see the slow tests for the real trainers."""
    for side in sides:
        _whole_list(row, side)
        chatml(row[side])
    if any(row[side][-1]["role"] != "assistant" or not row[side][-1]["content"].strip() for side in sides[1:]):
        raise Refused("an answer is empty, or not the assistant's")


READERS: dict[str, Callable[[Row], object]] = {
    "trl_dpo": lambda row: trl(row, "prompt", "chosen", "rejected"),
    "trl_kto": lambda row: trl(row, "prompt", "completion"),
    "trl_sft": lambda row: trl(row, "prompt", "completion"),
    "reward_rows": lambda row: trl(row, "prompt", "completion"),
    "attribute_rows": lambda row: trl(row, "prompt", "completion"),
    "trl_tpo": lambda row: trl(row, "prompt", "reference", "chosen", "rejected"),
    "soft_pairs": lambda row: trl(row, "prompt", "chosen", "rejected"),
    "weighted_pairs": lambda row: trl(row, "prompt", "chosen", "rejected"),
    "staged_pairs": lambda row: trl(row, "prompt", "chosen", "rejected"),
    "grouped_pairs": lambda row: trl(row, "prompt", "chosen", "rejected"),
    "quadruple_rows": lambda row: trl(row, "x1", "y1") or trl(row, "x2", "y2"),
    "openrlhf_pairs": openrlhf_pair,
    "openrlhf_kto": openrlhf_unpaired,
    "axolotl_kto": axolotl_unpaired,
    "llamafactory_pairs": lambda row: llamafactory(
        row, {"formatting": "sharegpt", "ranking": True,
              "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}},
    ),
    "llamafactory_kto": lambda row: llamafactory(
        row, {"formatting": "sharegpt", "columns": {"messages": "conversations", "kto_tag": "kto_tag"}}
    ),
}  # fmt: skip
"""Export -> what its trainer's parser does with one of its rows."""
