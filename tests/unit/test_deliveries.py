from gateway.deliveries import KEPT, TOPICS_KEPT, Deliveries, digest_of
from gateway.model import RawMessage

ONE, OTHER = b"11111111", b"22222222"


def test_a_delivery_is_recognised_by_source_packet_id_and_digest():
    deliveries = Deliveries()
    deliveries.remember("broker", 7, ONE)
    assert deliveries.seen("broker", 7, ONE)
    assert not deliveries.seen("broker", 7, OTHER)
    assert not deliveries.seen("broker", 8, ONE)
    assert not deliveries.seen("other", 7, ONE)


def test_a_packet_id_that_is_used_again_means_the_newer_message():
    deliveries = Deliveries()
    deliveries.remember("broker", 7, ONE)
    deliveries.remember("broker", 7, OTHER)
    assert not deliveries.seen("broker", 7, ONE)
    assert deliveries.seen("broker", 7, OTHER)


def test_the_oldest_are_forgotten_and_each_source_has_its_own_bound():
    deliveries = Deliveries()
    deliveries.remember("quiet", 1, ONE)
    for packet_id in range(1, KEPT + 2):
        deliveries.remember("broker", packet_id, ONE)
    assert not deliveries.seen("broker", 1, ONE)
    assert deliveries.seen("broker", 2, ONE)
    assert deliveries.seen("broker", KEPT + 1, ONE)
    assert deliveries.seen("quiet", 1, ONE)


def test_remembering_again_makes_it_new_again():
    deliveries = Deliveries()
    for packet_id in range(KEPT):
        deliveries.remember("broker", packet_id, ONE)
    deliveries.remember("broker", 0, ONE)
    deliveries.remember("broker", KEPT, ONE)
    assert deliveries.seen("broker", 0, ONE)
    assert not deliveries.seen("broker", 1, ONE)


def test_what_is_not_settled_is_not_forgotten_however_much_there_is():
    deliveries = Deliveries()
    for packet_id in range(1, KEPT + 1001):
        deliveries.expect("broker", packet_id, ONE)
    assert deliveries.seen("broker", 1, ONE)
    for packet_id in range(1, KEPT + 1001):
        deliveries.remember("broker", packet_id, ONE)
    assert not deliveries.seen("broker", 1000, ONE)
    assert deliveries.seen("broker", 1001, ONE)


def test_a_delivery_whose_id_is_used_again_is_known_no_more_even_if_the_new_one_fails():
    deliveries = Deliveries()
    deliveries.remember("broker", 7, ONE)
    deliveries.expect("broker", 7, OTHER)
    assert not deliveries.seen("broker", 7, ONE)
    deliveries.remember("broker", 7, ONE)  # settled late
    assert deliveries.seen("broker", 7, OTHER)
    deliveries.forget("broker", 7, OTHER)
    assert not deliveries.seen("broker", 7, ONE)
    assert not deliveries.seen("broker", 7, OTHER)


def test_what_could_not_be_kept_is_forgotten_unless_its_id_was_used_again():
    deliveries = Deliveries()
    deliveries.remember("broker", 7, ONE)
    deliveries.forget("broker", 7, OTHER)
    assert deliveries.seen("broker", 7, ONE)
    deliveries.forget("broker", 7, ONE)
    assert not deliveries.seen("broker", 7, ONE)


def test_the_digest_tells_topic_and_payload_apart():
    messages = [(b"a", b"1"), (b"a", b"2"), (b"b", b"1"), (b"", b"a\x001"), (b"a\0", b"1"), (b"a1", b"")]
    digests = {digest_of(RawMessage(payload, 1.0, topic)) for topic, payload in messages}
    assert {len(digest) for digest in digests} == {8}
    assert len(digests) == len(messages)
    assert digest_of(RawMessage(b"1", 1.0, b"a")) == digest_of(RawMessage(b"1", 2.0, b"a", packet_id=3))


def said(payload=b"21.5", topic=b"sensors/kitchen", retained=False):
    return RawMessage(payload, 0.0, topic, retained=retained)


def test_a_retained_message_that_says_what_its_topic_said_last_is_repeated():
    deliveries = Deliveries()
    assert not deliveries.is_repeated("broker", said(retained=True))
    assert deliveries.is_repeated("broker", said(retained=True))
    assert not deliveries.is_repeated("other", said(retained=True))
    assert not deliveries.is_repeated("broker", said(b"22", retained=True))


def test_it_is_also_a_copy_of_the_live_one_but_a_live_one_is_never_a_copy():
    deliveries = Deliveries()
    for _ in range(3):
        assert not deliveries.is_repeated("broker", said())
    assert deliveries.is_repeated("broker", said(retained=True))
    assert not deliveries.is_repeated("broker", said())


def test_what_could_not_be_kept_is_no_repetition():
    deliveries = Deliveries()
    deliveries.is_repeated("broker", said(retained=True))
    deliveries.unsay("broker", said())
    assert not deliveries.is_repeated("broker", said(retained=True))


def test_topics_remembered_are_bounded():
    deliveries = Deliveries()
    for number in range(TOPICS_KEPT + 1):
        deliveries.is_repeated("broker", said(topic=b"%d" % number))
    assert not deliveries.is_repeated("broker", said(topic=b"0", retained=True))
    assert deliveries.is_repeated("broker", said(topic=b"9", retained=True))
    assert len(deliveries._topics["broker"]) == TOPICS_KEPT
