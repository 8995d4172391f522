"""Programs that fill, hang, break or dodge their own end: each is contained, and what became of it is typed."""

import pytest

from schemas.errors import EndpointError
from tests.support.programs import Runner

SLOW = [pytest.param(means, marks=pytest.mark.slow) for means in ("namespaces", "landlock")]


@pytest.fixture(scope="module", params=["bwrap", *SLOW])
def run(request):
    try:
        runner = Runner(request.param)
    except EndpointError as error:
        pytest.skip(f"this machine does not offer {request.param}: {error}")
    yield runner
    runner.close()


FILL = {
    "files without end": "i = 0\nwhile True:\n    open(f'f{i}', 'w').close()\n    i += 1\n",
    "folders in folders": "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')\n",
    "files that add up": "i = 0\nwhile True:\n    open(f'f{i}', 'wb').write(b'x' * 1_000_000)\n    i += 1\n",
}


@pytest.mark.parametrize("text", FILL.values(), ids=FILL)
def test_a_folder_filled_without_end_is_stopped_and_gone_afterwards(run, text):
    result = run(text, limits={"wall_s": 3})
    assert result["flooded"] or result["timed_out"] or "Errno 28" in result["stderr"]
    assert run.still_works()
    assert run.left() == []


ENDS = {
    "puts the exits aside": (
        "import os, sys\nos._exit = sys.exit = lambda *a: None\nprint('said')", {"exit": 0, "stdout": "said\n"},
    ),
    "raises what is caught nowhere": ("raise KeyboardInterrupt", {"exit": 1}),
    "stops itself": ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", {"timed_out": True}),
    "closes its streams and stays": (
        "import os, time\nfor n in range(3):\n    os.close(n)\ntime.sleep(60)", {"timed_out": True},
    ),
    "aborts": ("import os\nos.abort()", {"signal": 6}),
    "reads where nothing is": ("import ctypes\nctypes.string_at(0)", {"signal": 11}),
    "handles a timer for ever": (
        "import signal, time\nsignal.signal(14, lambda *a: None)\nsignal.setitimer(0, 0.001, 0.001)\n"
        "while True:\n    time.sleep(1)", {"timed_out": True},
    ),
    "never finishes its error": (
        "class E(Exception):\n    def __str__(self):\n        while True:\n            pass\nraise E",
        {"timed_out": True},
    ),
    "computes one number for ever": ("x = 10 ** 10 ** 9", {"timed_out": True}),
    "is no program": ("print(1)\0print(2)", {"exit": 1}),
    "nests beyond the parser": ("(" * 100_000, {"exit": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ENDS.values(), ids=ENDS)
def test_however_a_program_ends_its_end_is_typed(run, text, expected):
    result = run(text, limits={"wall_s": 1})
    assert {name: result[name] for name in expected} == expected
    assert run.still_works()


def test_threads_are_bounded(run):
    text = """
import threading, time
made = 0
try:
    while made < 500:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        made += 1
except RuntimeError:
    pass
print(made)
"""
    assert int(run(text)["stdout"]) < 100


def test_the_kernels_knobs_cannot_be_turned(run):
    text = """
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_score_adj", "/proc/self/mem",
             "/proc/self/uid_map", "/sys/kernel/mm/ksm/run", "/dev/mem", "/dev/kmsg", "/proc/kcore"):
    for mode in ("rb", "r+b"):
        try:
            open(path, mode)
            print(path, mode)
        except OSError:
            pass
"""
    assert run(text)["stdout"] == ""


def test_no_limit_can_be_raised_and_no_descriptor_is_left_open(run):
    text = """
import os, resource
for name in ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)
        print(name)
    except (ValueError, OSError):
        pass
for number in range(3, 100):
    try:
        os.fstat(number)
        print(number)
    except OSError:
        pass
"""
    limits = [line for line in run(text)["stdout"].split() if line != "RLIMIT_NPROC"]
    assert limits == []


def test_what_it_prints_need_be_no_text(run):
    result = run("import sys\nsys.stdout.buffer.write(b'\\xff\\x00\\xed\\xa0\\x80ok')\nprint('\\ud800')")
    assert result["stdout"].endswith("ok?\n")
    assert result["exit"] == 0
