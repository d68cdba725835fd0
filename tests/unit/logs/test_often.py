from gateway.logs import Defects, Throttled


def messages(caplog):
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


def test_throttled_says_the_first_of_each_source_and_sums_up_the_rest(clock, caplog):
    throttled = Throttled("x", "rejected")
    for number in range(5):
        throttled.warn("broker", f"no good {number}")
    throttled.warn("bench", "other source")
    assert [record.source for record in caplog.records] == ["broker", "bench"]
    assert messages(caplog) == [
        "source broker: message rejected: no good 0",
        "source bench: message rejected: other source",
    ]
    throttled.sum_up()
    assert messages(caplog) == []
    clock[0] += 60.0
    throttled.sum_up()
    assert messages(caplog) == ["source broker: 4 more messages rejected in 60 s, the last: no good 4"]


def test_throttled_sums_up_at_the_end(clock, caplog):
    throttled = Throttled("x", "dropped")
    throttled.warn("broker", "disk full")
    throttled.warn("broker", "disk full")
    messages(caplog)
    clock[0] += 2.0
    throttled.sum_up(all_now=True)
    assert messages(caplog) == ["source broker: 1 more messages dropped in 2 s, the last: disk full"]


def test_a_defect_is_told_once(caplog):
    defects = Defects("x")
    for _ in range(3):
        defects.report("publishing", ZeroDivisionError("a defect"))
    assert messages(caplog) == ["publishing failed"]
