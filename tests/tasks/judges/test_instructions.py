"""Every kind of IFEval instruction, followed and not, with the arguments of the published prompts."""

import json
import time

import pytest

from schemas.messages import assistant
from tasks.judges import _ifeval, _sentences
from tasks.judges.instructions import instructions, read

EN = "The quick brown fox jumps over the lazy dog and runs away into the forest. "
MR = "माझे नाव राम आहे आणि मी पुण्यात राहतो. मला मराठी भाषा खूप आवडते आणि मी रोज वाचतो."

CASES = [
    (
        "keywords:existence",
        {"keywords": ["correlated", "experiencing"]},
        "Correlated with EXPERIENCING it.",
        "Nothing.",
    ),
    ("keywords:frequency", {"relation": "at least", "keyword": "war", "frequency": 2}, "War and warm", "War"),
    ("keywords:frequency", {"relation": "less than", "keyword": "war", "frequency": 2}, "War", "War and warm"),
    ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "rocks are fine", "A rock."),
    (
        "keywords:letter_frequency",
        {"let_relation": "at least", "letter": "q", "let_frequency": 2},
        "Quick question",
        "q",
    ),
    ("keywords:letter_frequency", {"let_relation": "less than", "letter": "!", "let_frequency": 2}, "Hi!", "Hi!!"),
    ("language:response_language", {"language": "mr"}, MR, EN),
    ("length_constraints:number_sentences", {"relation": "less than", "num_sentences": 3}, "One. Two.", "A. B? C! D."),
    ("length_constraints:number_sentences", {"relation": "at least", "num_sentences": 2}, EN * 2, EN),
    ("length_constraints:number_words", {"relation": "at least", "num_words": 3}, "one two-three", "one two"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n\n***\n\nb", "a\n\nb"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a *** b ***", "a *** *** b"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"first_word": "President", "num_paragraphs": 2, "nth_paragraph": 2},
        'One.\n\n"president\'s men" are here',
        "President.\n\nOne",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"first_word": "one", "num_paragraphs": 1, "nth_paragraph": 1},
        "One, two",
        "One\n\ntwo",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] of [address]", "[name] of [addr\ness]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye\nP. S. More", "Bye PS more"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "Bye\nP.P.S more", "Bye P.S. more"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n\n  - b\n**c**", "* a\n* b\n* c"),
    ("detectable_format:constrained_response", {}, "  My answer is maybe.", "Maybe."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and ** **"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "**a**", "none"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1 a SECTION 2 b",
        "SECTION 1 a",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<poem of joy>>\ntext", "<< >>\n<poem>"),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:two_responses", {}, "******one******two", "one ****** ****** two"),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Write an email to my boss"},
        " write an email to my boss\nDear",
        "Dear",
    ),
    (
        "startend:end_checker",
        {"end_phrase": "Is there anything?"},
        'So. "is there anything?" ',
        "Is there anything? No",
    ),
    ("startend:quotation", {}, '"all of it"', '"some" of it'),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "less than", "capital_frequency": 3},
        "I AM here",
        "I AM HERE",
    ),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "at least", "capital_frequency": 2},
        "The U.S. and the UK-EU",
        "The U.S.",
    ),
    ("change_case:english_capital", {}, EN.upper(), EN),
    ("change_case:english_lowercase", {}, EN.lower(), EN),
    ("punctuation:no_comma", {}, "no; none", "one, two"),
]


@pytest.mark.parametrize(
    ("kind", "given", "good", "bad"), CASES, ids=[f"{i} {case[0]}" for i, case in enumerate(CASES)]
)
def test_an_instruction_tells_followed_from_not_followed(kind, given, good, bad):
    assert _ifeval.follows(good, kind, given)
    assert not _ifeval.follows(bad, kind, given)


def test_all_twenty_five_kinds_are_there_and_tested():
    assert len(_ifeval.CHECKS) == 25
    assert {case[0] for case in CASES} == set(_ifeval.CHECKS)


