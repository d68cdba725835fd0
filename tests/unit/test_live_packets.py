"""Each ``seq`` is accounted for once, with the reason why it doesn't come."""

import pytest

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


def cut(missing: list[tuple[int, int]], after: int = 0) -> Condensed:
    """Return a view of 25,001 to 50,000, of which the older ones aren't looked at."""
    found = [Stored(seq, float(seq), encode_body(float(seq), {"v": seq})) for seq in range(25_001, 50_001)]
    return condensed(lambda **of: found[::-1][: of["limit"]], after, 50_000, 10**9, lambda low, high: missing)


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


@pytest.mark.parametrize(
    ("position", "told"),
    [
        (0, [(1, 99, "slow"), (100, 20_000, "expired"), (20_001, 30_000, "slow")]),
        (99, [(100, 20_000, "expired"), (20_001, 30_000, "slow")]),
        (5000, [(5001, 20_000, "expired"), (20_001, 30_000, "slow")]),
        (20_000, [(20_001, 30_000, "slow")]),
    ],
)
def test_where_numbers_leapt_before_what_is_looked_at_no_slow_line_is_blamed(
    position: int, told: list[tuple[int, int, str]]
) -> None:
    events = account(Watch("v", "d", position), 50_000, cut([(100, 20_000)], position), "expired")
    assert [(it["from"], it["to"], it["reason"]) for event, it in events if event == "gap"] == told


def test_one_who_is_slow_and_misses_nothing_else_is_told_just_that() -> None:
    assert {gap[2] for gap in gaps(view(list(range(1, 101)), 0), 100)} == {"slow"}
