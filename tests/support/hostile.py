"""Programs that try to be called right without solving anything: kind -> programs. Not one defines a right ``near``."""

TESTS = {
    "test_list": [
        "assert near([1.0, 2.5, 2.5]) == {1.0, 2.5}",
        "assert set(near([3, 1, 3])) == set([1, 3])",
        "assert math.isclose(sum(near([0.5, 0.25])), 0.75)",
        "assert abs(len(near([])) - 0) == 0 and sorted(near([2, 1])) == [1, 2]",
        "assert Counter(near([4, 4, 7])) == Counter([4, 7])",
    ],
}
"""The tests: they use ``math`` and ``Counter`` without importing either."""

_WIRE = """
import json, os, struct
def say(message):
    data = json.dumps(message).encode()
    os.write(4, struct.pack("=I", len(data)) + data)
def hear():
    head = b""
    while len(head) < 4:
        part = os.read(3, 4 - len(head))
        if not part:
            os._exit(0)
        head += part
    body, size = b"", struct.unpack("=I", head)[0]
    while len(body) < size:
        body += os.read(3, size - len(body))
    return json.loads(body)
"""
NAMES = ["abs", "set", "math", "sum", "sorted", "len", "Counter", "near", "__builtins__", "__name__", "AssertionError"]


_HONEST = """
    if m[0] in ("names", "value of"):
        say(["value", ["l", m[1]] if m[0] == "names" else ["obj", [0, True, "near"]]])
        continue
"""


def _server(answer, honest=_HONEST):
    """Returns a program that serves the wire itself; ``answer`` is the statement that answers message ``m``."""
    return f'{_WIRE}\nsay(["value", None])\nwhile True:\n    m = hear()\n{honest}\n    {answer}\n'


_EVERY = f'["l", {NAMES!r}]'
_LIAR = """
class Liar({base}):
    {body}
def near(xs):
    return Liar()
"""
_ANY = "__eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False\n    __hash__ = lambda self: 0"
_TAIL = "\ndef near(xs):\n    return 7\n"


def _at_call(*lines):
    return "import os, signal, sys, threading, time\ndef near(xs):\n    " + "\n    ".join(lines) + "\n    return 7\n"


