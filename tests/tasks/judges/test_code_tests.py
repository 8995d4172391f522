"""Real-shaped HumanEval and MBPP items, and programs that try to pass without solving them."""

import json

import pytest

from schemas.messages import assistant, to_rows
from tasks.judges.code_tests import code_tests, extract, read_tests
from tests.support.code import Judge

STUB = '''from typing import List


def has_close_elements(numbers: List[float], threshold: float) -> bool:
    """ Check if in given list of numbers, are any two numbers closer to each other than
    given threshold.
    >>> has_close_elements([1.0, 2.0, 3.0], 0.5)
    False
    """
'''
BODY = """    for i, one in enumerate(numbers):
        for other in numbers[i + 1:]:
            if abs(one - other) < threshold:
                return True
    return False
"""
CHECK = """

METADATA = {
    'author': 'jt',
    'dataset': 'test'
}


def check(candidate):
    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.3) == True
    assert candidate([1.0, 2.0, 3.9, 4.0, 5.0, 2.2], 0.05) == False
    assert candidate([1.1, 2.2, 3.1, 4.1, 5.1], 0.5) == False

"""
HUMANEVAL = {"test": CHECK, "entry_point": "has_close_elements"}


@pytest.fixture(scope="module")
def judge():
    judge = Judge()
    yield judge
    judge.close()


def fenced(code):
    return f"Here is the function:\n\n```python\n{code}```\n\nIt compares every pair."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BODY, id="the body alone"),
        pytest.param(STUB + BODY, id="the whole function"),
        pytest.param("def has_close_elements(numbers, threshold):\n" + BODY, id="the function without its imports"),
        pytest.param(fenced(STUB + BODY), id="in a fence, with prose"),
        pytest.param(fenced(STUB + BODY).replace("\n\nIt compares every pair.", ""), id="nothing after the fence"),
        pytest.param(BODY + "\n\nif __name__ == '__main__':\n    print(has_close_elements([1.0], 2))\n", id="a main"),
    ],
)
def test_a_right_solution_passes_however_it_is_written(judge, text):
    row = judge.one(HUMANEVAL, text, prompt=STUB)
    assert (row["outcome"], row["score"], row["rationale"]) == ("valid", 1.0, None)
    meta = json.loads(row["meta"])
    assert (meta["tests"], meta["passed"], meta["errors"]) == (1, 1, [None])
    assert "rlimits" in meta["means"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("    return False\n", "AssertionError: ", id="a wrong answer"),
        pytest.param("    return numbers[100]\n", "IndexError: list index out of range", id="an error"),
        pytest.param("    return math.inf\n", "NameError: name 'math' is not defined", id="a name never defined"),
        pytest.param("    return (\n", "SyntaxError: '(' was never closed (solution.py, line 10)", id="no Python"),
        pytest.param("    import numpy\n", "ModuleNotFoundError: No module named 'numpy'", id="a missing library"),
        pytest.param("    while True: pass\n", "out of time", id="no end"),
        pytest.param("    return 'x' * 10**10\n", "MemoryError: ", id="too much memory"),
        pytest.param("    exit()\n", "SolutionExit: SystemExit: None", id="exits"),
        pytest.param("    import os; os._exit(0)\n", "SolutionExit: the program ended", id="exits at once"),
        pytest.param("    return has_close_elements(numbers, threshold)\n", "RecursionError", id="recursion"),
    ],
)
def test_a_wrong_solution_fails_and_says_why(judge, text, why):
    row = judge.one(HUMANEVAL, text, prompt=STUB, cpu_s=1)
    assert (row["outcome"], row["score"]) == ("valid", 0.0)
    assert row["rationale"].startswith(why)


