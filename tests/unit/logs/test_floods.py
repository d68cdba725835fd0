import pytest

from gateway.logs.floods import Floods


@pytest.fixture
def floods(clock):
    return Floods(burst=2)


def said(floods, count, kind="a"):
    return [floods.passes(kind, number) for number in range(count)]


def test_the_first_pass_and_the_rest_is_summed_up(clock, floods):
    assert said(floods, 5) == [True, True, False, False, False]
    assert said(floods, 1, "another kind") == [True]
    clock[0] += 59.0
    assert floods.due() == []
    clock[0] += 1.0
    ((kind, summary),) = floods.due()
    assert (kind, *summary, summary.span) == ("a", 4, 3, 60.0, "60 s")


def test_while_it_lasts_a_summary_comes_ever_more_rarely(clock, floods):
    said(floods, 3)
    spans = []
    for _ in range(60 * 60):
        clock[0] += 1.0
        assert said(floods, 1) == [False]
        spans += [summary.span for _, summary in floods.due()]
    assert spans == ["60 s"] + ["10 min"] * 5


def test_after_a_quiet_window_it_begins_anew(clock, floods):
    said(floods, 3)
    clock[0] += 60.0
    assert len(floods.due()) == 1
    clock[0] += 600.0
    assert floods.due() == []
    assert said(floods, 3) == [True, True, False]


def test_what_comes_again_and_again_is_held_back_however_slowly(clock, floods):
    passed = []
    for second in range(3600):
        clock[0] += 1.0
        passed += said(floods, 1) if second % 50 == 0 else []
        floods.due()
    assert passed.count(True) == 2


def test_at_the_end_nothing_is_left_unsaid(clock, floods):
    said(floods, 3)
    clock[0] += 5.0
    assert [summary.held for _, summary in floods.due(all_now=True)] == [1]
    assert floods.due(all_now=True) == []


def test_it_says_when_to_come_again(clock, floods):
    assert floods.due_s is None
    said(floods, 1)
    clock[0] += 20.0
    assert floods.due_s == 40.0
    clock[0] += 80.0
    assert floods.due_s == 0.0


def test_kinds_are_bounded(floods, monkeypatch):
    monkeypatch.setattr("gateway.logs.floods._MOST_KINDS", 3)
    for kind in "abcd":
        said(floods, 3, kind)
    assert len(floods._floods) == 3
