import pytest

from tasks.filters.personal_data import personal_data
from tests.support.pairs import pair, pairs, removed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("Write to jane.doe+x@mail.uni-mainz.de today", "email", id="an address"),
        pytest.param("Write to jane@example.com", None, id="an address of documentation"),
        pytest.param("Call +49 6131 39 22111 now", "phone", id="a German number"),
        pytest.param("Call (212) 736-5000", "phone", id="an American number"),
        pytest.param("Call 212-555-0142", None, id="a number of films"),
        pytest.param("Card 4539 1488 0343 6467", "card", id="a card with a right check digit"),
        pytest.param("Card 4539 1488 0343 6468", None, id="a card with a wrong check digit"),
        pytest.param("IBAN DE89 3704 0044 0532 0130 00", "iban", id="an account with a right check digit"),
        pytest.param("IBAN DE88 3704 0044 0532 0130 00", None, id="an account with a wrong check digit"),
        pytest.param("SSN 123-45-6789", "ssn", id="a social security number"),
        pytest.param("SSN 000-45-6789", None, id="a number never given"),
        pytest.param("12 * 345678901 = 4148146812", None, id="a sum"),
        pytest.param("version 8.8.4.4", None, id="addresses of machines are not asked for"),
    ],
)
def test_what_is_personal(text, kind):
    assert removed(personal_data(pairs(pair("1", text)))) == ({} if kind is None else {"1": f"{kind} in the chosen"})


def test_the_value_is_masked_and_sides_and_kinds_are_chosen():
    rows = pairs(pair("1", "jane@uni.de", prompt="dial 8.8.4.4 or 10.0.0.1 or bob@uni.de"))
    assert personal_data(rows, of="chosen")["value"].to_list() == ["ja*********"]
    assert removed(personal_data(rows)) == {"1": "email in the prompt"}
    assert removed(personal_data(rows, kinds=("ip",))) == {"1": "ip in the prompt"}
    assert removed(personal_data(rows, kinds=("ip",), of="chosen")) == {}
