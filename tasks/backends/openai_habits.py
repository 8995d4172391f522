"""What an endpoint refuses and how it wants to be asked instead, learned from its words.

Source: error messages of OpenAI, Azure, Anthropic's and Gemini's compatible routes, vLLM, llama.cpp, TGI, Mistral,
Groq, Together, DeepSeek, Fireworks, LM Studio and FastAPI (422).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.exchange import Request

DROPPABLE = ("temperature", "top_p", "seed", "logprobs", "top_logprobs", "response_format")
"""Fields that may be left out where an endpoint refuses them; what else is asked for is asked for or fails."""
NEUTRAL = {"temperature": 1.0, "top_p": 1.0}
EFFECTS = {
    "temperature": "every answer has the model's own temperature, not the recipe's",
    "top_p": "every answer has the model's own top_p, not the recipe's",
    "seed": "asked anew, it answers anew; only the ledger makes a run repeatable",
    "logprobs": "log-probabilities stay null, and judges that need them fail",
    "top_logprobs": "alternatives stay unknown, and judges that need them fail",
    "response_format": "the form of an answer is asked for in words alone",
}

_SPELT = {
    "temperature": r"temperature", "top_p": r"top_p|topP|top-p|nucleus", "seed": r"seed",
    "logprobs": r"logprobs|responseLogprobs|log[ -]?prob(?:abilitie)?s", "top_logprobs": r"top_logprobs|topLogprobs",
    "response_format": r"response_format|responseFormat|response format|json_schema|json schema|guided_json|"
    r"guided decoding|structured outputs?|responseSchema|responseMimeType",
}  # fmt: skip
_NAMED = {
    name: re.compile(rf"(?<![A-Za-z0-9_])(?:{words})(?![A-Za-z0-9_])", re.IGNORECASE) for name, words in _SPELT.items()
}
_REFUSAL = re.compile(
    r"unsupported|(?:not|n't|never|nor|no longer) (?:\w+ )?(?:support|allow|permit|accept|available|enabled|implement|"
    r"compatible|recogni|exist|valid)|does not|do not|cannot|can ?not|can't|unrecogni|unknown|unexpected|extra|"
    r"deprecat|disabled|forbid|reject|invalid|must|should|only|incompatible|remove|unavailable|at the same time|both|"
    r"additional propert|input should be|less than|greater than|max allowed",
    re.IGNORECASE,
)
_OFFERED = re.compile(
    r"(?<!un)(?<!not )\b(?:supported|allowed|valid|accepted|available|permitted|known)\s+"
    r"(?:parameters?|params|fields?|arguments?|options?|properties|keys|values?)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_RANGE = re.compile(
    r"between|range|less than|greater than|at most|at least|<=|>=|≤|≥|maximum|minimum|strictly positive|[<>] ?=? ?\d",
    re.IGNORECASE,
)
_ONLY_DEFAULT = re.compile(r"only the default|does not support|must be (?:exactly )?1\b|not support|unsupported", re.I)
_BOTH = re.compile(
    r"both|at the same time|only one|one of|either|together|mutually|simultaneous|not .*?and\b|but not", re.IGNORECASE
)
_UNKNOWN_FIELD = re.compile(
    r"unsupported|not (?:\w+ )?(?:support|allow|permit|recogni|valid)|unrecogni|unknown|unexpected|extra|deprecat|"
    r"instead",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"(?<![\w-])[`'\"“]?n[`'\"”]?\s*(?::|=|[<>]|must|should|is\b|parameter|value|has|to be|cannot|can|greater|larger|"
    r"other|not|does)|(?:only |than |a )?(?:one|single|1) (?:completion |response )?(?:choice|candidate|completion|"
    r"generation|sample|response)|multiple (?:\w+ )?(?:choices|completions|candidates|generations|samples|responses)|"
    r"candidate_?count|number of (?:choices|completions|candidates)|num_return_sequences|"
    r"(?:parameter|field|argument)s?:? [`'\"]?n\b",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"(?P<most><=?|≤|less than or equal to|at most|no more than|up to|max(?:imum)?(?: value| allowed)?(?: of| is)?:?|"
    r"(?:between|from) \d+ (?:and|to)|[\[(]\d+,|\d+ ?-|0\.\.)\s*(?P<number>\d{1,4})(?P<open>\))?"
    r"|(?P<below>less than|below|smaller than) (?P<under>\d{1,4})",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum (?:context|prompt|input)|context_length_exceeded|"
    r"(?:prompt|input|request|messages?|conversation|text|string)\b.{0,40}\b(?:too (?:long|large|many)|exceeds?)|"
    r"too many (?:input |prompt )?tokens|reduce the length|exceeds? the (?:available|maximum|max|model)|"
    r"max_?model_?len|model_max_prompt_tokens|token (?:limit|count) .{0,20}exceed|exceed\w* .{0,30}\btokens?\b",
    re.IGNORECASE,
)
_FLAGGED = re.compile(
    r"content[ _]?(?:filter|policy|management|moderation)|ResponsibleAI|flagged|moderat|safety|usage polic|"
    r"prohibited|data_inspection_failed|inappropriate|DataInspection|blocked",
    re.IGNORECASE,
)


def too_long(message: str) -> bool:
    """Whether a refusal is about a prompt that does not fit: that row's own error, whatever else it names."""
    return bool(_TOO_LONG.search(message))


