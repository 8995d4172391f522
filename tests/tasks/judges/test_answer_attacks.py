"""Replies that win a reward without solving anything, against every rule that reads an answer."""

import pytest

from schemas.messages import assistant
from tasks.judges.exact import exact
from tasks.judges.math import math
from tasks.judges.numeric import numeric

reward_doctor = pytest.importorskip("reward_doctor")


def scored(rule, case, **settings):
    completion = {"completion_id": "c", "messages": assistant(case.completion), "finish_reason": "stop"}
    (row,) = rule({"reference": case.reference}, [completion], **settings)
    return row["score"]


@pytest.mark.parametrize("rule", [math, exact, numeric])
def test_no_exploit_is_accepted(rule):
    accepted = [case.id for case in reward_doctor.load() if not case.expect and scored(rule, case) == 1.0]
    assert accepted == []


@pytest.mark.parametrize(("rule", "settings"), [(math, {}), (numeric, {"relative": 1e-6})])
def test_no_right_answer_is_labelled_wrong(rule, settings):
    wrong = [case.id for case in reward_doctor.load() if case.expect and scored(rule, case, **settings) == 0.0]
    assert wrong == []


def test_right_answers_in_other_forms_are_right():
    cases = [case for case in reward_doctor.load() if case.expect]
    missed = [case.id for case in cases if scored(math, case) != 1.0]
    assert len(missed) / len(cases) < 0.03, missed