HOSTILE = {
    "prints that it passed": "print('PASSED'); print('{\"results\": [null], \"calls\": 1}')",
    "writes the report where it may lie": """
import os
for number in range(1, 64):
    try:
        os.write(number, b'{"results": [null], "calls": 1}')
    except OSError:
        pass
""",
    "returns what equals everything": """
class Yes:
    def __eq__(self, other): return True
    def __bool__(self): return False
def has_close_elements(*a): return Yes()
""",
    "returns a number that equals everything": """
class Yes(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = int.__hash__
def has_close_elements(*a): return Yes(7)
""",
    "replaces the check": "def check(candidate): pass\ndef has_close_elements(*a): return 7",
    "replaces builtins": """
import builtins
builtins.AssertionError = Warning
builtins.exec = builtins.compile = lambda *a: None
def has_close_elements(*a): return 7
""",
    "looks for the tests in memory": """
import gc, re, sys
def has_close_elements(numbers, threshold):
    texts = [o for o in gc.get_objects() if isinstance(o, str)]
    frame = sys._getframe()
    while frame:
        texts += [str(v) for v in [*frame.f_locals.values(), *frame.f_globals.values()]]
        frame = frame.f_back
    for text in texts:
        found = re.search(re.escape(str(numbers)) + ", " + str(threshold) + r"[)] == (True|False)", text)
        if found:
            return found[1] == "True"
    return None
""",
    "reads the other process": """
import os
def has_close_elements(*a):
    found = b""
    for pid in range(1, 50):
        for name in ("mem", "environ", "cmdline", "maps"):
            try:
                found += open(f"/proc/{pid}/{name}", "rb").read(100)
            except OSError:
                pass
    raise ValueError(found)
""",
    "kills everybody": "import os\ndef has_close_elements(*a):\n    os.kill(-1, 9)\n    return 7",
    "rewrites the scratch folder": """
import os
for name in os.listdir("."):
    open(name, "w").write("def check(candidate): pass")
def has_close_elements(*a): return 7
""",
    "answers out of turn": """
import os, struct
message = b'["value", true, null]'
os.write(4, (struct.pack("=I", len(message)) + message) * 50)
""",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_program_that_cheats_does_not_pass(judge, text):
    row = judge.one(HUMANEVAL, text, prompt=STUB)
    assert row["score"] != 1.0
    assert row["outcome"] in ("valid", "error")


def test_a_solution_may_not_bring_its_own_sorted_to_the_tests(judge):
    tests = ["assert sorted(similar((3, 4), (4, 3))) == sorted((4, 3))"]
    cheat = "def sorted(x):\n    return 0\ndef similar(a, b):\n    return ()"
    honest = "def similar(a, b):\n    return tuple(set(a) & set(b))"
    assert [row["score"] for row in judge(tests, cheat, honest)] == [0.0, 1.0]


def test_a_solution_may_be_named_like_a_builtin(judge):
    tests = ["assert sum(10, 15) == 6", "assert sum(100, 150) == 93"]
    text = "def sum(a, b):\n    return __builtins__.sum(i for i in range(1, min(a, b)) if a % i == b % i == 0)"
    assert judge.one(tests, text)["score"] == 1.0


MBPP = {
    "test_list": [
        "assert min_cost([[1, 2, 3], [4, 8, 2], [1, 5, 3]], 2, 2) == 8",
        "assert min_cost([[2, 3, 4], [5, 9, 3], [2, 6, 4]], 2, 2) == 12",
    ],
    "test_setup_code": "",
}
MIN_COST = (
    "def min_cost(cost, m, n): \r\n\tt = [[0] * 3 for _ in range(3)]\r\n\tt[0][0] = cost[0][0]\r\n"
    "\tfor i in range(1, m+1): \r\n\t\tt[i][0] = t[i-1][0] + cost[i][0] \r\n"
    "\tfor j in range(1, n+1): \r\n\t\tt[0][j] = t[0][j-1] + cost[0][j] \r\n"
    "\tfor i in range(1, m+1): \r\n\t\tfor j in range(1, n+1): \r\n"
    "\t\t\tt[i][j] = min(t[i-1][j-1], t[i-1][j], t[i][j-1]) + cost[i][j] \r\n\treturn t[m][n]"
)


def test_a_list_of_asserts_counts_each(judge):
    right, half = judge(MBPP, MIN_COST, "def min_cost(cost, m, n):\n    return 8")
    assert right["score"] == 1.0
    assert half["score"] == 0.0
    assert json.loads(half["meta"])["passed"] == 1
    assert json.loads(half["meta"])["errors"] == [None, "AssertionError: "]


def test_tests_may_build_objects_of_the_solutions_classes(judge):
    tests = {
        "test_setup_code": "root = Node(1)\r\nroot.left = Node(2)\r\nroot.left.left = Node(8)",
        "test_list": ["assert is_balanced(root) == False", "assert is_balanced(root.left) == True"],
    }
    text = """
class Node:
    def __init__(self, data):
        self.data, self.left, self.right = data, None, None
def height(node):
    return 0 if node is None else 1 + max(height(node.left), height(node.right))
def is_balanced(node):
    return node is None or (abs(height(node.left) - height(node.right)) <= 1
                            and is_balanced(node.left) and is_balanced(node.right))
"""
    assert judge.one(tests, text)["score"] == 1.0


@pytest.mark.parametrize(
    ("tests", "text"),
    [
        pytest.param(
            "x = [3, 1]\nf(x)\nassert x == [1, 3]", "def f(x):\n    x.sort()", id="a list is changed in place"
        ),
        pytest.param(
            "x = {1: 2}\nf(x)\nassert x == {}", "def f(x):\n    x.clear()", id="a dictionary is changed in place"
        ),
        pytest.param("assert f(lambda x: x + 1, 2) == 3", "def f(g, x):\n    return g(x)", id="a function is given"),
        pytest.param("assert f(len, 'ab') == 2", "def f(g, x):\n    return g(x)", id="a builtin is given"),
        pytest.param("assert list(f(3)) == [0, 1, 2]", "def f(n):\n    yield from range(n)", id="a generator returned"),
        pytest.param(
            "try:\n    f()\n    assert False\nexcept ValueError as e:\n    assert 'no' in str(e)",
            "def f():\n    raise ValueError('no')",
            id="an error expected",
        ),
        pytest.param(
            "from decimal import Decimal\nassert f() == (Decimal('1.5'), {1, 2}, b'x', 1 + 2j, None)",
            "from decimal import Decimal\ndef f():\n    return (Decimal('1.5'), {1, 2}, b'x', 1 + 2j, None)",
            id="values of many kinds",
        ),
        pytest.param("assert f() == {'a': 2}", "import collections\ndef f():\n    return collections.Counter('aa')"),
        pytest.param("assert f() == 10**5000", "def f():\n    return 10**5000", id="a very long number"),
        pytest.param("assert n == 3 and f() == 3", "n = 3\ndef f():\n    return n", id="a constant is read"),
        pytest.param("assert abs(f() - 0.1) < 1e-9", "def f():\n    return 0.1", id="a float"),
    ],
)  # fmt: skip
def test_values_cross_to_the_tests_as_they_are(judge, tests, text):
    assert judge.one(json.dumps({"test": tests}), text)["score"] == 1.0


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        pytest.param("assert f( == 1", "SyntaxError", id="no Python"),
        pytest.param("import numpy as np\nassert f() == np.int64(1)", "ModuleNotFoundError", id="a missing library"),
        pytest.param("assert 1 == 1", "never call the solution", id="nothing is tested"),
    ],
)
def test_tests_that_cannot_run_are_no_verdict(judge, tests, why):
    row = judge.one(json.dumps({"test": tests}), "def f():\n    return 1")
    assert (row["outcome"], row["score"]) == ("error", None)
    assert why in row["rationale"]


