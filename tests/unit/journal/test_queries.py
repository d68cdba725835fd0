import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import Queries, Stored, shelf
from gateway.journal.front import Front
from tests.support.journals import START, Opening, asking, entry, opened, reading

PURGED = 300


@pytest.fixture(scope="module", params=["in the log", "packed", "both", "both, by the writer's index"])
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Queries, dict[str, list[Stored]]]]:
    """A journal whose times run forward, jump and stand still, and all of it in memory."""
    chance = random.Random(7)
    times = {
        "forward": itertools.count(START),
        "jumping": iter(lambda: START + chance.randrange(3000), None),
        "still": itertools.repeat(START + 1500),
        "one": iter([START]),
    }
    oracle = {
        device: [
            Stored(seq, ts, reading(device, ts, seq).body) for seq, ts in enumerate(itertools.islice(clock, 1400), 1)
        ]
        for device, clock in times.items()
    }
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    with opened(path) as it:
        packed = {"in the log": 0, "packed": 1400}.get(request.param, 1200)
        fill(it, oracle, 0, packed)
        if packed:
            it.pack()
            Front(it.journal._store, 1e9).purge("jumping", int(START + 1 + PURGED) * 1000, cuts=True)
            oracle["jumping"] = oracle["jumping"][PURGED:]
        fill(it, oracle, packed, 1400)
        queries = asking(path, tails=it.journal.tails if "index" in request.param else None)
        yield queries, oracle
        queries.close()


def fill(it: Opening, oracle: dict[str, list[Stored]], after: int, upto: int) -> None:
    readings = [(device, one) for device, all_ in oracle.items() for one in all_ if after < one.seq <= upto]
    it.put([entry(reading(device, one.ts, one.seq), arrived=START + one.seq) for device, one in readings])


DEVICES = st.sampled_from(["forward", "jumping", "still", "one", "never heard of"])
LIMITS = st.one_of(st.integers(1, 20), st.integers(1, 3000))
SEQS = st.integers(-5, 1500)
TIMES = st.none() | st.floats(START - 100, START + 3200) | st.integers(-100, 3200).map(lambda n: START + n)


@given(device=DEVICES, after=SEQS, upto=st.none() | SEQS, limit=LIMITS)
def test_after_is_what_a_search_through_everything_finds(kept, device, after, upto, limit) -> None:
    queries, oracle = kept
    expected = [one for one in oracle.get(device, []) if after < one.seq and (upto is None or one.seq <= upto)]
    assert queries.after(device, after, upto, limit) == expected[:limit]


@given(device=DEVICES, after=st.none() | SEQS, start=TIMES, end=TIMES, limit=LIMITS, descending=st.booleans())
def test_a_page_is_what_a_search_through_everything_finds(kept, device, **filters) -> None:
    queries, oracle = kept
    after, start, end, limit, descending = (filters[name] for name in ("after", "start", "end", "limit", "descending"))
    everything = oracle.get(device, [])
    expected = [
        one
        for one in (reversed(everything) if descending else everything)
        if (after is None or (one.seq < after if descending else one.seq > after))
        and (start is None or one.ts >= start)
        and (end is None or one.ts <= end)
    ]
    found = queries.page(device, after=after, start_ts=start, end_ts=end, limit=limit, descending=descending)
    assert found == expected[:limit]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_follow_one_another_without_a_hole(kept, descending: bool) -> None:
    queries, oracle = kept
    pages, after = [], None
    while page := queries.page(
        "jumping", after=after, start_ts=START + 500, end_ts=None, limit=97, descending=descending
    ):
        pages += page
        after = page[-1].seq
    expected = [one for one in oracle["jumping"] if one.ts >= START + 500]
    assert pages == (expected[::-1] if descending else expected)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("start", [None, START])
def test_large_readings_make_short_pages_without_a_hole(kept, descending: bool, start: float | None) -> None:
    queries, oracle = kept
    limits = {"start_ts": start, "end_ts": None, "limit": 1000, "descending": descending, "most_bytes": 1000}
    pages, after = [], None
    while page := queries.page("forward", after=after, **limits):
        assert sum(len(one.body) for one in page[:-1]) <= 1000
        assert len(page) < 40
        pages += page
        after = page[-1].seq
    assert pages == (oracle["forward"][::-1] if descending else oracle["forward"])
    assert queries.page("forward", after=None, **limits | {"most_bytes": 0}) == pages[:1]


def test_a_part_for_a_viewer_is_short_where_readings_are_large(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(*[reading("a", START + n, "x" * 100_000) for n in range(10)])])
        queries = asking(path)
        assert [one.seq for one in queries.after("a", 0, None, 200)] == [1, 2, 3]
        assert [one.seq for one in queries.after("a", 9, None, 200)] == [10]
        assert [one.seq for one in queries.after("a", 3, None, 200, most_bytes=1)] == [4]
        queries.close()


def test_a_range_of_time_unpacks_only_the_blocks_that_meet_it(path: Path, monkeypatch) -> None:
    unpacked, load = [], shelf.load

    def load_noted(connection, head):
        unpacked.append(head.first)
        return load(connection, head)

    monkeypatch.setattr(shelf, "load", load_noted)
    with opened(path) as it:
        it.put([entry(*[reading("a", START + n) for n in range(5000)])])
        it.pack()
        unpacked.clear()
        queries = asking(path)
        (found,) = queries.page("a", after=None, start_ts=START + 3000, end_ts=START + 3000, limit=9, descending=False)
        queries.close()
    assert found.seq == 3001
    assert unpacked == [2049]


def test_stats_count_what_is_kept(kept) -> None:
    queries, oracle = kept
    stats = queries.stats()
    assert stats.readings == sum(map(len, oracle.values()))
    assert stats.oldest_ts == min(all_[0].ts for all_ in oracle.values())
    assert stats.bytes > 4096


def test_stats_of_an_empty_journal(path: Path) -> None:
    with opened(path):
        stats = asking(path).stats()
    assert (stats.readings, stats.oldest_ts) == (0, None)
