"""A sequence-classification checkpoint in memory: texts to token ids, batches of ids to numbers.

Source: transformers' AutoModelForSequenceClassification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from schemas.errors import MissingExtraError
from schemas.messages import text_of

EDGE = 1 << 20
"""Of large files the first and the last so many bytes are part of the fingerprint, and their size."""


class TooMuch(Exception):
    """A batch did not fit into memory."""


class Classifier:
    """The model and its tokenizer.

    Args:
        name: folder or Hub name. device: ``cuda``, ``cpu``, …; the best there is where empty. On a CPU the weights are
            float32, elsewhere as they were saved.

    Raises:
        MissingExtraError: torch or transformers is not installed.
        OSError, ValueError: there is no such checkpoint, or its head was not trained.
    """

    def __init__(self, name: str, device: str = "") -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingExtraError("torch and transformers", "rewards") from error
        words: Any = transformers.utils.logging
        words.disable_progress_bar()
        self._torch = torch
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model, loaded = transformers.AutoModelForSequenceClassification.from_pretrained(
            name, dtype="float32" if self.device == "cpu" else "auto", output_loading_info=True
        )
        untrained = sorted(loaded["missing_keys"]) or sorted(str(key) for key in loaded.get("mismatched_keys", ()))
        if untrained:
            raise ValueError(f"this is no reward model: the checkpoint lacks {', '.join(map(str, untrained[:3]))}")
        self._model = model.to(self.device).eval()
        self.longest = int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 1 << 30)
        self.fingerprint = {
            "backend": "reward", "model": name, "dtype": str(next(model.parameters()).dtype),
            "revision": getattr(model.config, "_commit_hash", None) or digest(Path(name)),
            "transformers": transformers.__version__,
        }  # fmt: skip

    def ids(self, messages: Sequence[Mapping[str, Any]], prefix: str | None, text: str | None) -> list[int]:
        """Returns the token ids of a conversation or of a text.

        Raises:
            ValueError: it is longer than the model's context, or there is nothing to score.
        """
        ids = self._conversation(messages, prefix) if messages else self._plain(text or "")
        if not 0 < len(ids) <= self.longest:
            raise ValueError(f"the conversation has {len(ids)} tokens; from 1 to {self.longest} are allowed")
        return ids

    def _conversation(self, messages: Sequence[Mapping[str, Any]], prefix: str | None) -> list[int]:
        said: Any = [*messages, *([{"role": "assistant", "content": prefix}] if prefix is not None else [])]
        if said[-1]["role"] != "assistant":
            raise ValueError("the messages do not end with the assistant's text, and there is no prefix")
        if getattr(self._tokenizer, "chat_template", None):
            shown = self._tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=False, continue_final_message=prefix is not None
            )
            return list(self._tokenizer(shown, add_special_tokens=False)["input_ids"])
        # older reward models take the question and the answer as a pair
        return list(self._tokenizer(text_of(said[:-1]), text_of(said[-1:]))["input_ids"])

    def _plain(self, text: str) -> list[int]:
        return list(self._tokenizer(text)["input_ids"]) if text else []

    def __call__(self, batch: Sequence[list[int]]) -> list[list[float]]:
        """Returns the outputs of each row.

        Raises:
            TooMuch: the batch does not fit into memory.
        """
        torch, longest = self._torch, max(map(len, batch))
        pad = self._padding(batch)
        self._model.config.get_text_config().pad_token_id = pad
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in batch], device=self.device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch], device=self.device)
        try:
            with torch.inference_mode():
                logits = self._model(input_ids=ids, attention_mask=mask).logits
            return [[float(number) for number in row] for row in logits.float().cpu()]
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            why = str(error).split("\n")[0]
        # out of the handler: a live exception would keep every tensor of the failed batch in memory
        del ids, mask
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise TooMuch(why)

    def _padding(self, batch: Sequence[list[int]]) -> int:
        """Returns an id to pad with that stands in no row: models look for the last token that is not it."""
        used = {number for row in batch for number in row}
        own = self._tokenizer.pad_token_id
        if own is not None and own not in used:
            return int(own)
        return next(i for i in reversed(range(self._model.get_input_embeddings().num_embeddings)) if i not in used)


def _out_of_memory(error: BaseException) -> bool:
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "can't allocate memory" in words


def digest(folder: Path) -> str:
    """Returns a hash of a checkpoint's files that tells it apart from another one."""
    hashed = blake2b(digest_size=16)
    for file in sorted(folder.glob("*")) if folder.is_dir() else ():
        if not file.is_file():
            continue
        size = file.stat().st_size
        hashed.update(f"{file.name}:{size};".encode())
        with file.open("rb") as opened:
            hashed.update(opened.read(EDGE))
            if size > EDGE:
                opened.seek(max(EDGE, size - EDGE))
                hashed.update(opened.read(EDGE))
    return hashed.hexdigest()
