from types import SimpleNamespace

from flows.progress import _flying, working
from tasks.backends.openai_away import Away
from tasks.spending import Tally


def test_what_is_being_done_is_not_shown_where_nobody_looks(capfd):
    with working("selecting") as say:
        say("checking")
    assert capfd.readouterr() == ("", "")


def test_calls_that_wait_to_be_made_again_are_shown_with_the_last_error():
    away = Away("m", 60.0)
    backends = {"m": SimpleNamespace(away=away), "rule": SimpleNamespace()}
    driver = SimpleNamespace(backends=backends, tally=Tally(waiting=256, in_flight=11))
    assert _flying(driver) == "256 waiting, 11 in flight"
    away.waiting, away.what = 3, "HTTP 503"
    assert _flying(driver) == "256 waiting, 8 in flight, 3 retrying (last: HTTP 503)"
