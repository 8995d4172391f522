import json

import pytest

from schemas.messages import assistant
from tasks.judges.language import language

ENGLISH = "The trousers cost twice as much as the shirt, so together they come to sixty dollars."
GERMAN = "Die Hose kostet doppelt so viel wie das Hemd, zusammen also sechzig Dollar für beide Stücke."
BENGALI = "প্যান্টের দাম শার্টের দ্বিগুণ, তাই দুটি মিলিয়ে ষাট ডলার লাগে।"
JAPANESE = "ズボンはシャツの二倍の値段なので、合わせて六十ドルになります。"


def one(text, wanted=None, prompt_language=None, **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": "stop"}
    (row,) = language({"language": prompt_language}, [completion], wanted=wanted, **settings)
    return row


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (BENGALI, "bn"), (JAPANESE, "ja")])
def test_a_text_is_in_its_own_language_and_in_no_other(text, code):
    assert one(text, code)["score"] == 1.0
    assert one(text, "fr")["score"] == 0.0
    assert one(text, "fr")["rationale"] == code
    assert json.loads(one(text, "fr")["meta"])["probability"] > 0.5


def test_the_prompt_says_which_language_is_wanted():
    assert one(GERMAN, prompt_language="de-AT")["score"] == 1.0


def test_code_and_links_are_no_language():
    assert one(f"{GERMAN}\n```python\n{ENGLISH * 5}\n```\nhttps://example.org/the/english/page", "de")["score"] == 1.0


def test_paragraphs_can_be_counted_each():
    share = one(f"{GERMAN}\n\n{ENGLISH}", "de", by="paragraph")["score"]
    letters = [sum(letter.isalpha() for letter in text) for text in (GERMAN, ENGLISH)]
    assert share == pytest.approx(letters[0] / sum(letters))


@pytest.mark.parametrize("text", ["42", "", "Ja.", "```\nall of it is code, every single line of it\n```"])
def test_too_few_letters_are_no_verdict(text):
    assert one(text, "de")["outcome"] == "unparsable"


@pytest.mark.parametrize("wanted", [None, "klingon"])
def test_a_language_must_be_wanted_and_known(wanted):
    with pytest.raises(ValueError, match="the wanted language is"):
        one(ENGLISH, wanted)
