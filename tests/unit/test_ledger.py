from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import Ledger
from gateway.model import Outcome

EVENTS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.none() | st.sampled_from(list(Outcome))))


@given(EVENTS)
def test_every_message_is_in_one_account_only(events):
    ledger = Ledger(["a", "b"])
    open_messages = {"a": 0, "b": 0}
    for source, outcome in events:
        if outcome is None:
            ledger.received(source)
            open_messages[source] += 1
        elif open_messages[source]:
            ledger.ended(source, outcome)
            open_messages[source] -= 1
    assert {source: ledger.of(source).in_flight for source in open_messages} == open_messages
    total = ledger.total()
    assert total["received"] == sum(count for key, count in total.items() if key != "received")


def test_what_earlier_runs_counted_is_not_of_this_start():
    ledger = Ledger(["a"])
    ledger.restore({"a": (7, 1, 0, 0, 2), "gone": (1, 0, 0, 0, 0)})
    ledger.received("a")
    ledger.ended("a", Outcome.STORED)
    account = ledger.of("a")
    assert (account.stored, account.dropped_since_start) == (8, 0)
    assert {outcome: count for outcome, count in account.since_start().items() if count} == {Outcome.STORED: 1}
    assert list(ledger.accounts()) == [("a", account)]


@given(EVENTS)
def test_to_count_many_out_is_to_count_each(events):
    ends = [(source, outcome) for source, outcome in events if outcome is not None]
    one_by_one, together = Ledger(["a", "b"]), Ledger(["a", "b"])
    for end in ends:
        one_by_one.ended(*end)
    together.all_ended(ends)
    assert together.totals() == one_by_one.totals()
