import pytest

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
