import re

from schemas.messages import assistant, to_rows
from tasks.reports._lineage_svg import lineage_drawing

PAIR = {
    "pair_id": "abcdef0123456789", "chosen_id": "c1", "rejected_id": "c2", "prompt": to_rows("Why <b>?"), "margin": 0.5,
    "chosen": assistant("Because."), "rejected": assistant("No idea."), "recipe": "mine", "run_id": "r1",
}  # fmt: skip


def answer(name):
    scores = [{"scorer": "mean", "criterion": "good", "score": 2.5}]
    return {"policy": name, "completion_tokens": 7, "logprob": -1.25, "scores": scores}


def drawn(**more):
    judgments = [{"judge": "j", "outcome": "valid", "score": 3.0, "about": ["chosen"]}] * 2
    judgments += [{"judge": "k", "outcome": "refused", "score": None, "about": ["chosen", "rejected"]}]
    judgments += [{"judge": "k", "outcome": "valid", "score": None, "winner": "c2", "about": ["chosen", "rejected"]}]
    found = {"pair": PAIR, "prompt": {"source": "a file"}, "run": {"run_id": "r1"}, "chosen": answer("m1"),
             "rejected": answer("m2"), "judgments": judgments, "cost": 0.25,
             "versions": [{"name": f"d@v{i}"} for i in range(1, 9)]} | more  # fmt: skip
    return lineage_drawing(found)


def test_everything_behind_a_pair_is_in_the_drawing_and_in_its_words():
    svg = drawn()
    label = re.search(r'aria-label="([^"]+)"', svg)
    assert label
    for text in ("Why &lt;b&gt;?", "m1, 7 tokens, log-probability -1.25", "j: valid, score 3 ×2", "k: refused",
                 "k: valid, for the rejected",
                 "mean, good: 2.5", "margin 0.5", "$0.2500 for its answers and judgments", "d@v1",
                 "… and 3 more"):  # fmt: skip
        assert text in svg, text
        assert text in label[1], text
    assert "d@v7" not in svg


def test_what_is_not_in_the_lake_says_so():
    svg = drawn(chosen=None, rejected=None, judgments=[], prompt=None, run=None, cost=None)
    assert svg.count(">its row is not in the lake<") == 2
    assert "None" not in svg


def test_no_box_lies_on_another():
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', drawn())
    ]
    for i, (x, y, wide, high) in enumerate(boxes):
        for left, top, w, h in boxes[i + 1 :]:
            assert x + wide <= left or left + w <= x or y + high <= top or top + h <= y