@pytest.mark.parametrize("kind", sorted(_ifeval.CHECKS))
def test_a_blank_text_follows_nothing(kind):
    given = next(case[1] for case in CASES if case[0] == kind)
    assert not _ifeval.follows(" \n ", kind, given)
    assert not _ifeval.follows(" \n ", kind, given, loose=True)


@pytest.mark.parametrize(
    ("text", "kind", "given"),
    [
        ("Sure, here it is:\nno comma here", "punctuation:no_comma", {}),
        ("no comma here\nHope that helps, bye", "punctuation:no_comma", {}),
        ("Sure, this:\nno comma here\nHope that helps, bye", "punctuation:no_comma", {}),
        ("**My answer is yes.**", "startend:end_checker", {"end_phrase": "my answer is yes."}),
    ],
)
def test_the_loose_reading_forgives_first_and_last_lines_and_asterisks(text, kind, given):
    assert not _ifeval.follows(text, kind, given)
    assert _ifeval.follows(text, kind, given, loose=True)


def one(text, kinds, kwargs, finish="stop", **settings):
    prompt = {"tests": json.dumps({"instruction_id_list": kinds, "kwargs": kwargs})}
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": finish}
    (row,) = instructions(prompt, [completion], **settings)
    return row


TWO = (["punctuation:no_comma", "startend:quotation"], [{}, {"unused": None}])


def test_every_instruction_must_be_followed():
    assert one('"all of it"', *TWO)["score"] == 1.0
    row = one("all of it", *TWO)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"] == "not followed: startend:quotation"
    assert json.loads(row["meta"]) == {"kinds": TWO[0], "strict": [True, False], "loose": [True, False]}


def test_the_score_may_be_the_share_that_is_followed():
    assert one("all of it", *TWO, score="share")["score"] == 0.5


def test_the_loose_reading_is_a_parameter():
    text = "Sure, here:\nno comma"
    assert one(text, ["punctuation:no_comma"], [{}])["score"] == 0.0
    assert one(text, ["punctuation:no_comma"], [{}], reading="loose")["score"] == 1.0


def test_a_cut_completion_that_fails_is_truncated():
    assert one("all of", *TWO, finish="length")["outcome"] == "truncated"
    assert one('"all of"', *TWO, finish="length")["score"] == 1.0


@pytest.mark.parametrize(
    ("tests", "part"),
    [
        ("{}", "no instruction_id_list"),
        ('{"instruction_id_list": ["punctuation:no_comma"], "kwargs": []}', "sets of arguments"),
    ],
)
def test_tests_of_another_form_are_refused(tests, part):
    if part == "sets of arguments":
        tests = '{"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}, {}]}'
    with pytest.raises(ValueError, match=part):
        read(tests)


def test_an_unknown_kind_and_missing_arguments_are_named():
    with pytest.raises(ValueError, match="'fr:special_character:tildes' is no instruction"):
        _ifeval.follows("x", "fr:special_character:tildes", {})
    with pytest.raises(ValueError, match="num_words"):
        _ifeval.follows("x", "length_constraints:number_words", {})
    with pytest.raises(ValueError, match="the relation is 'more than'"):
        _ifeval.follows("x", "length_constraints:number_words", {"relation": "more than", "num_words": 1})


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", 0),
        ("One", 1),
        ("Dr. Smith met J. Doe at 5 p.m. sharp. Was it late? Yes!", 3),
        ("Wait... what? No... The end.", 3),
        ("1. Buy milk\n2. Go home", 3),
        ('He said "Stop." She did not.', 2),
        ("Version 3.5 costs $4.99 e.g. here.", 1),
    ],
)
def test_sentences_are_counted_as_punkt_does(text, sentences):
    assert _sentences.count(text) == sentences


@pytest.mark.parametrize("kind", sorted(_ifeval.CHECKS))
@pytest.mark.parametrize("letter", ["[", "\n", ".", "*", "<", "a", " "])
def test_no_text_makes_a_check_slow(kind, letter):
    text = letter * 200_000 + "x"
    given = next(case[1] for case in CASES if case[0] == kind)
    started = time.process_time()
    _ifeval.follows(text, kind, given)
    assert time.process_time() - started < 2
