"""kill -9 in mid-search: only what was in flight is asked again, and the nodes are those of an undisturbed run."""

from __future__ import annotations

import pytest

from benchmarks.search import engine
from benchmarks.search_kills import kills


@pytest.mark.slow
def test_a_search_killed_in_mid_search_asks_again_only_for_what_was_in_flight_and_grows_the_same_trees() -> None:
    with engine(64) as url:
        found = kills(url, 4, 160, simulations=16, slots=64, longest_s=1.5)

    assert found["kills"] == 4
    assert found["asked_again"] == found["in_flight_at_kills"] == found["asked"] - found["calls"] > 0
    assert found["most_in_flight_at_a_kill"] <= 64
    assert found["nodes"] > 160
    assert found["same_nodes"]
    assert found["same_digest"]
