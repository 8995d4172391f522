"""Programs that try to get out, to stay, or to take everything: each is contained and its end is typed."""

import os
import sys
import time
from pathlib import Path

import pytest

from schemas.errors import EndpointError
from schemas.exchange import Request
from tests.support.programs import SECRET, Runner


@pytest.fixture(scope="module", params=["bwrap", "namespaces", "landlock"])
def run(request):
    try:
        runner = Runner(request.param)
    except EndpointError as error:
        pytest.skip(f"this machine does not offer {request.param}: {error}")
    yield runner
    runner.close()


def family(run):
    """Returns every process below this one, as the host sees them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if words[0] != "Z":
                parents[int(entry.name)] = int(words[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def idle(run):
    """Returns how many processes there are once a program has ended; the box's next keeper may not be there yet."""
    run.still_works()
    return len(family(run))


def settles(run, count):
    """Says whether no more processes stay than so many and a keeper; what is left behind here is always more."""
    deadline = time.monotonic() + 60
    while len(family(run)) > count + 1 and time.monotonic() < deadline:
        os.sched_yield()
    return len(family(run)) <= count + 1


def test_a_fork_bomb_ends_with_its_program(run):
    before = idle(run)
    result = run("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n")
    assert result["timed_out"] or result["exit"] != 0 or result["signal"]
    assert run.still_works()
    assert settles(run, before)


def test_forks_are_bounded(run):
    text = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""
    assert int(run(text)["stdout"]) <= 16
    assert run.still_works()


def test_a_memory_bomb_is_out_of_memory(run):
    result = run("x = []\nwhile True:\n    x.append(bytearray(10_000_000))\n")
    assert (result["oom"], result["exit"]) == (True, 1)
    assert run.still_works()


def test_a_memory_bomb_spread_over_processes_is_out_of_memory(run):
    if "landlock" in run.fingerprint["means"]:
        pytest.skip("there are no child processes under landlock")
    text = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        x = bytearray(200_000_000)
        for i in range(0, len(x), 4096):
            x[i] = 1
        time.sleep(60)
time.sleep(60)
"""
    result = run(text, limits={"wall_s": 60})
    assert result["oom"]


def test_an_infinite_loop_is_timed_out_by_its_cpu_time(run):
    result = run("while True:\n    pass\n")
    assert result["timed_out"]
    assert 0.7 < result["cpu_seconds"] < 3  # CPU time, whatever else the machine does


def test_a_loop_that_handles_the_cpu_signal_is_killed(run):
    text = "import signal\nsignal.signal(signal.SIGXCPU, lambda *a: None)\nwhile True:\n    pass\n"
    result = run(text)
    assert (result["timed_out"], result["signal"]) == (True, 9)


def test_a_sleeper_is_timed_out_by_the_wall_clock(run):
    result = run("import time\ntime.sleep(1000)", limits={"wall_s": 1})
    assert result["timed_out"]
    assert 1 <= result["seconds"] < 1000


def test_output_is_cut_with_a_mark_and_a_flood_is_ended(run):
    result = run("while True:\n    print('x' * 1000)\n", limits={"output_bytes": 1000})
    assert result["flooded"]
    assert len(result["stdout"]) < 1100
    assert result["stdout"].endswith("bytes cut]")


def test_a_flood_of_errors_is_ended_too(run):
    result = run("import sys\nwhile True:\n    sys.stderr.write('x' * 1000)\n", limits={"output_bytes": 1000})
    assert result["flooded"]
    assert len(result["stderr"]) < 1100


def test_the_home_directory_cannot_be_read(run, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    home, secret = str(Path.home()), str(tmp_path / "secret.txt")
    text = f"""
