"""The sandbox as a backend: what a run returns, what it refuses, and that it does not leak."""

import asyncio
import os
from pathlib import Path

import pytest

from schemas.errors import EndpointError
from schemas.exchange import Request
from tasks.backends import sandbox_means
from tasks.backends.sandbox import Sandbox


def answer(*requests, **options):
    """Returns the replies of a sandbox of its own."""

    async def go():
        sandbox = Sandbox(**options)
        try:
            return await asyncio.gather(*[sandbox.answer(request) for request in requests])
        finally:
            await sandbox.close()

    return asyncio.run(go())


def program(text, **extra):
    return Request(model="sandbox", kind="run", text=text, extra=extra)


def test_a_program_returns_its_output_its_exit_and_the_means():
    (reply,) = answer(program("import sys\nprint(input())\nsys.stderr.write('e')\nsys.exit(3)", stdin="hello\n"))
    value = reply.choices[0].value
    assert (value["exit"], value["signal"], value["stdout"], value["stderr"]) == (3, None, "hello\n", "e")
    assert (value["timed_out"], value["oom"], value["flooded"]) == (False, False, False)
    assert "rlimits" in value["means"]
    assert reply.choices[0].text == "hello\n"


def test_a_traceback_shows_the_program_alone():
    (reply,) = answer(program("def f():\n    raise ValueError('no')\nf()"))
    assert reply.choices[0].value["stderr"].splitlines() == [
        "Traceback (most recent call last):",
        '  File "program.py", line 3, in <module>',
        '  File "program.py", line 2, in f',
        "ValueError: no",
    ]


def test_files_lie_in_the_scratch_folder():
    (reply,) = answer(program("print(open('a/b.txt').read())", files={"a/b.txt": "in b"}))
    assert reply.choices[0].value["stdout"] == "in b\n"


def test_a_program_is_the_main_module():
    text = """
import pickle, sys, threading
from dataclasses import dataclass
@dataclass
class A:
    x: int
print(__name__, pickle.loads(pickle.dumps(A(3))), sys.argv)
threading.Thread(target=lambda: print("thread")).start()
"""
    (reply,) = answer(program(text))
    assert reply.choices[0].value["stdout"] == "__main__ A(x=3) ['program.py']\nthread\n"


def test_the_same_program_prints_the_same():
    text = "import random\nprint(random.random(), hash('a'), {'a', 'b', 'c', 'd'})"
    first, second = answer(program(text), program(text))
    assert first.text == second.text


def test_several_samples_of_one_question_are_several_runs():
    request = Request(model="sandbox", kind="run", text="print(1)", n=2, first=3)
    (reply,) = answer(request)
    assert [choice.index for choice in reply.choices] == [3, 4]


CHECKER = """
import json, os
os.write(4, b"7\\n")
said = os.read(3, 100).decode()
os.write(5, json.dumps({"said": said}).encode())
"""


def test_a_checker_talks_to_the_program_and_reports():
    text = "import os\nprint('aside')\nos.write(4, str(int(os.read(3, 100)) ** 2).encode())"
    (reply,) = answer(program(text, checker=CHECKER))
    value = reply.choices[0].value
    assert value["report"] == {"said": "49"}
    assert value["stdout"] == "aside\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import os\nos._exit(0)", id="leaves early"),
        pytest.param('import os\nos.write(5, b\'{"said": "49"}\')', id="writes to where the report goes"),
        pytest.param('print(\'{"said": "49"}\')', id="prints a report"),
        pytest.param('import os\n[os.write(n, b\'{"said": "49"}\') for n in (1, 2)]', id="writes to its streams"),
        pytest.param("import os, signal\nos.kill(os.getpid() + 1, signal.SIGKILL)\nos.kill(-1, 9)", id="kills it"),
    ],
)
def test_a_program_cannot_write_the_report(text):
    (reply,) = answer(program(text, checker=CHECKER))
    assert (reply.choices[0].value["report"] or {}).get("said") != "49"


def test_a_program_cannot_find_the_text_of_its_checker():
    text = """
import ctypes, gc, os
os.read(3, 100)
found = [o for o in gc.get_objects() if isinstance(o, str) and "said" in o and "decode" in o]
os.write(4, str(len(found)).encode())
"""
    (reply,) = answer(program(text, checker=CHECKER))
    assert reply.choices[0].value["report"] == {"said": "0"}


