import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.texts import languages
from tasks.texts.languages import identifier, likeliest

SAID = [
    "The weather was lovely yesterday. ", "Gestern war das Wetter herrlich. ", "今天天气很好。", "Привет, как дела? ",
    "Ceci n'est pas une pipe. ", "Данас је леп дан. ", "GROSS UND LAUT ", "\u0301e", "1 2 3 ", "\x00", "x",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(SAID) | st.text(max_size=20), max_size=8).map("".join)


@given(st.lists(TEXT, max_size=6), st.floats(0, 1))
def test_many_at_once_are_named_as_each_alone(texts, bound):
    found = likeliest(texts, bound=bound)
    alone = [identifier().classify(text) for text in texts]
    assert found.names.tolist() == [name for name, _ in alone]
    shown = [(own, p) for own, (_, p) in zip(found.probabilities, alone, strict=True) if p >= bound]
    assert [f"{own:.3f}" for own, _ in shown] == [f"{p:.3f}" for _, p in shown]
    assert [p >= bound for p in found.probabilities] == [p >= bound for _, p in alone]
    assert found.probabilities == pytest.approx([p for _, p in alone], abs=3e-5)


def test_only_the_beginning_counts_and_portions_do_not(monkeypatch):
    texts = [SAID[place % 4] * (place * 3 + 1) for place in range(40)]
    texts.append(SAID[0] * 100 + SAID[1] * 1000)  # English for 3,400 characters
    whole = likeliest(texts)
    assert whole.names[-1] == "en"
    assert whole.names[:4].tolist() == ["en", "de", "zh", "ru"]
    monkeypatch.setattr(languages, "BYTES", 500)
    monkeypatch.setattr(languages, "TEXTS", 3)
    parts = likeliest(texts)
    assert parts.names.tolist() == whole.names.tolist()
    assert parts.probabilities == pytest.approx(whole.probabilities, abs=1e-7)
