import pytest

from tasks.filters.language_is import language_is
from tasks.texts.languages import identifier
from tests.support.pairs import pair, pairs, removed

ENGLISH = "The weather was lovely yesterday and so we went for a long walk along the river."
GERMAN = "Gestern war das Wetter herrlich, und wir machten einen langen Spaziergang am Fluss entlang."


def test_a_text_in_another_language_goes_and_is_named():
    rows = pairs(pair("1", ENGLISH, GERMAN), pair("2", ENGLISH, ENGLISH), pair("3", "Ja, gerne!", "Nein"))
    found = language_is(rows, languages=["en"])
    assert removed(found) == {"1": "rejected in another language"}
    assert found["value"][0].startswith("de ")
    assert removed(language_is(rows, languages=["en", "de"])) == {}
    assert removed(language_is(rows, languages=["de"], of="rejected")) == {"2": "rejected in another language"}


def test_code_and_links_do_not_count():
    rows = pairs(pair("1", f"```\n{GERMAN}\n```\n{ENGLISH} https://a.de/{'x' * 50}"))
    assert language_is(rows, languages=["en"]).height == 0


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="cannot tell the language"):
        language_is(pairs(), languages=["klingon"])


def test_what_goes_is_what_the_package_says_of_each_text():
    texts = [f"{ENGLISH[:cut]} {GERMAN[: 90 - cut]}" for cut in range(90)] + [ENGLISH, GERMAN, GERMAN]
    rows = pairs(*(pair(str(place), text) for place, text in enumerate(texts)))
    expected = {}
    for place, text in enumerate(texts):
        name, p = identifier().classify(text)
        if name != "en" and p >= 0.6:
            expected[str(place)] = f"{name} {p:.3f}"
    found = language_is(rows, languages=["en"], of="chosen", least_letters=5, least_probability=0.6)
    assert dict(found.select("row_id", "value").iter_rows()) == expected
    assert 3 < len(expected) < len(texts)