def test_a_failed_checker_is_told_apart_from_a_failed_program():
    (reply,) = answer(program("print(1)", checker="raise ValueError('the tests are broken')"))
    value = reply.choices[0].value
    assert value["report"] is None
    assert value["checker_error"].endswith("ValueError: the tests are broken\n")


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        (Request(model="sandbox", kind="chat", text="x"), "kind 'chat'"),
        (program("x", language="cobol"), "cobol"),
        (program("x", limits={"cpu": 3}), "limit cpu=3"),
        (program("x", limits={"cpu_s": -1}), "above zero"),
        (program("x", network=True), "'network'"),
    ],
)
def test_a_request_it_does_not_understand_is_an_error_and_not_a_result(request_, part):
    (reply,) = answer(request_)
    assert part in (reply.error or "")
    assert reply.choices == ()


def test_where_nothing_confines_it_refuses_to_run(monkeypatch):
    monkeypatch.setattr(sandbox_means, "available", lambda *, unsafe: ([], ["no means is known"]))
    monkeypatch.setattr("tasks.backends.sandbox.available", lambda *, unsafe: ([], ["no means is known"]))
    with pytest.raises(EndpointError, match=r"sandbox\?unsafe=1\. no means is known"):
        answer(program("print(1)"))


def test_unsafe_must_be_said_and_is_recorded(caplog):
    with pytest.raises(EndpointError):
        answer(program("print(1)"), means="none")
    (reply,) = answer(program("print(1)"), means="none", unsafe=True)
    assert reply.choices[0].value["means"][0] == "rlimits"
    assert "unsandboxed" in caplog.text


def test_a_means_that_lets_a_program_out_is_not_used(monkeypatch):
    leaky = sandbox_means.Means("none", None)
    held = sandbox_means.available()[0]
    monkeypatch.setattr("tasks.backends.sandbox.available", lambda *, unsafe: ([leaky_as_bwrap(leaky), *held], []))
    monkeypatch.setattr(
        "tasks.backends.sandbox.command",
        lambda means, scratch: sandbox_means.command(leaky if means.name == "leaky" else means, scratch),
    )
    monkeypatch.setitem(sandbox_means.NAMES, "leaky", ("leaky",))
    (reply,) = answer(program("print(1)"))
    assert "leaky" not in reply.choices[0].value["means"]


def leaky_as_bwrap(means):
    return sandbox_means.Means("leaky", means.uid)


def test_a_box_that_dies_is_an_error_and_the_next_run_gets_a_fresh_one(monkeypatch):
    async def go():
        sandbox = Sandbox(slots=1)
        await sandbox.start()
        await sandbox.answer(program("print(1)"))
        box = sandbox._boxes[0]
        running = asyncio.create_task(sandbox.answer(program("import time\ntime.sleep(1000)")))
        reading = asyncio.Event()
        read = box._read

        async def noticed():
            reading.set()
            return await read()

        monkeypatch.setattr(box, "_read", noticed)
        await reading.wait()  # the job is sent, and its answer waited for
        box._process.kill()
        lost = await running
        fresh = await sandbox.answer(program("print(2)"))
        await sandbox.close()
        return lost, fresh

    lost, fresh = asyncio.run(go())
    assert (lost.error or "").startswith("the sandbox failed")
    assert fresh.text == "2\n"


def test_a_cancelled_run_leaves_a_clean_box(monkeypatch):
    async def go():
        sandbox = Sandbox(slots=1)
        await sandbox.answer(program("print(1)"))
        box, reading = sandbox._boxes[0], asyncio.Event()
        read = box._read

        async def noticed():
            reading.set()
            return await read()

        monkeypatch.setattr(box, "_read", noticed)
        running = asyncio.create_task(sandbox.answer(program("import time\ntime.sleep(1000)\nprint('late')")))
        await reading.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        reply = await sandbox.answer(program("print(2)"))
        await sandbox.close()
        return reply

    assert asyncio.run(go()).text == "2\n"


@pytest.mark.slow
def test_a_thousand_programs_leak_nothing():
    def held():
        return len(os.listdir("/proc/self/fd"))

    async def go():
        sandbox = Sandbox()
        await sandbox.start()
        await asyncio.gather(*[sandbox.answer(program("print(1)")) for _ in range(20)])
        before = held()
        for _ in range(5):
            texts = [f"open('f{i}', 'w').write('x' * 100000)\nprint({i})" for i in range(200)]
            replies = await asyncio.gather(*[sandbox.answer(program(text)) for text in texts])
            assert [reply.text for reply in replies] == [f"{i}\n" for i in range(200)]
        after, scratch = held(), sandbox._scratch
        left = [path for box in scratch.glob("box*") for path in box.iterdir()]
        await sandbox.close()
        return before, after, left, scratch

    before, after, left, scratch = asyncio.run(go())
    assert after <= before + 2
    assert left == []
    assert not Path(scratch).exists()
