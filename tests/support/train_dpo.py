"""Trains twenty steps of TRL's DPO on a folder of preference rows, in an environment that has TRL.

python train_dpo.py FOLDER MODEL OUT
"""

import json
import sys

from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

folder, model, out = sys.argv[1:]
rows = load_dataset(folder, split="train")
tokenizer = AutoTokenizer.from_pretrained(model)
config = DPOConfig(
    output_dir=out, max_steps=20, per_device_train_batch_size=4, learning_rate=5e-6, use_cpu=True, report_to=[],
    save_strategy="no", logging_steps=1, seed=0,
)  # fmt: skip
trainer = DPOTrainer(
    model=AutoModelForCausalLM.from_pretrained(model), args=config, train_dataset=rows, processing_class=tokenizer
)
done = trainer.train()
losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
print(json.dumps({"steps": done.global_step, "rows": len(rows), "columns": rows.column_names, "losses": losses}))
