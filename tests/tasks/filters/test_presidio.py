import importlib.util
from pathlib import Path

import pytest

from flows.plan import Request, make
from schemas.errors import MissingExtraError
from schemas.messages import assistant
from tasks.filters.presidio import presidio
from tests.support.preferences import pairs

ROOT = Path(__file__).resolve().parents[3]
HERE = importlib.util.find_spec("presidio_analyzer") is not None
ROWS = pairs([
    {"chosen": assistant("Write to jane.doe@gmail.com, please.")},
    {"chosen": assistant("My card is 4111 1111 1111 1111.")},
    {"chosen": assistant("Nothing to see.")},
])  # fmt: skip


@pytest.mark.skipif(HERE, reason="presidio-analyzer is installed")
def test_without_the_library_the_install_line_is_named():
    with pytest.raises(MissingExtraError, match=r"pip install -e '\.\[privacy\]'"):
        presidio(ROWS)


@pytest.mark.skipif(HERE, reason="presidio-analyzer is installed")
def test_a_recipe_that_needs_the_library_says_so_before_anything_is_asked(tmp_path):
    text = (ROOT / "recipes" / "quickstart.yaml").read_text().replace("  - gate:", "  - filter: presidio\n  - gate:")
    (tmp_path / "private.yaml").write_text(text.replace("name: quickstart", "name: private"))
    with pytest.raises(MissingExtraError, match="this needs presidio-analyzer"):
        make(Request(recipe=str(tmp_path / "private.yaml")))


@pytest.mark.skipif(not HERE, reason="needs the extra privacy")
@pytest.mark.filterwarnings("ignore")
def test_patterns_are_recognised_without_a_pipeline():
    found = presidio(ROWS, of="chosen", entities=("EMAIL_ADDRESS", "CREDIT_CARD"))
    assert found.rows() == [
        ("0", "EMAIL_ADDRESS in the chosen", "ja" + "*" * 16), ("1", "CREDIT_CARD in the chosen", "41" + "*" * 17),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="knows no entity 'COLOUR'"):
        presidio(ROWS, entities=("COLOUR",))
    with pytest.raises(ValueError, match="has no pipeline 'nope'"):
        presidio(ROWS, pipeline="nope")


@pytest.mark.slow
@pytest.mark.skipif(not HERE, reason="needs the extra privacy")
@pytest.mark.filterwarnings("ignore")
def test_names_are_recognised_by_a_pipeline_in_a_folder(tmp_path):
    import spacy

    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "Turin"}])
    pipeline.to_disk(tmp_path / "names")
    rows = pairs([
        {"chosen": assistant("Ada Lovelace wrote it.")},
        {"chosen": assistant("It was written by Ada.")},
        {"chosen": assistant("She never lived in Turin.")},
    ])  # fmt: skip
    assert presidio(rows, of="chosen").rows() == []
    found = presidio(rows, of="chosen", pipeline=str(tmp_path / "names"))
    assert found.rows() == [
        ("0", "PERSON in the chosen", "Ad" + "*" * 10), ("2", "LOCATION in the chosen", "Tu" + "*" * 3),
    ]  # fmt: skip
