"""Which filters overlap, and which copy of a message counts."""

import pytest

from adapters.mqtt.packets import subscribe_options
from adapters.mqtt.subscriptions import Copies, digest, overlap, subscriptions
from gateway.decoding.topics import TopicPattern


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/+", "+/b", True),
        ("a/+", "b/+", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/b/#", "a/+", True),
        ("a/b/#", "a", False),
        ("#", "a/b", True),
        ("+", "a/b", False),
        ("a/b", "a/b", True),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_routes_of_one_filter_are_one_subscription_with_the_higher_qos() -> None:
    wanted = subscriptions([("a/{device}", 0), ("b/#", 0), ("a/+", 2)])
    assert [(each.filter, each.qos) for each in wanted] == [("a/+", 1), ("b/#", 0)]


def test_a_state_comes_first_and_is_asked_for_at_each_connection() -> None:
    wanted = subscriptions([("a/#", 0), ("b/{device}", 0)], TopicPattern("a/{device}/status"))
    assert [(each.filter, each.qos, each.state) for each in wanted] == [
        ("a/+/status", 1, True),
        ("a/#", 0, False),
        ("b/+", 0, False),
    ]
    (same,) = subscriptions([("a/+", 0)], TopicPattern("a/{device}"))
    assert (same.qos, same.state) == (1, True)
    assert [subscribe_options(each).retainHandling for each in wanted] == [0, 1, 1]


def test_copies_are_possible_only_where_filters_overlap() -> None:
    assert not Copies(subscriptions([("a/{device}", 1), ("b/{device}", 1)])).possible
    assert Copies(subscriptions([("a/{device}", 1), ("{device}/b", 1)])).possible


def test_of_the_copies_exactly_the_first_routes_counts() -> None:
    wanted = subscriptions([("a/{device}", 1), ("{device}/b", 1), ("#", 1)])
    copies = Copies(wanted)
    for topic, matching in ((b"a/b", wanted), (b"x/b", wanted[1:]), (b"y", wanted[2:])):
        counted = [each.filter for each in matching if copies.counts(topic, [each.identifier])]
        assert counted == [matching[0].filter]


def test_one_copy_for_several_subscriptions_counts() -> None:
    first, second = subscriptions([("a/{device}", 1), ("{device}/b", 1)])
    assert Copies([first, second]).counts(b"a/b", [second.identifier, first.identifier])


def test_a_message_without_our_identifiers_counts() -> None:
    copies = Copies(subscriptions([("a/{device}", 1), ("#", 1)]))
    assert copies.counts(b"a/b", [])
    assert copies.counts(b"a/b", [77])
    assert copies.counts(b"\xff/b", [])


def test_a_topic_that_is_not_utf8_has_one_copy_that_counts() -> None:
    first, second = subscriptions([("a/{device}", 1), ("#", 1)])
    copies = Copies([first, second])
    assert copies.counts(b"a/\xff", [first.identifier])
    assert not copies.counts(b"a/\xff", [second.identifier])


def test_the_digest_names_the_set() -> None:
    assert digest(subscriptions([("a", 1), ("b", 0)])) == digest(subscriptions([("b", 0), ("a", 1)]))
    assert digest(subscriptions([("a", 1)])) != digest(subscriptions([("a", 0)]))
