import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import Queries, Stored
from tests.support.journals import START, entry, opened, reading

PURGED = 300


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Queries, dict[str, list[Stored]]]]:
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
        it.put([entry(*[reading(device, ts, seq) for seq, ts, _ in all_]) for device, all_ in oracle.items()])
        store = it.journal._store
        store.purge(store.heads["jumping"], PURGED, 2**60)
        oracle["jumping"] = oracle["jumping"][PURGED:]
        queries = Queries(path)
        yield queries, oracle
        queries.close()


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
        queries = Queries(path)
        assert [one.seq for one in queries.after("a", 0, None, 200)] == [1, 2, 3]
        assert [one.seq for one in queries.after("a", 9, None, 200)] == [10]
        assert [one.seq for one in queries.after("a", 3, None, 200, most_bytes=1)] == [4]
        queries.close()


def test_a_range_of_time_looks_only_at_the_spans_that_meet_it(kept) -> None:
    queries, _ = kept
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    queries.stats()
    queries._connection.set_progress_handler(count, 100)
    (found,) = queries.page("forward", after=None, start_ts=START + 900, end_ts=START + 900, limit=10, descending=False)
    queries._connection.set_progress_handler(None, 0)
    assert found.seq == 901
    assert steps[0] * 100 < 256 * 2 * 15  # a step of SQLite's machine; some 15 a row, 1400 rows in all


def test_stats_count_what_is_kept(kept) -> None:
    queries, oracle = kept
    stats = queries.stats()
    assert stats.readings == sum(map(len, oracle.values()))
    assert stats.oldest_ts == min(all_[0].ts for all_ in oracle.values())
    assert stats.bytes > 4096


def test_stats_of_an_empty_journal(path: Path) -> None:
    with opened(path):
        stats = Queries(path).stats()
    assert (stats.readings, stats.oldest_ts) == (0, None)
