import pytest

from tasks.filters.secrets import secrets
from tests.support.pairs import pair, pairs, removed

BODY = "Zk3vQ9xT7mLr2WbN8pYc4HdJ6sFg5KtR"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("-----BEGIN RSA PRIVATE" + " KEY-----\nMIIE", "private key", id="a key"),
        pytest.param("AKI" + "AQ3EGRTYUIOP4M2XB", "AWS key", id="aws"),
        pytest.param("gh" + f"p_{BODY}Zk3v", "GitHub token", id="github"),
        pytest.param("hf" + f"_{BODY}Zk", "Hugging Face token", id="hugging face"),
        pytest.param("s" + f"k-proj-{BODY}", "API key", id="api"),
        pytest.param("postgres://app:s3cret" + "Word@db.intern/x", "address with password", id="an address"),
        pytest.param("postgres://app:$PASSWORD@db/x", None, id="an address with a variable"),
        pytest.param("AKI" + "AIOSFODNN7EXAMPLE", None, id="the key of the documentation"),
        pytest.param("sk-" + "x" * 40, None, id="a mask"),
        pytest.param("ask-me-anything-about-the-long-hyphenated-words", None, id="prose"),
    ],
)
def test_what_is_a_secret(text, kind):
    assert removed(secrets(pairs(pair("1", text)))) == ({} if kind is None else {"1": f"{kind} in the chosen"})


def test_a_made_up_key_does_not_hide_a_real_one_and_the_value_tells_little():
    rows = pairs(pair("1", "AKI" + "AIOSFODNN7EXAMPLE", "AKI" + "AIOSFODNN7EXAMPLE then AKI" + "AQ3EGRTYUIOP4M2XB"))
    assert secrets(rows).rows() == [("1", "AWS key in the rejected", "AKIAQ3…")]