import os
for path in ({home!r}, {str(Path(__file__).parent)!r}, "/etc/passwd", "/etc/shadow", {secret!r}, "/home"):
    try:
        print(path, os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError:
        print("refused")
"""
    lines = run(text)["stdout"].splitlines()
    kept = [line for line in lines if line != "refused"]
    # where the interpreter itself lies below the home directory, the first folder on its path is all that shows
    first = os.path.relpath(os.path.realpath(sys.base_prefix), home).split("/")[0]
    assert all(line == f"{home} [{first!r}]" for line in kept), kept
    assert not any(SECRET in line for line in lines)


def test_the_environment_of_the_parent_cannot_be_read(run):
    text = """
import glob, os
print(dict(os.environ))
for path in ["/proc/self/environ", "/proc/1/environ", *glob.glob("/proc/*/environ")]:
    try:
        print(open(path, "rb").read())
    except OSError:
        print("refused")
"""
    result = run(text)
    assert SECRET not in result["stdout"]
    assert "refused" in result["stdout"]
    assert result["exit"] == 0


def test_nothing_outside_the_scratch_folder_can_be_written(run, tmp_path):
    tmp_path.chmod(0o777)
    text = f"""
import os
open("inside.txt", "w").write("fine")
for path in ({str(tmp_path / "x")!r}, "/x", "/etc/x", "/usr/lib/x", "/dev/x", "/box/x", "/var/tmp/x", "/root/x"):
    try:
        open(path, "w").write("x")
        print("wrote", path)
    except OSError:
        pass
print(open("inside.txt").read())
"""
    result = run(text)
    assert result["stdout"] == "fine\n"
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_is_gone_with_its_program(run):
    run("open('left.txt', 'w').write('x')\nimport os\nos.makedirs('/dev/shm', exist_ok=True)")
    assert run("import os\nprint(os.listdir('.'), os.path.exists('/dev/shm/left'))")["stdout"] == "[] False\n"


def test_a_scratch_folder_is_bounded(run):
    text = """
try:
    with open("big", "wb") as file:
        for _ in range(100):
            file.write(b"x" * 1_000_000)
    print("all written")
except OSError as error:
    print("stopped")
"""
    result = run(text)
    assert "all written" not in result["stdout"]


@pytest.mark.parametrize(
    "kind",
    ["socket.AF_INET, socket.SOCK_STREAM", "socket.AF_INET, socket.SOCK_DGRAM", "socket.AF_UNIX", "socket.AF_NETLINK"],
)
def test_no_socket_can_be_opened(run, kind):
    result = run(f"import socket\nsocket.socket({kind})\nprint('open')")
    assert result["stdout"] == ""
    assert "PermissionError" in result["stderr"]


def test_a_url_cannot_be_fetched(run):
    result = run("import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1:80').read())")
    assert result["exit"] == 1
    assert result["stdout"] == ""


def test_the_parent_cannot_be_killed(run):
    text = f"""
import os, signal
for pid in (os.getppid(), 1, -1, {os.getpid()}, 2, 3, 4):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        if pid != os.getpid():
            try:
                os.kill(pid, number)
            except OSError:
                pass
print("still here")
"""
    result = run(text)
    assert result["stdout"] == "still here\n" or result["signal"] is not None or result["timed_out"]
    assert run.still_works()


def test_the_limits_of_the_guard_cannot_be_changed(run):
    text = "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0))"
    assert "PermissionError" in run(text)["stderr"]


def test_proc_shows_nobody_else(run):
    text = """
import glob
seen = []
for path in glob.glob("/proc/[0-9]*/cmdline") + ["/proc/1/mem", "/proc/self/root/etc/passwd", "/proc/1/root/root"]:
    try:
        seen.append(open(path, "rb").read(100))
    except OSError:
        pass
print(seen)
"""
    assert run(text)["stdout"] == "[]\n"


def test_other_processes_cannot_be_traced_or_read(run):
    text = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.ptrace(16, os.getppid(), 0, 0), ctypes.get_errno())
buffer = ctypes.create_string_buffer(8)
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
local, remote = Vec(ctypes.addressof(buffer), 8), Vec(ctypes.addressof(buffer), 8)
print(libc.process_vm_readv(os.getppid(), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0), ctypes.get_errno())
"""
    assert run(text)["stdout"] == "-1 1\n-1 1\n"


def test_no_namespace_or_mount_can_be_made(run):
    text = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for call in (lambda: libc.unshare(0x10000000), lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
             lambda: libc.umount2(b"/proc", 2), lambda: libc.chroot(b"."), lambda: libc.setuid(12345)):
    print(call())
"""
    assert set(run(text)["stdout"].split()) == {"-1"}


def test_a_symlink_leads_nowhere(run, tmp_path):
    (tmp_path / "secret.txt").write_text(SECRET)
    text = f"""
import os
for target in ("/etc/passwd", {str(tmp_path / "secret.txt")!r}, "../../../../etc/shadow"):
    if os.path.lexists("link"):
        os.unlink("link")
    try:
        os.symlink(target, "link")
        print(open("link").read())
    except OSError:
        print("refused")
"""
    assert run(text)["stdout"] == "refused\n" * 3


def test_a_file_name_cannot_leave_the_scratch_folder(run):
    request = Request(model="sandbox", kind="run", text="print(1)", extra={"files": {"../x": "y"}})
    reply = run.loop.run(run.sandbox.answer(request))
    assert "leaves the scratch folder" in (reply.error or "")
    assert run.still_works()


def test_no_process_is_left_behind(run):
    before = idle(run)
    text = """
import os, time
for _ in range(3):
    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
    except OSError:
        pass
print("done")
"""
    result = run(text)
    assert result["stdout"].endswith("done\n")
    assert result["seconds"] < 600
    assert run.still_works()
    assert settles(run, before)


def test_one_program_leaves_nothing_for_the_next(run):
    run("import builtins, sys, random\nbuiltins.leak = 1\nsys.modules['leak'] = sys\nrandom.seed(3)")
    text = "import builtins, sys\nprint(hasattr(builtins, 'leak'), 'leak' in sys.modules)"
    assert run(text)["stdout"] == "False False\n"


def test_a_program_sees_no_frame_and_no_text_of_another(run):
    run("marker = 'a secret of ' + 'the first program'")
    text = """
import gc, sys
frame, texts = sys._getframe(), []
while frame:
    texts += [str(value) for value in frame.f_locals.values() if isinstance(value, str)]
    frame = frame.f_back
found = [t for t in texts if "a secret of" in t and "gc, sys" not in t]
found += [o for o in gc.get_objects() if isinstance(o, str) and o == "a secret of the first program"]
print(found)
"""
    assert run(text)["stdout"] == "[]\n"