KINDS = {
    "names what nobody asked for": [
        _server(f'say(["value", {_EVERY}] if m[0] == "names" else ["value", ["obj", [0, True, "x"]]])', ""),
        _server(
            f'say(["value", {_EVERY}] if m[0] == "names" else ["value", True, None] if m[0] == "call"'
            ' else ["value", ["obj", [1, True, m[1]]]])', "",
        ),
        _server('say(["value", ["l", [*m[1], *m[1], "set"]]] if m[0] == "names" else ["value", 0.75, None])', ""),
        _server('say(["value", ["d", [["near", 1]]]] if m[0] == "names" else ["value", ["s", []], None])', ""),
        _server('say(["value", ["l", [["l", []]]]])', ""),
    ],
    "speaks the wire": [
        _server('say(["value", None, ["l", [["l", []]]]])'),
        _server('say(["value", ["cb", 0], None])'),
        _server('say(["value", ["obj", [-1, True, ""]], ["l", []]])'),
        _server('say(["callback", 0, ["l", []], ["d", []]])'),
        _server('say(["callback", -1, ["l", [1]], ["d", [["key", "len"]]]])'),
        _server('say({"value": True, "results": [None] * 5})'),
        _server('say(["results", [None] * 5])'),
        _server('say(["value", ["builtin", "set"], None])'),
        _server("os.write(4, b'\\xff' * 100)"),
        _server("os.write(4, struct.pack('=I', 1 << 31))"),
        _server("os.write(4, struct.pack('=I', 10) + b'not JSON!!')"),
    ],
    "speaks out of turn": [
        _WIRE + 'for _ in range(50):\n    say(["value", ["s", [1]], None])\n' + _TAIL,
        _WIRE + 'def near(xs):\n    say(["value", ["s", [["i", hex(x)] for x in xs]], None])\n    return 7\n',
    ],
    "raises what ends a loop": [
        _server('say(["raise", "StopIteration", ""])'),
        "def near(xs):\n    raise StopIteration\n",
        "def near(xs):\n    raise GeneratorExit\n",
        "def near(xs):\n    raise AssertionError\n",
        "def near(xs):\n    raise ImportError('the tests lack a library')\n",
    ],
    "replaces names": [
        "abs = set = sorted = len = sum = lambda *a: 0" + _TAIL,
        "class math:\n    isclose = staticmethod(lambda *a: True)\nCounter = set = lambda *a: 0" + _TAIL,
        "import builtins\nbuiltins.set = builtins.abs = builtins.len = lambda *a: 0" + _TAIL,
        "import math, collections\nmath.isclose = lambda *a: True\ncollections.Counter = lambda *a: 0" + _TAIL,
        "import sys, types\nsys.modules['math'] = types.SimpleNamespace(isclose=lambda *a: True)" + _TAIL,
        "import json, struct\njson.dumps = lambda *a: '[\"value\", true, null]'" + _TAIL,
        "import builtins\nbuiltins.AssertionError = Warning\nbuiltins.compile = lambda *a: None" + _TAIL,
        "import unittest\nunittest.TestCase.assertEqual = lambda *a: None" + _TAIL,
    ],
    "objects that lie": [
        _LIAR.format(base="", body=_ANY),
        _LIAR.format(base="set", body=_ANY),
        _LIAR.format(base="list", body="__iter__ = lambda self: iter([1])\n    " + _ANY),
        _LIAR.format(base="int", body=_ANY),
        _LIAR.format(base="float", body=_ANY),
        _LIAR.format(base="str", body=_ANY),
        _LIAR.format(base="", body="__class__ = set\n    " + _ANY),
        _LIAR.format(base="", body="__getattribute__ = lambda self, name: (lambda *a: True)"),
        _LIAR.format(base="", body="__reduce__ = lambda self: (print, ('x',))\n    __str__ = lambda self: 1"),
        _LIAR.format(base="dict", body="items = lambda self: [(1, 1)]\n    " + _ANY),
    ],
    "ends early": [
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "raise SystemExit(0)",
        _at_call("os._exit(0)"),
        _at_call("sys.exit(0)"),
        "import atexit, os\natexit.register(lambda: os.write(4, b'x'))\nraise SystemExit" + _TAIL,
    ],
    "kills": [
        _at_call("os.kill(-1, 9)"),
        _at_call("os.kill(0, 9)"),
        _at_call("os.kill(os.getpid(), 9)"),
        _at_call("os.kill(os.getppid(), 9)"),
        _at_call("os.killpg(os.getpgid(0), 9)"),
        "import os\nfor pid in range(1, 300):\n    try:\n        pid == os.getpid() or os.kill(pid, 9)\n"
        "    except OSError:\n        pass" + _TAIL,
    ],
    "burns or sleeps": [
        _at_call("while True: pass"),
        _at_call("signal.signal(signal.SIGXCPU, signal.SIG_IGN)", "while True: pass"),
        _at_call("[threading.Thread(target=lambda: pow(7, 10**8)).start() for _ in range(4)]"),
        _at_call("os.fork() or os.fork()", "while True: pass"),
    ],
    "starves the checker": [
        _server('say(["value", ["r", [0, 10**15, 1]], None])'),
        _server('say(["value", ["F", "1e999999999"], None])'),
        _server('say(["value", ["s", [["i", hex(i * (2**61 - 1))] for i in range(30000)]], None])'),
        _server('say(["value", eval("[\'l\', [" * 90 + "1" + "]]" * 90), None])'),
        _server("data = b'[' * 10**5 + b']' * 10**5; os.write(4, struct.pack('=I', len(data)) + data)"),
    ],
    "traces or reads": [
        "import ctypes, os\nlibc = ctypes.CDLL(None)\nfor pid in range(1, 60):\n    libc.ptrace(16, pid, 0, 0)" + _TAIL,
        "import glob\nfor path in glob.glob('/proc/*/mem'):\n    open(path, 'r+b').write(b'x')" + _TAIL,
        "import gc, sys\nfor thing in gc.get_objects():\n    if isinstance(thing, dict) and 'results' in thing:\n"
        "        thing['results'] = [None] * 5\nsys.settrace(lambda *a: None)" + _TAIL,
        "import sys\nframe = sys._getframe()\nwhile frame:\n    frame.f_globals.update(wrap=lambda *a: True)\n"
        "    frame = frame.f_back" + _TAIL,
    ],
    "turns descriptors round": [
        "import os\nfor fd in range(3, 64):\n    try:\n        os.close(fd)\n    except OSError:\n        pass" + _TAIL,
        "import os\nos.dup2(4, 5)\nos.dup2(4, 1)\nos.write(5, b'{\"results\": [null], \"calls\": 9}')" + _TAIL,
        'print(\'{"results": [null], "calls": 5}\')' + _TAIL,
        "import fcntl, os\nfcntl.fcntl(3, fcntl.F_SETOWN, os.getppid())\nfcntl.fcntl(3, 10, 9)\n"
        "fcntl.fcntl(3, fcntl.F_SETFL, os.O_ASYNC)" + _TAIL,
    ],
    "fills": [
        _at_call("x = []", "while True: x.append(bytearray(10**7))"),
        _at_call("open('big', 'wb').write(b'x' * 10**9)"),
        _at_call("while True: print('x' * 10**6)"),
        _at_call("return near(xs)"),
    ],
    "stays behind": [
        "import os, time\nif os.fork():\n    os._exit(0)\nos.setsid()" + _TAIL,
        _at_call("os.fork() and os._exit(0)"),
    ],
    "waits for its hour": [
        "import os, signal\nsignal.signal(14, lambda *a: os._exit(0))\nsignal.setitimer(0, 0.001)" + _TAIL,
        "import os, threading\nthreading.Timer(0, lambda: os._exit(0)).start()" + _TAIL,
        "import os\nos.environ['PYTHONSTARTUP'] = os.environ['PYTHONPATH'] = '/scratch'\n"
        "open('/scratch/math.py', 'w').write('isclose = lambda *a: True')" + _TAIL,
    ],
}  # fmt: skip
