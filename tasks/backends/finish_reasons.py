"""Why an answer ended, in every server's words, and what that makes of it: one table.

Source: the APIs of OpenAI, Azure, Anthropic, Gemini, Mistral, DeepSeek, Cohere, Bedrock, xAI, Zhipu, Together, Groq,
OpenRouter, watsonx, and of the servers vLLM, SGLang, llama.cpp, Ollama and TGI.
"""

from __future__ import annotations

from typing import Any

from schemas.exchange import Outcome

REASONS: dict[Outcome, tuple[str, ...]] = {
    "ok": (
        "stop", "eos", "eos_token", "end", "end_turn", "end_of_turn", "stop_sequence", "stop_str", "stop_token", "word",
        "complete", "completed", "finished", "done", "tool_calls", "tool_call", "tool_use", "function_call",
        "function_calls",
    ),
    "truncated": (
        "length", "limit", "max_tokens", "max_length", "max_output_tokens", "max_completion_tokens", "max_new_tokens",
        "model_length", "token_limit", "output_limit", "context_length", "context_length_exceeded",
        "context_window_exceeded", "model_context_window_exceeded", "incomplete", "not_finished", "pause_turn",
        "time_limit", "repetition", "repetition_detected",
    ),
    "filtered": (
        "content_filter", "content_filtered", "safety", "image_safety", "recitation", "blocklist", "spii",
        "prohibited_content", "language", "guardrail_intervened", "guardrail", "sensitive", "moderation", "flagged",
        "error_toxic", "blocked",
    ),
    "refused": ("refusal", "refused"),
    "error": (
        "error", "abort", "aborted", "cancelled", "canceled", "user_cancel", "timeout", "network_error",
        "insufficient_system_resource", "server_error", "error_limit", "malformed_function_call",
        "malformed_model_output", "malformed_tool_use", "unexpected_tool_call", "too_many_tool_calls", "load", "unload",
    ),
}  # fmt: skip
"""Outcome -> the reasons that mean it, in lower case; ``empty`` is ``ok`` without a text."""

_OUTCOMES = {reason: outcome for outcome, reasons in REASONS.items() for reason in reasons}
_PREFIXES = ("finish_reason_", "finishreason.", "stop_reason_")


def read(given: Any) -> tuple[str, Outcome]:
    """Returns the reason as it is kept, and its outcome; one that is not in the table is ``unclear``, never ``ok``.

    What means a whole answer is kept as ``stop`` or ``tool_calls``, whatever the server calls it. A reply that gives
    no reason says nothing against its text; it is kept as ``unknown``.

    >>> read("END_TURN"), read("MAX_TOKENS"), read(None), read("tired")
    (('stop', 'ok'), ('MAX_TOKENS', 'truncated'), ('unknown', 'ok'), ('tired', 'unclear'))
    """
    if given is None or given == "":
        return "unknown", "ok"
    shown = str(given)[:80]
    if not isinstance(given, str):
        return shown, "unclear"
    word = given.strip().lower().replace("-", "_").replace(" ", "_")
    for prefix in _PREFIXES:
        word = word.removeprefix(prefix)
    outcome = _OUTCOMES.get(word, "unclear")
    if outcome == "ok":
        return ("tool_calls" if word.startswith(("tool", "function")) else "stop"), outcome
    return shown, outcome
