import pytest

from tasks.selectors.over_bar import over_bar
from tests.support.scored import one, places


def made(teacher, students, **chosen):
    tables = one([teacher, *students], policy=["gpt", *["own"] * len(students)])
    found = over_bar(*tables, teacher="gpt", **chosen)
    return list(zip(found["level"], places(found), strict=True))


def test_a_good_teacher_and_a_good_student_beat_what_is_clearly_worse():
    found = made(6, [5, 4, 3, 2, 1])
    assert [level for level, _ in found].count("T>S") == 4
    assert [level for level, _ in found].count("S>S") == 4
    assert len(found) == 8
    assert (0, 1) not in [pair for _, pair in found]  # 6 over 5 is a gap of one: too little for the teacher


def test_a_student_may_beat_the_teacher_by_one():
    assert made(4, [5, 3]) == [("S>T", (1, 0)), ("S>S", (1, 2))]


def test_nobody_is_good_enough():
    assert made(4, [4, 1]) == []


def test_without_a_teacher_all_are_students():
    found = over_bar(*one([6, 5, 4]))
    assert found["level"].to_list() == ["S>S"] * 3


def test_gaps_are_above_nought():
    with pytest.raises(ValueError, match="own_gap 0"):
        made(6, [5], own_gap=0.0)