def test_a_sandbox_that_fails_is_no_verdict():
    from schemas.exchange import Reply

    completion = {"completion_id": "c", "messages": assistant(BODY), "finish_reason": "stop"}
    exchange = code_tests({"messages": to_rows(STUB), "tests": json.dumps(HUMANEVAL)}, [completion])
    (request,) = next(exchange)
    assert (request.kind, request.model) == ("run", "sandbox")
    with pytest.raises(StopIteration) as end:
        exchange.send([Reply(error="the sandbox failed: gone")])
    (row,) = end.value.value
    assert (row["outcome"], row["score"], row["rationale"]) == ("error", None, "the sandbox failed: gone")


def test_a_cut_solution_that_fails_is_truncated_and_one_that_passes_counts(judge):
    assert judge.one(HUMANEVAL, "    for i in numb", prompt=STUB, finish="length")["outcome"] == "truncated"
    assert judge.one(HUMANEVAL, BODY, prompt=STUB, finish="length")["score"] == 1.0


@pytest.mark.parametrize("finish", ["refused", "empty", "filtered", "error"])
def test_a_completion_without_an_answer_is_not_judged(judge, finish):
    assert judge(HUMANEVAL, BODY, prompt=STUB, finish=finish) == []


def test_helpers_of_the_prompt_are_taken_from_the_prompt(judge):
    stub = "def double(x):\n    return 2 * x\n\n\ndef half(x):\n    '''Undoes double.'''\n"
    tests = {"test": "def check(candidate):\n    assert candidate(double(4)) == 4\n", "entry_point": "half"}
    cheat = "def double(x):\n    return x\ndef half(x):\n    return x\n"
    assert judge.one(tests, "    return x // 2\n", prompt=stub)["score"] == 1.0
    assert judge.one(tests, cheat, prompt=stub)["score"] == 0.0


def test_the_stub_is_found_in_a_chat_prompt():
    prompt = f"Complete this function:\n```python\n{STUB}```\nAnswer with code only."
    found = read_tests({"messages": to_rows(prompt), "tests": json.dumps(HUMANEVAL)})
    assert found["stub"] == STUB
    assert found["preamble"] == "from typing import List\n\n\n"


def test_the_block_that_defines_the_entry_point_is_the_code():
    text = "```bash\npip install x\n```\n```python\ndef helper(): ...\n```\n```python\ndef f(): return 1\n```"
    assert extract(text, "f") == "def f(): return 1\n"
    assert extract(text, None) == "def helper(): ...\n\ndef f(): return 1\n"
    assert extract("no fence", "f") == "no fence"
    assert extract("```python\ndef f():\n    ret", "f") == "def f():\n    ret"


@pytest.mark.parametrize("tests", ["[]", "{}", '{"entry_point": "f"}', "null"])
def test_a_prompt_without_tests_is_refused(tests):
    with pytest.raises(ValueError, match="neither a test nor a test_list"):
        read_tests({"messages": to_rows("x"), "tests": tests})
