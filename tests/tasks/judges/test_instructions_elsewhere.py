"""M-IFEval's instructions in Spanish, French and Japanese, followed and not, and arguments of any form."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import assistant
from tasks.judges import _ifeval
from tasks.judges.instructions import instructions

ES = "La casa de mi abuela está en un pueblo pequeño cerca del mar y todos los veranos vamos allí."
FR = "La maison de ma grand-mère se trouve dans un petit village près de la mer et nous y allons chaque été."
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("es:keywords:frequency", {"relation": "como máximo", "keyword": "sol", "frequency": 1}, "El sol.", "Sol y sol."),
    ("es:keywords:letter_frequency", {"let_relation": "al menos", "letter": "ñ", "let_frequency": 1}, "Niño", "Nino"),
    (
        "es:length_constraints:number_words",
        {"relation": "al menos", "num_words": 3},
        "1. uno dos\n2. tres",
        "- uno\n- dos",
    ),
    (
        "es:length_constraints:number_sentences",
        {"relation": "como máximo", "num_sentences": 2},
        "El Sr. Paz vive. ¿Sí?",
        "Uno. Dos. Tres.",
    ),
    (
        "es:length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "first_word": "Diría que", "nth_paragraph": 2},
        "Uno.\n\n¡Bien!".replace("¡Bien!", "Diría, que no."),
        "Diría que no.\n\nDos.",
    ),
    ("es:detectable_content:postscript", {"postscript_marker": "P.D."}, "Adiós.\nP. D. Vuelve", "Adiós. PD vuelve"),
    ("es:detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n  * b\n- c", "* a\n** b"),
    ("es:detectable_format:constrained_response", {}, "Quizás.", "Quizás"),
    ("es:startend:end_checker", {"end_phrase": "Un saludo"}, "Adiós. Un saludo.", "Un saludo. Adiós"),
    (
        "es:change_case:capital_word_frequency",
        {"capital_relation": "al menos", "capital_frequency": 2},
        "EL SOL sale",
        "El SOL",
    ),
    ("es:change_case:spanish_capital", {}, ES.upper(), ES),
    ("es:change_case:spanish_lowercase", {}, ES.lower(), ES),
    ("es:punctuation:question_marks", {}, "Dime, ¿vienes?", "Dime, vienes?"),
    ("es:punctuation:exclamation_marks", {}, "¡Hola!", "¡ !"),
    ("es:special_character:enie", {"let_frequency": 2}, "El niño Ñu", "El niño"),
    ("es:special_character:dieresis", {"let_frequency": 1}, "pingüino", "pinguino"),
    ("es:special_character:tildes", {"relation": "como máximo", "num_words": 1}, "Está aqui", "Está aquí"),
    ("fr:keywords:frequency", {"relation": "moins de", "keyword": "mer", "frequency": 2}, "La mer.", "Mer et mer."),
    (
        "fr:length_constraints:number_sentences",
        {"relation": "moins de", "num_sentences": 3},
        "M. Paul dort. Et toi ?",
        "Un. Deux. Trois.",
    ),
    ("fr:detectable_format:constrained_response", {}, "Peut-être.", "Sans doute."),
    ("fr:detectable_format:title", {}, "##Le titre##\nTexte", "# Le titre"),
    ("fr:detectable_content:postscript", {"postscript_marker": "p.-s."}, "Adieu\nP.-S. encore", "Adieu PS encore"),
    (
        "fr:change_case:capital_word_frequency",
        {"capital_relation": "au moins", "capital_frequency": 1},
        "L'ESPOIR",
        "L'espoir",
    ),
    ("fr:change_case:french_capital", {}, FR.upper(), FR),
    ("fr:change_case:french_lowercase", {}, FR.lower(), FR),
    ("fr:special_character:ethel_or_cedilla", {"forbidden_char": "œ"}, "coeur", "CŒUR"),
    ("fr:special_character:no_accents", {}, "a bientot", "à bientôt"),
    ("fr:special_character:accents", {"word_to_accentuate": {"ecole": "école", "a": "à"}}, "à l'École", "a l'école"),
    ("fr:detectable_content:informal_address", {}, "Comment vas-tu ?", "Comment allez-vous ?"),
    ("fr:detectable_content:no_digits", {}, "trois", "3"),
    ("fr:startend:quotation", {}, "« Bonjour »", "« Bonjour » dit-il"),
    ("ja:keywords:existence", {"keywords": ["夢", "現実"]}, "夢と現実", "夢"),
    ("ja:keywords:forbidden_words", {"forbidden_words": ["健康"]}, "元気", "健康"),
    ("ja:keywords:frequency", {"relation": "以上", "keyword": "夢", "frequency": 2}, "夢の夢", "夢"),
    ("ja:keywords:letter_frequency", {"let_relation": "以上", "letter": "し", "let_frequency": 2}, "しシ", "し"),
    (
        "ja:length_constraints:number_sentences",
        {"relation": "未満", "num_sentences": 3},
        "晴れ。「行こう！」と言った。",
        "一。二。三。",
    ),
    ("ja:length_constraints:number_letters", {"relation": "未満", "num_letters": 3}, "夢だ", "夢です"),
    (
        "ja:length_constraints:nth_paragraph_first_word",
        {"first_word": "愛", "num_paragraphs": 2, "nth_paragraph": 2},
        "夢\n\n「愛は",
        "愛\n\n夢",
    ),
    ("ja:detectable_format:number_bullet_lists", {"num_bullets": 2}, "・一\n・二", "・一\n・・二"),
    ("ja:detectable_format:number_numbered_lists", {"num_items": 2}, "1. 一\n2. 二", "1. 一\n2.二"),
    ("ja:detectable_format:constrained_response", {}, "はい、そうです。", "はい。"),
    ("ja:detectable_format:number_highlighted_sections", {"num_highlights": 2}, "《一》《二》", "《一》《 》"),
    (
        "ja:detectable_format:multiple_sections",
        {"section_spliter": "章", "num_sections": 2},
        "第1章 一 第２章 二",
        "第1章",
    ),
    ("ja:detectable_format:title", {}, "『夢』\n話", "『』\n話"),
    ("ja:detectable_format:nominal_ending", {"count": 2}, "これは夢。京都の町並み。", "これは夢です。それは夢。"),
    ("ja:startend:end_checker", {"end_phrase": "ございますか。"}, "「質問はございますか。」", "ございますか。はい"),
    ("ja:startend:sentence_unified_end", {"ending": "ます"}, "行きます。「いや。」と言います。", "行きます。見た。"),
    ("ja:startend:quotation", {}, "「夢」", "「夢」だ"),
    ("ja:letters:furigana", {}, "夢（ゆめ）を見（み）る", "夢を見（み）る"),
    ("ja:letters:kansuuji", {}, "三人", "３人"),
    ("ja:letters:no_katakana", {}, "ゆめ", "ユメ"),
    ("ja:letters:katakana_only", {}, "ユメ、ダ。", "ユメだ"),
    ("ja:letters:no_hiragana", {}, "夢", "夢だ"),
    ("ja:letters:hiragana_only", {}, "ゆめー。", "夢"),
    ("ja:letters:kanji", {"relation": "以上", "kanji_limit": 2}, "夢現", "夢"),
    ("ja:punctuation:no_comma", {}, "夢。", "夢、"),
    ("ja:punctuation:no_period", {}, "夢、", "夢。"),
]


@pytest.mark.parametrize(
    ("kind", "arguments", "good", "bad"), CASES, ids=[f"{i} {case[0]}" for i, case in enumerate(CASES)]
)
def test_an_instruction_tells_followed_from_not_followed(kind: str, arguments: Any, good: str, bad: str) -> None:
    assert _ifeval.follows(good, kind, arguments)
    assert not _ifeval.follows(bad, kind, arguments)
    assert not _ifeval.follows(" ", kind, arguments, loose=True)


def test_every_kind_of_three_languages_is_known() -> None:
    counts = {language: sum(kind.startswith(language) for kind in _ifeval.ALL) for language in ("es:", "fr:", "ja:")}
    assert counts == {"es:": 30, "fr:": 30, "ja:": 33}
    assert _ifeval.follows("no comma", "en:punctuation:no_comma", {})


@pytest.mark.parametrize("text", ["YES", "HELLO WORLD", "PIZZA", "GO TEAM!", "I AM"])
def test_a_few_words_in_capitals_are_english_capitals(text: str) -> None:
    assert _ifeval.follows(text, "change_case:english_capital", {})


def test_a_sentence_in_capitals_of_another_language_is_none() -> None:
    assert not _ifeval.follows("DAS IST EIN DEUTSCHER SATZ", "change_case:english_capital", {})
    assert not _ifeval.follows(FR.upper(), "change_case:english_capital", {})


def one(text: str, kind: Any, arguments: Any, **more: Any) -> dict[str, Any]:
    prompt = {"tests": json.dumps({"instruction_id_list": [kind], "kwargs": [arguments]})}
    (row,) = instructions(prompt, [{"completion_id": "c", "messages": assistant(text), "finish_reason": "stop"} | more])
    return row


@pytest.mark.parametrize(
    ("kind", "arguments", "text", "score"),
    [
        ("keywords:existence", {"keywords": ["[b"]}, "a [b c", 1.0),
        ("keywords:existence", {"keywords": ["a.c"]}, "abc", 0.0),
        ("keywords:frequency", {"keyword": "(", "frequency": 2}, "((", 1.0),
        ("keywords:forbidden_words", {"forbidden_words": ["C++"]}, "I like C++.", 0.0),
        ("keywords:forbidden_words", {"forbidden_words": ["*"]}, "no star", 1.0),
        ("detectable_content:postscript", {"postscript_marker": "P.S[("}, "p.s[( more", 1.0),
        ("detectable_format:multiple_sections", {"section_spliter": "Part (", "num_sections": 1}, "Part (1", 1.0),
    ],
)  # fmt: skip
def test_words_of_the_data_are_taken_literally(kind: str, arguments: Any, text: str, score: float) -> None:
    assert one(text, kind, arguments)["score"] == score


def test_an_empty_answer_follows_nothing_and_one_that_was_refused_is_not_judged() -> None:
    row = one("", "punctuation:no_comma", {}, finish_reason="empty")
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    prompt = {"tests": json.dumps({"instruction_id_list": ["punctuation:no_comma"]})}
    assert instructions(prompt, [{"completion_id": "c", "messages": assistant(""), "finish_reason": "refused"}]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6,
)  # fmt: skip
NAMES = sorted(
    {name for _, arguments, _, _ in CASES for name in arguments} | {"keywords", "language", "num_placeholders"}
)


@settings(max_examples=200)
@given(kind=st.sampled_from(sorted(_ifeval.ALL)), text=st.text(max_size=30), values=st.dictionaries(
    st.sampled_from(NAMES), JSON, max_size=6))  # fmt: skip
def test_arguments_of_any_form_are_followed_or_named(kind: str, text: str, values: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError):
        assert _ifeval.follows(text, kind, values, loose=True) in (True, False)
