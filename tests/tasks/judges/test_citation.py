import json

import pytest

from schemas.messages import assistant
from tasks.judges.citation import citation

DOCUMENTS = [
    {"id": "1", "text": "The Eiffel Tower was completed in 1889 and stands 330 metres tall in Paris."},
    {"id": "2", "text": "Gustave Eiffel's company designed and built the tower for the World's Fair."},
    {"id": "doc-a", "text": "Visitors pay for the lift; the stairs to the second floor are cheaper."},
]


def one(text, documents=DOCUMENTS, finish="stop", **settings):
    completion = {"completion_id": "c", "messages": assistant(text), "finish_reason": finish}
    (row,) = citation({"tests": json.dumps(documents)}, [completion], **settings)
    return row


@pytest.mark.parametrize(
    "text",
    [
        "The Eiffel Tower was completed in 1889 [1].",
        "It stands 330 metres tall in Paris. [1]",
        "The company of Gustave Eiffel designed the tower [2], completed in 1889 [1].",
        "The tower was completed for the World's Fair in 1889 [1, 2].",
        "Visitors pay for the lift [doc-a].",
        "See [this page](http://example.org) and [note]. The tower stands in Paris [1].",
        'The text says "the stairs to the second floor are cheaper" [doc-a].',
    ],
)
def test_citations_that_exist_and_support_are_right(text):
    row = one(text)
    assert (row["outcome"], row["score"], row["rationale"]) == ("valid", 1.0, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The tower stands in Paris [7].", "[7] does not exist"),
        ("The Eiffel Tower was completed in 1899 [1].", "1899 is not in what it cites"),
        ("Penguins breed during the antarctic winter months [2].", "0% of the words of"),
        ('Visitors pay: "the stairs to the top floor are cheaper" [doc-a].', "the quotation 'the stairs to the top"),
        ("The tower stands in Paris.", "it cites nothing"),
    ],
)
def test_citations_that_do_not_are_wrong_and_say_why(text, why):
    row = one(text)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"].startswith(why)


def test_precision_and_recall_are_counted_by_sentence():
    text = "The Eiffel Tower was completed in 1889 [1]. It was completed in 1999 [1]. Nobody knows much more. Nor do I."
    meta = json.loads(one(text)["meta"])
    assert (meta["cited"], meta["precision"], meta["recall"]) == (2, 0.5, 0.25)
    assert one(text, score="f1")["score"] == pytest.approx(1 / 3)


def test_a_share_of_the_sentences_can_be_demanded():
    text = "The Eiffel Tower was completed in 1889 [1]. Nobody knows much more."
    assert one(text)["score"] == 1.0
    row = one(text, min_recall=0.6)
    assert (row["score"], row["rationale"]) == (0.0, "too few sentences are cited")


def test_documents_come_as_texts_or_by_id():
    text = "The tower stands in Paris [1]."
    for documents in (
        ["Tower in Paris stands."],
        {"1": "Tower in Paris stands."},
        {"documents": ["Tower in Paris stands"]},
    ):
        assert one(text, documents)["score"] == 1.0
    with pytest.raises(ValueError, match="no documents"):
        one(text, [])


def test_a_cut_text_without_a_citation_is_truncated():
    assert one("The tower stands in Paris", finish="length")["outcome"] == "truncated"
    assert one("The tower stands in Paris [7].", finish="length")["score"] == 0.0
