import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest
from click.testing import CliRunner

from flows.cli import cli
from schemas.errors import EndpointError, UsageError
from tasks import embed as module
from tasks.embed import embed


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/embeddings"
        self.server.asked.append(asked["input"])
        answer = self.server.answer(asked["input"])
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def vectors(texts):
    data = [{"index": i, "embedding": [float(len(text)), 1.0]} for i, text in enumerate(texts)]
    return {"data": data[::-1]}  # the order is the index's, not the list's


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.asked, made.answer = [], vectors
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    made.spec = f"openai:http://127.0.0.1:{made.server_address[1]}/v1:tiny?tries=2"
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_each_text_is_bought_once_and_kept(server, tmp_path):
    texts = pl.Series(["a", "bbb", "a", None, "cc"])
    assert embed(texts, server.spec, tmp_path / "v", batch=2) == {"texts": 3, "held": 0, "bought": 3}
    assert sorted(map(len, server.asked)) == [1, 2]
    kept = pl.read_parquet(tmp_path / "v" / "*.parquet").sort("text")
    assert kept.rows() == [("a", [1.0, 1.0]), ("bbb", [3.0, 1.0]), ("cc", [2.0, 1.0])]
    more = pl.concat([texts, pl.Series(["dddd"])])
    assert embed(more, server.spec, tmp_path / "v") == {"texts": 4, "held": 3, "bought": 1}
    assert server.asked[-1] == ["dddd"]


@pytest.mark.parametrize(("part", "batch"), [(2, 2), (4, 1)], ids=["in another file", "in the same file"])
def test_what_was_bought_beside_a_failure_is_kept(server, tmp_path, monkeypatch, part, batch):
    monkeypatch.setattr(module, "PART", part)
    server.answer = lambda texts: (400, {"error": {"message": "too long"}}) if "c" in texts else vectors(texts)
    with pytest.raises(EndpointError, match="HTTP 400: too long; what was bought is kept"):
        embed(pl.Series(["a", "b", "c"]), server.spec, tmp_path, batch=batch)
    server.answer = vectors
    assert embed(pl.Series(["a", "b", "c"]), server.spec, tmp_path) == {"texts": 3, "held": 2, "bought": 1}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"data": [{"index": 0, "embedding": [1.0]}]}, id="too few"),
        pytest.param({"data": [{"index": i, "embedding": [1.0] * (i + 1)} for i in range(2)]}, id="two lengths"),
        pytest.param({"choices": []}, id="something else"),
    ],
)
def test_an_answer_that_is_no_list_of_vectors_is_an_error(server, tmp_path, answer):
    server.answer = lambda _texts: answer
    with pytest.raises(EndpointError, match="embeddings"):
        embed(pl.Series(["a", "b"]), server.spec, tmp_path)
    assert not list(tmp_path.glob("*.parquet"))


def test_a_folder_is_of_one_model(server, tmp_path):
    embed(pl.Series(["a"]), server.spec, tmp_path)
    with pytest.raises(UsageError, match=r"holds vectors of openai:.*:tiny, not of openai:.*:other"):
        embed(pl.Series(["a"]), server.spec.replace("tiny", "other"), tmp_path)


def test_the_command_reads_prompts_as_a_run_does(server, tmp_path):
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "one"}\n{"prompt": "three"}\n')
    ran = CliRunner().invoke(cli, ["embed", str(file), "--model", server.spec, "--to", str(tmp_path / "v"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout) == {"texts": 2, "held": 0, "bought": 2}
    assert set(pl.read_parquet(tmp_path / "v" / "*.parquet")["text"]) == {"one", "three"}
