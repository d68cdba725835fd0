from itertools import pairwise

from gateway.ladder import Ladder, Rung


def climbed(ladder, silences, stall_s=10.0):
    return [(silence, rung) for silence in silences if (rung := ladder.climb(float(silence), stall_s))]


def test_refreshes_then_runs_again_then_ever_more_rarely():
    found = climbed(Ladder(), range(200))
    assert found == [(11, Rung.REFRESH), *((at, Rung.RUN_AGAIN) for at in (16, 33, 67, 135))]


def test_tries_at_least_once_an_hour():
    silences = [silence for silence, _ in climbed(Ladder(), range(0, 86_400, 10))]
    assert max(later - earlier for earlier, later in pairwise(silences)) <= 3610


def test_what_can_not_be_refreshed_is_run_again_instead():
    ladder = Ladder()
    assert not ladder.climbed
    assert ladder.climb(11.0, 10.0) is Rung.REFRESH
    assert ladder.skip(11.0) is Rung.RUN_AGAIN
    assert ladder.climbed
    assert climbed(ladder, range(11, 40)) == [(23, Rung.RUN_AGAIN)]
