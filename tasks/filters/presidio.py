"""Personal data by Presidio: takes out pairs that hold names, places, account numbers and more, by its recognisers.

Source: Microsoft Presidio (the library presidio-analyzer); a spaCy pipeline finds names and places.

Use it where names count and ``personal_data``, which knows patterns alone, is not enough. It is bad at speed (two to
four hundred texts a second, fewer with a pipeline) and takes every name for a person's, invented ones among them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import polars as pl

from schemas.blocks import row_filter
from schemas.errors import MissingExtraError
from tasks.filters._texts import removals, sides, spoken


@row_filter(extra=("presidio_analyzer", "privacy"))
def presidio(
    preferences: pl.DataFrame,
    *,
    of: Literal["prompt", "chosen", "rejected", "either", "all"] = "all",
    entities: tuple[str, ...] = (),
    pipeline: str | None = None,
    language: str = "en",
    least: float = 0.5,
) -> pl.DataFrame:
    """Returns the removals of pairs that hold personal data: row_id, the entity and where; ``value`` is masked.

    Args:
        entities: Presidio's names, such as PERSON or IBAN_CODE; all it knows for the language where there are none.
        pipeline: a spaCy pipeline that is installed, or its folder. Without one only patterns are recognised: no names.
        least: score from which a find counts.

    Raises:
        MissingExtraError: presidio-analyzer is not installed.
        ValueError: the pipeline is not installed, or an entity is unknown.
    """
    engine = _engine(pipeline, language)
    known = set(engine.get_supported_entities(language))
    strange = sorted(set(entities) - known)
    if strange:
        raise ValueError(f"Presidio knows no entity {strange[0]!r} here; it knows {', '.join(sorted(known))}")
    rows = preferences.select(row_id="pair_id", **{side: spoken(side) for side in sides(of)})
    parts = [pl.DataFrame(schema={"row_id": pl.String, "reason": pl.String, "value": pl.String})]
    for side in sides(of):
        texts = rows[side].unique(maintain_order=True).to_list()
        found = {text: _first(engine, text, entities, language, least) for text in texts}
        hits = [found[text] for text in rows[side]]
        reason = [hit and f"{hit[0]} in the {side}" for hit in hits]
        parts.append(
            rows.select(
                "row_id", reason=pl.Series(reason, dtype=pl.String),
                value=pl.Series([hit and hit[1] for hit in hits], dtype=pl.String),
            )
        )  # fmt: skip
    return removals(pl.concat(parts))


def _first(engine: Any, text: str, entities: tuple[str, ...], language: str, least: float) -> tuple[str, str] | None:
    """Returns the surest find in a text, the first of equal ones: its entity, and its first two letters."""
    finds = engine.analyze(text, language=language, entities=list(entities) or None, score_threshold=least)
    if not finds:
        return None
    best = min(finds, key=lambda find: (-find.score, find.start, find.entity_type))
    size = best.end - best.start
    return best.entity_type, text[best.start : best.start + 2] + "*" * max(0, size - 2)


@lru_cache(maxsize=2)
def _engine(pipeline: str | None, language: str) -> Any:
    try:
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError as error:
        raise MissingExtraError("presidio-analyzer", "privacy") from error
    try:
        loaded = spacy.load(pipeline) if pipeline else spacy.blank(language)
    except (OSError, ImportError) as error:
        raise ValueError(f"spaCy has no pipeline {pipeline or language!r}: install it, or give its folder") from error
    offline = tldextract.TLDExtract(suffix_list_urls=())  # else it asks the network for a list that it also holds
    tldextract.tldextract.TLD_EXTRACTOR = offline
    engine = SpacyNlpEngine(models=[{"lang_code": language, "model_name": pipeline or "blank"}])
    engine.nlp = {language: loaded}  # it would download what it does not find
    return AnalyzerEngine(nlp_engine=engine, supported_languages=[language])
