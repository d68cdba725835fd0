import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decoding.topics import TopicPattern


@pytest.mark.parametrize(
    ("pattern", "topic", "found"),
    [
        ("sensors/{device}", "sensors/kitchen", {"device": "kitchen"}),
        ("sensors/{device}", "sensors/kitchen/x", None),
        ("sensors/{device}", "sensors", None),
        ("sensors/{device}", "sensors/", {"device": ""}),
        ("sensors/{device}", "Sensors/kitchen", None),
        ("plain/{device}/{metric}", "plain/küche/temp", {"device": "küche", "metric": "temp"}),
        ("{metric}/+/{device}", "a/b/c", {"metric": "a", "device": "c"}),
        ("sensors/{device}/+/x/#", "sensors/k/y/x/1/2", {"device": "k"}),
        ("sensors/{device}/+/x/#", "sensors/k/y/x", {"device": "k"}),
        ("sensors/{device}/+/x/#", "sensors/k/y/z/1", None),
        ("#", "a/b", {}),
        ("a/#", "ab", None),
        ("a.c/{device}", "abc/k", None),
        ("a/{device}", "a/line\nbreak", {"device": "line\nbreak"}),
        ("a/#", "a/line\nbreak/x", {}),
        ("a//{device}", "a//k", {"device": "k"}),
    ],
)
def test_match(pattern, topic, found):
    assert TopicPattern(pattern).match(topic) == found


@pytest.mark.parametrize("pattern", ["#", "+/broker/uptime", "{device}/broker/uptime", "+/#"])
def test_a_wildcard_in_front_does_not_match_the_brokers_own_topics(pattern):
    assert TopicPattern(pattern).match("$SYS/broker/uptime") is None


def test_the_brokers_own_topics_match_when_named():
    assert TopicPattern("$SYS/broker/{metric}").match("$SYS/broker/uptime") == {"metric": "uptime"}


def test_filter_and_names():
    pattern = TopicPattern("sensors/{device}/+/{metric}/#")
    assert pattern.filter == "sensors/+/+/+/#"
    assert pattern.names == {"device", "metric"}
    assert TopicPattern("a/b").names == frozenset()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "is empty"),
        ("a/#/b", "can only come last"),
        ("#/a", "can only come last"),
        ("a/{devcie}", "unknown {devcie}, there are {device} and {metric}"),
        ("a/{}", "unknown {}"),
        ("a/{device}x", "'{device}x' mixes text and wildcard"),
        ("a/{device}{metric}", "mixes"),
        ("a/b+", "'b+' mixes"),
        ("a/b#", "'b#' mixes"),
        ("{device}/{device}", "{device} is there more than once"),
        ("$share/group/a", "$share"),
        ("a\0b", "no NUL"),
        ("a" * 65536, "at most 65535 bytes"),
    ],
)
def test_impossible_patterns_are_refused_in_words(pattern, words):
    with pytest.raises(ValueError) as caught:
        TopicPattern(pattern)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "topic", "words"),
    [
        ("sensors/attic", "sensors/kitchen", 'level 2 is "kitchen", the pattern wants "attic"'),
        ("sensors/{device}", "Sensors/kitchen", 'level 1 is "Sensors", the pattern wants "sensors"'),
        ("sensors/{device}", "sensors/kitchen/temperature", "has 3 levels, the pattern has 2"),
        ("sensors/{device}", "sensors", "has 1 level, the pattern has 2"),
        ("sensors/{device}/x/#", "sensors/kitchen", "has 2 levels, the pattern at least 3"),
        ("a/+/c", "x/b", 'level 1 is "x", the pattern wants "a"'),
        ("a/b", "a/line\nbreak", r'level 2 is "line\nbreak", the pattern wants "b"'),
        ("#", "$SYS/uptime", "starts with \"$SYS\", and # in front doesn't match the broker's own topics"),
        ("{device}/uptime", "$SYS/uptime", 'starts with "$SYS", and {device} in front doesn\'t match'),
    ],
)
def test_why_a_topic_is_not_meant(pattern, topic, words):
    assert TopicPattern(pattern).mismatch(topic).startswith(words)


levels = st.sampled_from(["a", "b", "", "$SYS", "+", "#", "{device}", "ü"])


@given(pattern=st.lists(levels, min_size=1, max_size=4), topic=st.lists(levels, min_size=1, max_size=4))
def test_there_is_a_reason_exactly_where_there_is_no_match(pattern, topic):
    try:
        meant = TopicPattern("/".join(pattern))
    except ValueError:
        return
    text = "/".join(topic)
    assert (meant.match(text) is None) == bool(meant.mismatch(text))
