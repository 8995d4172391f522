import re
from html.parser import HTMLParser

import pytest

from tasks.reports._differences import marked
from tasks.reports._html import STYLE
from tasks.reports.figures import figures
from tasks.reports.version_page import version_page
from tests.support.pairs import pair, pairs

VOID = {"meta", "link", "br", "line", "path"}


def document():
    rows = pairs(*(pair(f"{i:02}", "w " * (i + 1), "w " * 9, margin=i / 7, source="ab"[i % 2]) for i in range(40)))
    shown = {
        "pair_id": "x1",
        "prompt": "a <b> & c",
        "chosen": "It is 4 <script>.",
        "rejected": "It is 5.",
        "margin": 1.0,
    }
    check = {"gate": "basics", "name": "pairs", "severity": "block", "success": False, "observed": 3.0,
             "allowed": ">= 9", "says": "there are enough pairs"}  # fmt: skip
    compared = {"a": "d@v1", "b": "d@v2", "rows": {"a": 1, "b": 2}, "added": 1, "removed": 0, "changed": 0,
                "statistics": [{"measure": "rows", "a": 1.0, "b": 2.0, "added": None, "removed": 0.5}]}  # fmt: skip
    return {
        "version": "d@v2", "status": "quarantined", "tags": ["best"], "cost": 1.5, "seconds": 10.0, "recipe": "simpo",
        "calls": {"asked": 5, "from_ledger": 0, "failed": 1}, "figures": figures(rows.lazy()),
        "resolved": {"about": "Best & worst", "source": "SimPO", "yaml": "name: simpo"},
        "funnel": [{"name": "prompts", "rows": 9}, {"name": "out: f", "rows": 2, "kind": "removed"}],
        "removed": {"f": {"too <long>": 2}}, "outcomes": {"j": {"valid": 8}},
        "comparisons": {"j": {"agreed": 3, "contradicted": 1}}, "costs": {"judgments of j": 1.5},
        "policies": [{"policy": "m", "chosen": 3, "rejected": 5}], "gates": [check, check | {"success": True}],
        "previous": compared, "examples": {"widest margin": [shown], "none": []},
    }  # fmt: skip


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.seen, self.text = [], [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return reader


def test_the_page_is_whole_escapes_what_it_shows_and_needs_nothing_else():
    reader = read(version_page(document()))
    assert "a <b> & c" in reader.text
    assert "too <long>" in reader.text
    tags = {tag for tag, _ in reader.seen}
    assert not tags & {"script", "img", "iframe", "object"}
    outside = [a for _, attrs in reader.seen for k, a in attrs.items() if k in ("href", "src") and a[:1] != "#"]
    assert outside == ["data:,"]


def test_every_part_is_there_linked_and_every_picture_tells_what_it_shows():
    reader = read(version_page(document()))
    ids = {attrs["id"] for _, attrs in reader.seen if "id" in attrs}
    assert ids == {"made", "plots", "judges", "gates", "previous", "read", "recipe"}
    assert {attrs["href"] for tag, attrs in reader.seen if tag == "a"} == {f"#{name}" for name in ids}
    pictures = [attrs for tag, attrs in reader.seen if tag == "svg"]
    assert len(pictures) == 7  # funnel, margin, lengths, comparisons, policies, source, cost
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in pictures)
    assert "1 of 2 checks passed" in reader.text


def test_what_is_not_known_is_left_out():
    reader = read(version_page({"version": "foreign"}))
    assert reader.text.count("foreign") == 2
    assert "None" not in reader.text


def test_differences_are_marked_word_by_word():
    assert marked("It is 4.", "It is 5.") == ("It is <ins>4</ins>.", "It is <del>5</del>.")
    assert marked("a <b>", "a <b>") == ("a &lt;b&gt;", "a &lt;b&gt;")
    assert marked("one two three", "vier fünf") == ("one two three", "vier fünf")
    long = "x " * 2000
    assert marked(long, "y")[0] == long


def contrast(one, other):
    def light(colour):
        full = colour if len(colour) == 6 else "".join(c * 2 for c in colour)
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("place", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(place):
    palette = dict(re.findall(r"--(\w+):#(\w+)", re.findall(r":root\{(.*?)\}", STYLE, re.DOTALL)[place]))
    for ink in ("ink", "soft", "good", "warn", "bar"):
        for back in ("back", "card"):
            assert contrast(palette[ink], palette[back]) >= 4.5, (ink, back)
    for mark in ("ins", "del"):
        assert contrast(palette["ink"], palette[mark]) >= 4.5
    assert contrast(palette["bar2"], palette["back"]) >= 3  # a picture's part


def test_a_row_that_is_no_pair_is_shown_with_its_numbers_and_a_long_text_can_be_scrolled_by_keys():
    texts = [
        {"name": "step 1", "facts": "label 0", "text": "2 + 2 = 5"},
        {"name": "step 2", "facts": "", "text": "x " * 999},
    ]
    row = {"row_id": "abc", "prompt": "2 + 2?", "texts": texts}
    reader = read(version_page({"version": "s@v1", "examples": {"picked at random": [row]}}))
    assert "step 1 · label 0" in reader.text
    boxes = [attrs for _, attrs in reader.seen if attrs.get("class") == "text long"]
    assert [(box["tabindex"], box["aria-label"]) for box in boxes] == [("0", "step 2")]


def test_what_judges_did_is_drawn_with_its_numbers_in_words():
    half = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 8}
    none = {"value": None, "low": None, "high": None, "n": 0}
    panel = {"judges": {"j": {"pairs": 8, "label": half, "longer": half, "first": none}},
             "agreement": [{"one": "j", "other": "k", **half}]}  # fmt: skip
    audit = {"judge": "j", "gold": "g", "items": 9, "accuracy": 0.75, "kappa": None, "order_agreement": 1.0,
             "position_bias": 0.0, "length_bias": -0.1}  # fmt: skip
    reader = read(version_page({"version": "d@v1", "panel": panel, "audits": [audit]}))
    told = [attrs["aria-label"] for tag, attrs in reader.seen if tag == "svg"]
    assert len(told) == 2
    assert all("j 50.0 % (40.0-60.0, n=8)" in line for line in told)
    assert "j and k" in reader.text
    assert "-10.0 %" in reader.text


def test_measures_stand_in_a_table_of_their_own():
    rows = [{"measure": "answer_entropy", "of": "nats", "value": 0.5, "n": 1234}]
    page = version_page(document() | {"measures": rows})
    assert 'id="measures"' in page
    for cell in ("answer entropy", "nats", "0.5", "1,234"):
        assert f">{cell}<" in page
    assert 'id="measures"' not in version_page(document())
