from gateway.heartbeat import Heartbeat, Lingering


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_heartbeat_is_as_old_as_its_last_beat():
    clock = Clock()
    heart = Heartbeat(clock)
    clock.now += 3.0
    assert heart.age_s() == 3.0
    heart.beat()
    clock.now += 1.0
    assert heart.age_s() == 1.0


def test_what_stays_in_hand_grows_old_and_what_changes_does_not():
    clock, in_hand = Clock(), {}
    lingering = Lingering(lambda: in_hand, clock)
    assert lingering.age_s() == 0.0
    stuck = object()
    in_hand["a"] = stuck
    for seconds in (0.0, 1.0, 2.0):
        in_hand["b"] = object()
        assert lingering.age_s() == seconds
        clock.now += 1.0
    in_hand["a"], in_hand["b"] = object(), object()
    assert lingering.age_s() == 0.0
    del in_hand["a"], in_hand["b"]
    clock.now += 1.0
    assert lingering.age_s() == 0.0
