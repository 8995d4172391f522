"""Trains a few steps of several of TRL's trainers, each on a folder of exported rows, in an environment that has TRL.

python train_trl.py MODEL OUT STEPS TRAINER=FOLDER…

Prints one JSON object: trainer -> rows, columns, steps, losses, and what else its log says of the data.
"""

import json
import math
import sys

from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    KTOConfig,
    KTOTrainer,
    RewardConfig,
    RewardTrainer,
    SFTConfig,
    SFTTrainer,
)
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer
from trl.experimental.tpo import TPOConfig, TPOTrainer

KINDS = {
    "dpo": (DPOConfig, DPOTrainer), "kto": (KTOConfig, KTOTrainer), "kto-pairs": (KTOConfig, KTOTrainer),
    "reward": (RewardConfig, RewardTrainer), "cpo": (CPOConfig, CPOTrainer), "orpo": (ORPOConfig, ORPOTrainer),
    "tpo": (TPOConfig, TPOTrainer), "sft": (SFTConfig, SFTTrainer), "grpo": (GRPOConfig, GRPOTrainer),
}  # fmt: skip

model, out, steps, *tasks = sys.argv[1:]


def matched(completions, reward_model, **_):
    """Returns 1 where a completion ends with the reference answer: the row's own columns reach a reward function."""
    return [
        float(said[-1]["content"].strip().endswith(truth["ground_truth"]))
        for said, truth in zip(completions, reward_model, strict=True)
    ]


def trained(name, folder):
    """Returns what a trainer made of a folder of rows, or of one config (``folder@config``) of a published dataset."""
    rows = load_dataset(*folder.split("@"), split="train")
    tokenizer = AutoTokenizer.from_pretrained(model)
    config, trainer = KINDS[name]
    settings = {
        "output_dir": f"{out}/{name}", "max_steps": int(steps), "per_device_train_batch_size": 4, "use_cpu": True,
        "learning_rate": 5e-6, "report_to": [], "save_strategy": "no", "logging_steps": 1, "seed": 0,
    }  # fmt: skip
    more = {}
    if name == "grpo":
        settings |= {"num_generations": 4, "max_completion_length": 48}
        more = {"reward_funcs": matched}
    if name == "reward":
        net = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1)
        net.config.pad_token_id = tokenizer.pad_token_id
    else:
        net = AutoModelForCausalLM.from_pretrained(model)
    made = trainer(model=net, args=config(**settings), train_dataset=rows, processing_class=tokenizer, **more)
    done = made.train()
    log = [entry for entry in made.state.log_history if "loss" in entry]
    return {
        "rows": len(rows), "columns": rows.column_names, "steps": done.global_step,
        "losses": [entry["loss"] for entry in log if math.isfinite(entry["loss"])],
        "prepared": len(made.train_dataset),
    }  # fmt: skip


print(json.dumps({name: trained(name, folder) for name, _, folder in (task.partition("=") for task in tasks)}))
