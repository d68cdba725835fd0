"""Each ``seq`` is accounted for once, with the reason why it doesn't come."""

from gateway.journal import Stored
from gateway.journal.condensing import Condensed, condensed
from gateway.live.packets import account
from gateway.live.watches import Watch
from gateway.model import encode_body

BROKEN = [*range(1, 31), *range(61, 101)]
"""Damage took 31 to 60."""


def view(seqs: list[int], budget: int) -> Condensed:
    found = [Stored(seq, float(seq), encode_body(float(seq), {"v": seq})) for seq in seqs]
    return condensed(lambda **_: found[::-1], 0, seqs[-1], budget)


def gaps(of: Condensed, upto: int) -> list[tuple[object, ...]]:
    events = [payload for event, payload in account(Watch("v", "d", 0), upto, of, "expired") if event == "gap"]
    return [(gap["from"], gap["to"], gap["reason"]) for gap in events]


def test_what_damage_took_is_told_to_one_who_is_sent_the_rest() -> None:
    assert gaps(view(BROKEN, 10**6), 100) == [(31, 60, "expired")]


def test_what_damage_took_is_not_blamed_on_a_slow_line() -> None:
    found = gaps(view(BROKEN, 0), 100)
    assert [gap for gap in found if gap[2] == "expired"] == [(31, 60, "expired")]
    assert {gap[2] for gap in found} == {"expired", "slow"}
    accounted = [seq for first, last, _ in found for seq in range(first, last + 1)]
    assert accounted == sorted(set(accounted))
    kept = {stored.seq for stored in view(BROKEN, 0).kept}
    assert set(accounted) | kept == set(range(1, 101))
    assert not set(accounted) & kept


def test_one_who_is_slow_and_misses_nothing_else_is_told_just_that() -> None:
    assert {gap[2] for gap in gaps(view(list(range(1, 101)), 0), 100)} == {"slow"}
