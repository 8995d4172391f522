"""Trains twenty steps of a process reward model on a folder of stepwise rows, with a TRL that has such a trainer.

python train_prm.py FOLDER MODEL OUT

Prints one JSON object: rows, columns, steps, losses, and for the first row its text and which tokens carry which label.
"""

import json
import sys

from datasets import load_dataset
from transformers import AutoModelForTokenClassification, AutoTokenizer
from trl.experimental.prm import PRMConfig, PRMTrainer

folder, model, out = sys.argv[1:]
rows = load_dataset(folder, split="train")
tokenizer = AutoTokenizer.from_pretrained(model)
config = PRMConfig(
    output_dir=out, max_steps=20, per_device_train_batch_size=4, learning_rate=5e-4, use_cpu=True, bf16=False,
    report_to=[], save_strategy="no", logging_steps=1, seed=0, gradient_checkpointing=False,
)  # fmt: skip
trainer = PRMTrainer(
    model=AutoModelForTokenClassification.from_pretrained(model, num_labels=2), args=config, train_dataset=rows,
    processing_class=tokenizer,
)  # fmt: skip
first = trainer.train_dataset[0]
done = trainer.train()
losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
ends = [(place, label) for place, label in enumerate(first["labels"]) if label != -100]
told = {
    "steps": done.global_step, "rows": len(rows), "columns": rows.column_names, "losses": losses,
    "labels": [label for _, label in ends],
    "ends": [tokenizer.decode(first["input_ids"][place : place + 1]) for place, _ in ends],
    "text": tokenizer.decode(first["input_ids"]), "first": rows[0],
}  # fmt: skip
print(json.dumps(told))