def flagged(message: str) -> bool:
    """Whether a refusal is about what a prompt says."""
    return bool(_FLAGGED.search(message))


@dataclass(slots=True)
class Habits:
    """How an endpoint is to be asked.

    Attributes:
        dropped: fields it is not sent; those that it refused, and those that its SPEC drops.
        one_of_two: it takes temperature or top_p, not both. most_alternatives: its bound of top_logprobs.
        added: fields its SPEC adds. tell: is called once with each thing that is learned.
    """

    one_at_a_time: bool = False
    limit_field: str = "max_tokens"
    dropped: set[str] = field(default_factory=set)
    one_of_two: bool = False
    most_alternatives: int | None = None
    added: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[str, str], None] = lambda _about, _words: None

    def fit(self, asked: dict[str, Any]) -> None:
        """Brings a request's body into the form that this endpoint takes."""
        for name in self.dropped:
            asked.pop(name, None)
        if "logprobs" in self.dropped or asked.get("logprobs") is None:
            asked.pop("top_logprobs", None)
        most = self.most_alternatives
        for name in ("top_logprobs", "logprobs"):
            if most is not None and type(asked.get(name)) is int and asked[name] > most:
                asked[name] = most
        if self.one_of_two and "temperature" in asked and "top_p" in asked:
            neutral = asked["temperature"] == NEUTRAL["temperature"] and asked["top_p"] != NEUTRAL["top_p"]
            asked.pop("temperature" if neutral else "top_p")
        if self.limit_field != "max_tokens" and "max_tokens" in asked:
            asked[self.limit_field] = asked.pop("max_tokens")
        asked.update(self.added)

    def lacks(self, request: Request) -> bool:
        """Whether a judge is to read probabilities that cannot be had here; a sample goes without."""
        refused = self.dropped & {"logprobs", "top_logprobs"}
        return bool(request.template and request.top_logprobs and refused)

    def learn(self, message: str, param: str, asked: Mapping[str, Any]) -> None:
        """Takes from a refusal what the endpoint wants otherwise.

        Args:
            param: the field that the error object names, or nothing. asked: the body that was refused.
        """
        if too_long(message):
            return
        plain = _OFFERED.sub("", message)
        named = _field(param)
        if self._limit(message, plain, named, asked) or self._one(plain, named, asked):
            return
        if not named and not _REFUSAL.search(plain):
            return
        found = [named] if named in asked else []
        spots = ((match.start(), name) for name in DROPPABLE if name in asked and (match := _NAMED[name].search(plain)))
        found = found or [name for _, name in sorted(spots)]
        if {"temperature", "top_p"} <= {*found, *([named] if named else [])} and _BOTH.search(plain):
            self.one_of_two = True
            self.tell("one_of_two", "it takes temperature or top_p, not both: the one that is 1 is left out")
        elif found and found[0] in DROPPABLE:
            self._drop(found[0], plain, asked)

    def _limit(self, message: str, plain: str, named: str, asked: Mapping[str, Any]) -> bool:
        """Learns that the limit of tokens has another name there."""
        other = "max_completion_tokens" in message and "max_tokens" in asked
        about = "max_tokens" in asked and (named == "max_tokens" or re.search(r"\bmax_tokens\b", plain))
        if not other and not (about and _UNKNOWN_FIELD.search(plain) and not _RANGE.search(plain)):
            return False
        self.limit_field = "max_completion_tokens"
        self.tell("max_tokens", "the limit of tokens goes out as max_completion_tokens")
        return True

    def _one(self, message: str, named: str, asked: Mapping[str, Any]) -> bool:
        """Learns that it gives one choice a call."""
        if "n" not in asked or not (named in ("n", "best_of", "candidateCount") or _ONE.search(message)):
            return False
        self.one_at_a_time = True
        self.tell("n", "it gives one answer a call: samples are asked for one by one")
        return True

    def _drop(self, name: str, message: str, asked: Mapping[str, Any]) -> None:
        value, most = asked[name], asked.get("top_logprobs", asked.get("logprobs"))
        if name in ("top_logprobs", "logprobs") and type(most) is int and most and self._bound(message, most):
            return
        bounded = _RANGE.search(message) and not _ONLY_DEFAULT.search(message)
        if name in NEUTRAL and bounded and value != NEUTRAL[name]:
            return  # the number is wrong there, not the field: to leave it out would change the data
        self.dropped.add(name)
        self.tell(f"drop {name}", f"it refuses {name}, which is left out: {EFFECTS[name]} ({message[:160]})")

    def _bound(self, message: str, value: int) -> bool:
        for found in _BOUND.finditer(message):
            most = int(found["number"]) if found["number"] else int(found["under"]) - 1
            most -= bool(found["open"])
            if 0 < most < value:
                self.most_alternatives = most
                self.tell("top_logprobs", f"it gives {most} alternatives a token at most, and is asked for those")
                return True
        return False


def _field(param: str) -> str:
    """Returns the name of a field from where an error says it is (``body.top_p``, ``generationConfig.topP``)."""
    last = re.split(r"[./\]\[]", param.strip().removesuffix("]"))
    word = next((part for part in last if part and not part.isdigit() and part not in ("body", "json")), "")
    return next((name for name, words in _NAMED.items() if words.fullmatch(word)), word)
