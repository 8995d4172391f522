from flows.progress import working


def test_what_is_being_done_is_not_shown_where_nobody_looks(capfd):
    with working("selecting") as say:
        say("checking")
    assert capfd.readouterr() == ("", "")
