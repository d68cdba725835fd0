"""What may be under way to a viewer, by its answers."""

import pytest

from gateway.live.credit import FIRST_BYTES, Credit

MANY = 10**9


def grown(credit):
    """Return how much may be under way."""
    return next((size for size in range(0, 2**18, 64) if not credit.allows(credit.answered + size + 64)), MANY)


def answers(credit, upto, asked_at, at):
    """Let a viewer say that it has handled ``upto``."""
    credit.ask(upto, asked_at)
    credit.answer(at)


def served(credit, *, rate, seconds, way_s=0.0, incoming=84_000, at=0.0):
    """Let a viewer take ``rate`` bytes a second; return for how many seconds there was under way at most."""
    handed, taken, asked, most = credit.answered, credit.answered, None, 0.0
    for _ in range(int(seconds / 0.001)):
        at += 0.001
        taken = min(handed, taken + rate * 0.001)
        if asked and taken >= asked[0] and at >= asked[1] + way_s:
            credit.answer(at)
            asked = None
        if credit.allows(handed + incoming // 1000):
            handed += incoming // 1000
        if not credit.is_asked and handed >= credit.free:
            credit.ask(handed, at)
            asked = (handed, at)
        most = max(most, (handed - taken) / rate)
    return most


def test_little_may_be_under_way_to_one_that_has_not_answered():
    credit = Credit(500)
    assert credit.allows(500 + FIRST_BYTES)
    assert not credit.allows(500 + FIRST_BYTES + 1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 40_000, 70_000])
def test_what_is_under_way_to_a_slow_one_is_never_old(rate):
    credit = Credit()
    assert served(credit, rate=rate, seconds=30.0) <= 1.0


def test_one_that_takes_all_is_known_within_a_second_by_few_answers():
    credit = Credit()
    served(credit, rate=10**7, seconds=1.0)
    assert credit.free == grown(credit) * float("inf")


def test_a_long_way_is_no_slowness():
    credit = Credit()
    answers(credit, 100, 0.0, 0.5)
    served(credit, rate=10**7, way_s=0.5, seconds=5.0, at=0.5)
    assert grown(credit) == MANY


def test_one_that_answers_late_has_to_show_again_what_it_takes():
    credit = Credit()
    served(credit, rate=10**7, seconds=1.0)
    assert grown(credit) == MANY
    answers(credit, credit.answered + 5000, 10.0, 11.5)
    assert grown(credit) <= FIRST_BYTES


def test_a_way_that_grew_longer_is_known_once_little_is_on_it():
    credit = Credit()
    answers(credit, 100, 0.0, 0.01)
    answers(credit, 200, 1.0, 1.5)
    answers(credit, 5000, 2.0, 2.55)
    assert credit.way_s == pytest.approx(0.5)
    assert grown(credit) > FIRST_BYTES


def test_a_way_is_not_learned_from_what_waits_behind_more():
    credit = Credit()
    answers(credit, 100, 0.0, 0.01)
    credit.ask(5000, 1.0)
    credit.ask(5500, 1.0)
    credit.answer(1.9)
    credit.answer(2.0)
    assert credit.way_s == 0.01


def test_an_answer_that_was_not_asked_for_says_nothing():
    credit = Credit(7)
    credit.answer(1.0)
    assert (credit.answered, credit.is_asked) == (7, False)


def test_a_bound_that_grew_by_chance_becomes_less_again():
    credit = Credit()
    answers(credit, 100, 0.0, 0.01)
    for number in range(2):
        answers(credit, credit.answered + 4000, 1.0 + number, 1.05 + number)
    before = grown(credit)
    assert FIRST_BYTES < before < MANY
    answers(credit, credit.answered + 4000, 4.0, 4.5)
    assert grown(credit) < before
