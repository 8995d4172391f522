"""The pages of the browser, over a real socket."""

import http.client
import re
import threading
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from flows.browse import serve
from flows.cli import cli


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    lake = tmp_path_factory.mktemp("lake") / "l"
    ran = CliRunner().invoke(cli, ["run", "quickstart", "--limit", "60", "--root", str(lake), "--json"])
    assert ran.exit_code == 0, ran.output
    with serve(str(lake)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def get(port, path, host="127.0.0.1", **asked):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", f"{path}?{urlencode(asked)}", headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def count(text):
    found = re.search(r"<p>([\d,]+) pairs", text)
    assert found
    return int(found[1])


def test_versions_lead_to_the_report_and_to_pairs(address):
    status, text, headers = get(address, "/")
    assert status == 200
    assert "quickstart@v1" in text
    assert 'href="/pairs?of=quickstart%40v1"' in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "How it was made" in get(address, "/report", of="quickstart@v1")[1]


def test_pairs_are_found_by_words_margin_and_policy_a_page_at_a_time(address):
    whole = get(address, "/pairs", of="quickstart@v1")[1]
    assert count(whole) > 20
    assert whole.count("<article>") == 20
    assert 'start=20">next</a>' in whole
    later = get(address, "/pairs", of="quickstart@v1", start=20)[1]
    assert later.count("<article>") == min(20, count(whole) - 20)
    assert 'start=0">previous</a>' in later
    few = get(address, "/pairs", of="quickstart@v1", text="Answer: 12")[1]
    assert 0 < count(few) < count(whole)
    assert count(get(address, "/pairs", of="quickstart@v1", least=2)[1]) == 0
    assert count(get(address, "/pairs", of="quickstart@v1", most=1, policy="embedded")[1]) == count(whole)


def test_a_pair_leads_to_everything_behind_it(address):
    pair = re.search(r'href="/pair\?id=(\w+)"', get(address, "/pairs", of="quickstart")[1])
    assert pair
    status, text, _ = get(address, "/pair", id=pair[1])
    assert status == 200
    assert "<td>math</td><td>chosen</td>" in text
    assert "<td>quickstart@v1</td>" in text
    assert "embedded" in text


def test_what_cannot_be_shown_says_why_and_does_no_harm(address):
    assert get(address, "/nowhere")[0] == 404
    status, text, _ = get(address, "/pairs", of="<script>@v1")
    assert (status, "<script>" in text) == (400, False)
    assert get(address, "/pairs", of="quickstart@v1", least="x")[0] == 400
    assert '"&quot;&gt;&lt;b&gt;"' in get(address, "/pairs", of="quickstart@v1", text='"><b>')[1]


def test_another_sites_name_for_this_machine_reads_nothing(address):
    status, text, _ = get(address, "/", host="evil.example.net")
    assert (status, "quickstart" in text) == (403, False)


def test_a_port_that_is_taken_is_named(address, tmp_path):
    CliRunner().invoke(cli, ["run", "quickstart", "--limit", "2", "--root", str(tmp_path / "l"), "--json"])
    ran = CliRunner().invoke(cli, ["browse", "--port", str(address), "--root", str(tmp_path / "l")])
    assert ran.exit_code != 0
    assert f"port {address} cannot be opened" in str(ran.exception)


def test_judgments_are_found_by_judge_outcome_and_words_and_show_what_they_are_about(address):
    whole = get(address, "/judgments")[1]
    assert "<p>360 judgments, 1 to 20.</p>" in whole
    assert '<option value="math">' in whole
    assert "What is " in whole
    assert "Answer: " in whole
    assert "<p>360 judgments" in get(address, "/judgments", judge="math", outcome="valid", kind="pointwise")[1]
    assert "<p>0 judgments.</p>" in get(address, "/judgments", outcome="valid", judge="nobody")[1]
    said = re.search(r"answer &#x27;(-?\d+)&#x27;", whole)
    assert said
    few = get(address, "/judgments", text=f"answer '{said[1]}'")[1]
    assert said[0] in few
    assert "<p>360 " not in few
    assert 'start=340">next</a>' in get(address, "/judgments", start=320)[1]
    assert "next</a>" not in get(address, "/judgments", start=340)[1]


def test_pairs_come_in_the_order_asked_for(address):
    wide = get(address, "/pairs", of="quickstart@v1", order="widest")[1]
    assert '<option selected value="widest">' in wide
    assert count(wide) == count(get(address, "/pairs", of="quickstart@v1")[1])
