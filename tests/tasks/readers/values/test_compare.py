"""Which short answers are right, wrong, or not known."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.readers.values import Comparison, canonical, compare, readable, second_answer, verify

RIGHT = r"""
4x+2y=10 | 2x+y=5
y = 3x-2 | 3x-y-2=0
\frac{1}{7} | \frac{3}{21}
0.25 | 25\%
5 | 5\%
\begin{bmatrix}7&8\\9&1\end{bmatrix} | \begin{pmatrix} 7 & 8 \\ 9 & 1 \end{pmatrix}
9, 4 | 4 \text{ or } 9
x = 2 or x = 6 | 6, 2
4 \text{ and } 9 | 9, 4
√11 | \sqrt{11}
75° | 75
12\text{ m}^3 | 12
3 kg\cdot m/s^2 | 3 N
4\,\mu m | 4
5\,\Omega | 5 ohm
100 cm | 1 m
60 mph | 60 miles per hour
\$2{,}460 | 2460
3.1e12 | 3.1\times 10^{12}
6! | 720
-1<x<4.5 | (-1,4.5)
x<1 \text{ or } x>3 | (-\infty,1)\cup(3,\infty)
4 \le x \le 9 | x \in [4,9]
¾ | 0.75
x² | x^2
৪৫ | 45
٣٫٥ | 3.5
१२ | 12
７ | 7
2万 | 20000
9223372036854775811 | 9223372036854775811.0
2*sqrt(7) | 2\sqrt{7}
(x+2)(x-2) | x^2-4
\textbf{(B)}\ 19 | B
19 | \textbf{(B)}\ 19
(B) | B
twelve | 12
three and a half | 7/2
12 pears | 12
\pm 5 | -5, 5
2\pm\sqrt{3} | 2+\sqrt3, 2-\sqrt3
3\frac{1}{4} | 3.25
3 1/4 | 13/4
2.5 million | 2500000
\{4,1\} | \{1,4\}
1+2i | 2i+1
\frac{1}{1+\sqrt2} | \sqrt2-1
4^n | 2^{2n}
3:4 | 6:8
16 - 3 = 13 | 13
3 pm | 15:00
May 5, 2021 | 2021-05-05
\frac{\pi}{3} | 60^\circ
0.\overline{3} | \frac13
[[1,2],[3,4]] | \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}
∞ | \infty
The Rhine. | rhine
"""
WRONG = r"""
x-7=0 | x-8=0
5x+y-2=0 | 5x-y-2=0
9 | a+b=9
7\% | 700\%
40% | 0.4%
3:00 | 2:00
\frac{1}{3^{60}} | \frac{1}{3^{59}}
9.11\times 10^{-31} | 1.67\times 10^{-27}
110_2 | 110_3
\begin{bmatrix}3&0\\4&0\end{bmatrix} | \begin{bmatrix}3&0\\0&4\end{bmatrix}
\text{Friday} | \text{Sunday}
Yes | No
invalid | valid
True | False
Oslo | Madrid
red | blue
(B) | C
\textbf{(B)}\ 19 | C
\textbf{(B)}\ 19 | \textbf{(C)}\ 19
6 feet | 6 meters
3 | \pm 3
(1,2) | (2,1)
[0,1) | (0,1)
-4 < x \le 9 | x \in [-4,9]
-\infty | \infty
1+2i | 1-2i
9223372036854775811 | 9223372036854775812
3:00 am | 3:00 pm
2.9 | \pi
2x^2+1 | 2x^2-1
5 kg | 6
2, 5 | 2, 6
"""
UNKNOWN = r"""
the capital is Oslo | Oslo | holds_reference
\text{the side is }\sqrt{6} | \sqrt{6} | holds_reference
8 | \frac{8}{0} | reference_unread
9^{9^{9^9}} | 5 | too_long
3.14 | \pi | readers_differ
3.141593 | \pi | readers_differ
10+Ann's age | 40 | answer_unread
"""


def _rows(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split(" | ")] for line in text.strip().splitlines()]


@pytest.mark.parametrize(("answer", "reference"), _rows(RIGHT))
def test_equal_answers_are_right(answer: str, reference: str) -> None:
    assert compare(answer, reference) == Comparison("right")


@pytest.mark.parametrize(("answer", "reference"), _rows(WRONG))
def test_different_answers_are_wrong(answer: str, reference: str) -> None:
    assert compare(answer, reference) == Comparison("wrong")
    assert compare(reference, answer).result != "right"


@pytest.mark.parametrize(("answer", "reference", "reason"), _rows(UNKNOWN))
def test_what_is_not_understood_is_not_known(answer: str, reference: str, reason: str) -> None:
    assert compare(answer, reference) == ("unknown", reason)


@pytest.mark.parametrize("text", [text for row in _rows(RIGHT) + _rows(WRONG) + _rows(UNKNOWN) for text in row[:2]])
def test_an_answer_is_equal_to_itself(text: str) -> None:
    assert compare(text, text) == Comparison("right")


@pytest.mark.parametrize(
    ("answer", "reference", "language", "result"),
    [
        ("3,5", "3.5", "de", "right"),
        ("1.234", "1234", "de", "right"),
        ("1234", "1.234", "de", "unknown"),
        ("1.234,5", "1234.5", None, "right"),
        ("1 234,5", "1234.5", "fr", "right"),
        ("7,5 km", "7.5", "ru", "right"),
        ("3,5", "3.6", "es", "wrong"),
    ],
)
def test_a_decimal_comma_is_read_where_the_language_writes_it(
    answer: str, reference: str, language: str | None, result: str
) -> None:
    assert compare(answer, reference, language=language).result == result


@pytest.mark.parametrize(
    "text",
    [
        "9^{9^{9^9}}",
        "10000000!",
        "9" * 5000,
        "(" * 140 + "1" + ")" * 140,
        "{" * 100_000,
        "(x+y+z+w+u+v)^{60}",
        "-" * 299,
        "2^{-10000000}",
        r"\sqrt{" * 40 + "x" + "}" * 40,
        "1e999",
        r"\frac{1}{" * 30 + "2" + "}" * 30,
    ],
)
def test_an_answer_too_large_to_write_down_ends_no_run(text: str) -> None:
    assert compare(text, "5").result != "right"
    assert compare("5", text).result != "right"
    assert compare(text, text).result == "right"


_NUMBERS = st.fractions(min_value=-(10**12), max_value=10**12, max_denominator=1000)


@settings(max_examples=150, deadline=None)
@given(
    _NUMBERS, _NUMBERS, st.sampled_from(["{}", "x = {}", r"\boxed{{{}}}", "${}$", "{} cm", "({}, 3)", r"\{{{}, 3\}}"])
)
def test_two_numbers_are_right_only_where_they_are_equal(a: object, b: object, form: str) -> None:
    one, two = form.format(a), form.format(b)
    assert compare(one, one).result == "right"
    assert (compare(one, two).result == "right") == (a == b)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"0123456789xyi+-*/^(){}[]=<>,.%$!|_ ", r"\frac", r"\sqrt", r"\pm", "and", "cm"]), max_size=20
    ).map("".join)
)
def test_no_text_raises_and_each_equals_itself(text: str) -> None:
    canonical(text)
    assert compare(text, "x^2+1").result in ("right", "wrong", "unknown")
    assert compare(text, text).result != "wrong"


def test_equal_answers_have_one_text_for_votes() -> None:
    assert canonical("$1,250.00") == canonical(r"\$1{,}250") == canonical("1250 dollars") == "1250"
    assert canonical("7, 2") == canonical(r"2\text{ and }7")
    assert canonical("5 feet") != canonical("5 meters")
    assert readable(r"\frac{3}{4}")
    assert not readable(r"\frac{3}{0}")


def test_the_second_reader_decides_what_values_alone_do_not() -> None:
    assert compare(r"\sqrt{3+2\sqrt2}", r"1+\sqrt2").result == "right"
    assert compare(r"\sin(60^\circ)", r"\frac{\sqrt3}{2}").result == "right"


def test_a_question_that_takes_too_long_has_no_answer_and_the_next_one_has() -> None:
    assert verify.verified("9^{9^{9^{9}}}", "1") is None
    results: list[bool | None] = []
    threads = [threading.Thread(target=lambda: results.append(verify.verified("x+x", "2x"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 3


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("She sells 9 a day.\n9 * 2 = 18\nSo she makes $18 every day.", "right"),
        (r"Thus the length is $\frac{3}{2}$.", "unknown"),
        ("She makes 18 dollars in 5 days.", "unknown"),
        ("She had 18. Then she lost some.", "unknown"),
        ("It is not 18.", "unknown"),
        ("So she makes $19 every day.", "unknown"),
    ],
)
def test_a_reply_without_a_mark_is_right_only_where_it_ends_in_the_reference(reply: str, result: str) -> None:
    assert second_answer(reply, "18").result == result
