from gateway.journal.age import Age
from tests.support.journals import START

YEAR_S = 365 * 86400.0


class Box:
    def __init__(self, now: float = START) -> None:
        self.now = now
        self.uptime = 1000.0

    def age(self, reached: float | None = START) -> Age:
        return Age(reached, lambda: self.now, lambda: self.uptime)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.uptime += seconds


def test_it_is_the_clocks_time_as_a_rule():
    box = Box()
    age = box.age()
    for _ in range(10):
        box.passes(3600)
        assert age.look() == box.now


def test_a_new_journal_believes_the_clock():
    assert Box().age(None).look() == START


def test_a_clock_that_is_not_set_says_nothing():
    box = Box(now=100.0)
    age = box.age()
    assert age.look() is None
    box.uptime += 3600
    box.now = START + 3600
    assert age.look() == START + 3600


def test_a_leap_ahead_is_caught_up_with_at_twice_the_pace_of_time():
    box = Box()
    age = box.age()
    box.now += 50 * YEAR_S
    assert age.look() == START
    box.passes(3600)
    assert age.look() == START + 7200


def test_a_leap_back_is_followed_at_once_and_undone_slowly():
    box = Box()
    age = box.age()
    box.now -= 86400
    assert age.look() == START - 86400
    box.now += 86400
    assert age.look() == START - 86400
    box.passes(86400)
    assert age.look() == START + 86400


def test_a_leap_that_is_put_right_leaves_nothing_behind():
    box = Box()
    age = box.age()
    box.now += 50 * YEAR_S
    box.passes(60)
    age.look()
    box.now -= 50 * YEAR_S
    assert age.look() == box.now == START + 60
