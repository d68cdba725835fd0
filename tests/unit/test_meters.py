from functools import reduce
from math import inf
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from gateway.meters import Distribution, Meters
from gateway.model import Entry, Outcome, RawMessage, Reading

VALUES = st.lists(st.tuples(st.floats(0, 200), st.integers(1, 5)))


def entry(source, count):
    readings = [Reading("d", 0.0, {}, b"{}") for _ in range(count)]
    return Entry(source, RawMessage(b"", 0.0), Outcome.STORED, readings)


@given(VALUES)
def test_each_value_is_in_the_steps_that_it_fits_into(values):
    seen = Distribution()
    for value, count in values:
        seen.observe(value, count)
    steps = list(seen.cumulative())
    assert steps == [(bound, sum(count for value, count in values if value <= bound)) for bound, _ in steps]
    assert steps[-1] == (inf, sum(count for _, count in values))
    assert seen.sum == reduce(add, (value * count for value, count in values), 0.0)  # ``sum`` rounds less since 3.12


def test_a_commit_counts_its_readings_by_source_and_itself_once():
    meters = Meters()
    meters.committed([entry("a", 2), entry("b", 1), entry("a", 0)], took_s=0.02, waited_s=0.3)
    assert meters.readings == {"a": 2, "b": 1}
    assert dict(meters.commit_s.cumulative())[inf] == 1
    emitted = dict(meters.emission_s.cumulative())
    assert (emitted[0.25], emitted[0.5], emitted[inf]) == (0, 3, 3)
