import json

import pytest
from click.testing import CliRunner

from flows.cli import cli
from flows.offenders import offenders, write_docs
from flows.plan import Request, make
from flows.run import run
from schemas.errors import UsageError
from storage.store import Store


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = tmp_path_factory.mktemp("offenders") / "lake"
    settings = ("basics.max_length_win_rate=0.05", "basics.blocks=[length_win_rate]")
    result = run(make(Request("quickstart", settings=settings, limit=24)), str(root))
    assert result.status == "refused"
    return root, result.run_id


def test_the_rows_behind_what_was_refused_are_shown(lake):
    root, run_id = lake
    found = offenders(Store.open(str(root)), "quickstart@q1", most=2)
    assert list(found["rows"]) == ["basics.length_win_rate"]
    assert 1 <= len(found["rows"]["basics.length_win_rate"]) <= 2
    first = found["rows"]["basics.length_win_rate"][0]
    assert first["chosen_characters"] > first["rejected_characters"]
    assert offenders(Store.open(str(root)), run_id, most=2) == found


def test_a_check_that_held_can_be_looked_at_and_an_unknown_one_is_refused(lake):
    store = Store.open(str(lake[0]))
    assert offenders(store, "quickstart@q1", check="lost_prompts")["rows"] == {"basics.lost_prompts": []}
    with pytest.raises(UsageError, match=r"not checked for 'lost_prompt'; did you mean 'basics\.lost_prompts'"):
        offenders(store, "quickstart@q1", check="lost_prompt")


def test_the_command_prints_them_and_writes_pages(lake, tmp_path):
    arguments = ["offenders", "quickstart@q1", "--root", str(lake[0]), "--data-docs", str(tmp_path / "docs")]
    ran = CliRunner().invoke(cli, arguments)
    assert ran.exit_code == 0, ran.output
    assert "basics.length_win_rate blocks: the longer text" in ran.output
    page = (tmp_path / "docs" / "index.html").read_text()
    assert "basics" in page
    suite = (tmp_path / "docs" / "expectations" / "basics.html").read_text()
    assert "length_win_rate" in suite
    with pytest.raises(UsageError, match="is not empty"):
        write_docs({"version": "x", "checks": []}, tmp_path / "docs")
    ran = CliRunner().invoke(cli, [*arguments[:4], "--json"])
    assert json.loads(ran.stdout)["status"] == "quarantined"
