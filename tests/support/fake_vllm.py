"""A program that looks like vLLM's server: its arguments, its routes, a child process, its log, its ways to die.

The served folder's ``fake.json`` says how it behaves: ``start_s``, ``dies`` (a log it prints before it ends at once),
``dies_at_start_number`` (only that start), ``reward``, ``notes`` (a folder where starts and calls are counted). What a
message says makes it die: ``crash ID`` once for each ID, ``hang ID``, ``oom ID``, ``stall ID`` (that question never
ends), ``poison`` always.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("-m", dest="module")
for name in ("--model", "--served-model-name", "--host", "--max-model-len"):
    parser.add_argument(name)
parser.add_argument("--port", type=int)
asked, _ = parser.parse_known_args()
behave = json.loads((Path(asked.model) / "fake.json").read_text())
notes = Path(behave["notes"])
hung, working = threading.Event(), []


def note(kind, text):
    with (notes / kind).open("a") as file:
        file.write(text + "\n")


def first_time(what):
    try:
        (notes / what.replace(" ", "-")).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def die(code=None):
    sys.stdout.flush()
    if code is None:
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(code)


OOM = "(EngineCore pid=7) ERROR 11-21 00:00:00 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB"


def misbehave(text):
    if "poison" in text:
        die()
    for line in text.split(";"):
        word = line.strip()
        if word.startswith(("crash ", "hang ", "oom ")) and first_time(word):
            if word.startswith("oom "):
                print(OOM, flush=True)
                die(1)
            if word.startswith("crash "):
                die()
            hung.set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, body, status=200):
        self.say_text(json.dumps(body), status)

    def say_text(self, text, status=200):
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if hung.is_set():
            time.sleep(3600)
        routes = {
            "/health": {}, "/version": {"version": "0.0-fake"},
            "/openapi.json": {"paths": {"/classify": {}} if behave.get("reward") else {}},
            "/v1/models": {"data": [{"id": asked.served_model_name, "root": asked.model, "max_model_len": 64}]},
        }  # fmt: skip
        if self.path == "/metrics":
            self.say_text(f'vllm:num_requests_running{{a="b"}} {len(working)}.0\nvllm:generation_tokens_total 7.0\n')
        else:
            self.say(routes.get(self.path, {}), 200 if self.path in routes else 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/tokenize":
            return self.say({"tokens": tokens(body)})
        if self.path == "/classify":
            return self.say(
                {
                    "data": [{"index": 0, "probs": [len(body["messages"][-1]["content"]) / 2]}],
                    "usage": {"prompt_tokens": 3},
                }
            )
        if self.path == "/v1/completions":
            ids = body["prompt"]
            given = [None, *({str(i): {"logprob": -i / 1024, "decoded_token": chr(i)}} for i in ids[1:])]
            return self.say(
                {"choices": [{"index": 0, "text": "x", "finish_reason": "length", "prompt_logprobs": given}]}
            )
        text = body["messages"][-1]["content"]
        misbehave(text)
        if hung.is_set():
            time.sleep(3600)
        if text.startswith("stall ") and first_time(text):
            working.append(text)
            time.sleep(3600)
        time.sleep(behave.get("answer_s", 0.0))
        note("answered", json.dumps([text, body["max_tokens"], os.getpid()]))
        if "refuse" in text:
            return self.say({"error": {"message": "I refuse", "code": 400}}, 400)
        return self.say({
            "id": "1", "model": asked.served_model_name,
            "choices": [
                {"index": i, "finish_reason": "stop", "message": said(f"{text}/{body.get('seed', 0) + i}")}
                for i in range(body.get("n", 1))
            ],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        })  # fmt: skip


def said(text):
    return {"role": "assistant", "content": text}


def tokens(body):
    if "prompt" in body:
        return [ord(letter) for letter in body["prompt"]]
    ids = []
    for message in body["messages"]:
        ids += [900 if message["role"] == "user" else 901, *(ord(letter) for letter in message["content"]), 999]
    if body.get("continue_final_message"):
        return ids[:-1]
    return ids + ([901] if body.get("add_generation_prompt", True) else [])


class Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


note(
    "starts",
    json.dumps([os.getpid(), sys.argv[1:], os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("HF_HUB_OFFLINE")]),
)
number = len((notes / "starts").read_text().splitlines())
print(
    "INFO 11-21 00:00:00 [core.py:1] Initializing a V1 LLM engine (v0.0) with config: model='m', dtype=torch.float32",
    flush=True,
)
if behave.get("dies") and behave.get("dies_at_start_number", number) == number:
    print(behave["dies"], flush=True)
    die(1)
core = subprocess.Popen(["sleep", "3600"])
note("cores", str(core.pid))
time.sleep(behave.get("start_s", 0.0))
Server((asked.host, asked.port), Handler).serve_forever()
